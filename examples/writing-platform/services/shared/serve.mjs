import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { drainOnSignal } from './drain.mjs';
import { Failure } from './failure.mjs';
import { createLog } from './log.mjs';
import { SettingError, numberSetting } from './settings.mjs';

const BODY_LIMIT = 64 * 1024;
const REQUEST_ID = /^[\w.:=;-]{1,128}$/;

/**
 * Runs a service: /health, /version and its own routes; ends by SIGTERM.
 * @param {string} service its name
 * @param {() => Record<string, Handler>} createRoutes `METHOD /path` to handler; what it throws ends the process, so the
 *   port opens only when the service can serve
 *
 * @typedef {(request: { body: any, requestId: string }) => Answer | Promise<Answer>} Handler
 * @typedef {{ status?: number, type?: string, body: unknown, headers?: Record<string, string> }} Answer
 */
export function serve(service, createRoutes) {
  const version = process.env.SERVICE_VERSION || '0.0.0';
  const commit = process.env.SERVICE_COMMIT || 'unknown';
  const log = createLog({ service, version });
  try {
    const port = numberSetting('PORT', { fallback: 8080, from: 0, to: 65_535 });
    const routes = { ...createRoutes(), 'GET /version': () => ({ body: { service, version, commit } }) };
    listen({ port, routes, log });
  } catch (error) {
    log.error('cannot start', { error: error instanceof SettingError ? error.message : error.stack });
    process.exitCode = 1;
  }
}

function listen({ port, routes, log }) {
  const server = createServer();
  // Longer than a load balancer keeps an idle connection (60 s): it must never send into one that is being closed.
  server.keepAliveTimeout = 75_000;
  server.headersTimeout = 80_000;
  const { isDraining } = drainOnSignal(server, {
    onDrain: () => log.info('draining'),
    onEnd: (clean) => {
      log.info('stopped', { clean });
      process.exit(clean ? 0 : 1);
    },
  });
  const health = () =>
    isDraining() ? { status: 503, body: { status: 'draining' } } : { body: { status: 'ok' } };
  const all = { ...routes, 'GET /health': health };
  server.on('request', (request, response) => void handle(all, log, request, response));
  server.on('error', (error) => {
    log.error('cannot listen', { port, error: error.message });
    process.exit(1);
  });
  server.listen(port, () => log.info('listening', { port: server.address().port }));
}

async function handle(routes, log, request, response) {
  const started = performance.now();
  const path = request.url.split('?', 1)[0];
  const given = request.headers['x-request-id'] ?? '';
  const requestId = REQUEST_ID.test(given) ? given : randomUUID();
  const { failure, ...answer } = await answerTo(routes, request, path, requestId);
  const { status = 200, type = 'application/json', body, headers = {} } = answer;
  const content = type === 'application/json' ? JSON.stringify(body) : body;
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : content);
  if (path === '/health') return;
  const milliseconds = Math.round(performance.now() - started);
  const line = { method: request.method, path, status, milliseconds, requestId };
  if (failure) log.error('request failed', { ...line, error: failure });
  else log.info('request', line);
}

async function answerTo(routes, request, path, requestId) {
  try {
    const handler = route(routes, request.method, path);
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    return await handler({ body, requestId });
  } catch (error) {
    if (error instanceof Failure) {
      return {
        status: error.status,
        body: { error: error.message },
        headers: error.headers,
        failure: error.message,
      };
    }
    return { status: 500, body: { error: 'internal error' }, failure: error.stack };
  }
}

function route(routes, method, path) {
  const handler = routes[`${method === 'HEAD' ? 'GET' : method} ${path}`];
  if (handler) return handler;
  const methods = Object.keys(routes)
    .filter((name) => name.endsWith(` ${path}`))
    .map((name) => name.split(' ')[0]);
  if (methods.length === 0) throw new Failure(404, `nothing at ${path}`);
  throw new Failure(405, `${path} takes ${methods.join(', ')}`, { headers: { allow: methods.join(', ') } });
}

async function readJson(request) {
  const chunks = [];
  let size = 0;
  // The request isn't destroyed when the loop is left early: the answer still has to go out on its connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      throw new Failure(413, `the body is over ${BODY_LIMIT} bytes`, { headers: { connection: 'close' } });
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Failure(400, 'the body is not JSON');
  }
}
