import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Target } from './target.ts';

/** A client's request, on its way to a target. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  /** What the target is sent, as name, value, name, value. */
  readonly headers: readonly string[];
  /** Added to what the client is answered, in the same form. */
  readonly answerHeaders: readonly string[];
  /** How long a connection may be silent, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** How it ended. `seconds`: from the request's leaving the load balancer to the beginning of the answer. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly seconds: number }
  /** The target took no connection. */
  | { readonly kind: 'refused' }
  /** The target closed the connection, or sent what isn't HTTP, before it answered. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'clientGone' };

const RESENDABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** Headers as name, value, name, value, without those that concern one connection only. */
export function endToEnd(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => !HOP_BY_HOP.has((rawHeaders[i - (i % 2)] ?? '').toLowerCase()));
}

/**
 * Sends the request to the target and streams the answer back. Unless the outcome is `answered` or `clientGone`
 * nothing has been sent to the client.
 *
 * A kept connection may be closed by the target just as a request goes out on it. So only requests that may be sent
 * twice go over kept connections, and such a loss, and no other, is made good over a new one.
 */
export async function forward(exchange: Exchange): Promise<Outcome> {
  const resendable = RESENDABLE.has(exchange.request.method ?? '') && !hasBody(exchange.request);
  if (!resendable) return attempt(exchange, false);
  const first = await attempt(exchange, true);
  return first === 'lostKeptConnection' ? attempt(exchange, false) : first;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function attempt(exchange: Exchange, keepAlive: false): Promise<Outcome>;
function attempt(exchange: Exchange, keepAlive: true): Promise<Outcome | 'lostKeptConnection'>;
function attempt(exchange: Exchange, keepAlive: boolean): Promise<Outcome | 'lostKeptConnection'> {
  return new Promise((resolve) => {
    const { request, response, target, idleTimeoutMs } = exchange;
    const began = performance.now();
    const chunked =
      request.headers['transfer-encoding'] === undefined ? [] : ['transfer-encoding', 'chunked'];
    const upstream = httpRequest({
      host: '127.0.0.1',
      port: target.port,
      method: request.method,
      path: request.url,
      headers: [...exchange.headers, ...chunked],
      agent: keepAlive ? target.agent : false,
    });
    target.carry(upstream);
    upstream.setTimeout(idleTimeoutMs, () => upstream.destroy(new TimeoutError()));
    const clientGone = (): void => {
      if (response.writableFinished) return;
      upstream.destroy();
      resolve({ kind: 'clientGone' });
    };
    response.once('close', clientGone);
    const settle = (outcome: Outcome | 'lostKeptConnection'): void => {
      response.off('close', clientGone);
      resolve(outcome);
    };
    let answered = false;
    upstream.on('error', (error) => {
      if (!answered) settle(failureOf(upstream, error));
    });
    upstream.once('response', (answer) => {
      answered = true;
      response.off('close', clientGone);
      const status = answer.statusCode ?? 502;
      const seconds = Math.round((performance.now() - began) * 1000) / 1e6;
      answerClient(exchange, answer, () => settle({ kind: 'answered', status, seconds }));
    });
    sendBody(request, upstream);
  });
}

function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  if (!hasBody(request)) upstream.end();
  // What goes wrong on the way is seen by the target's or the client's own events.
  else pipeline(request, upstream, () => undefined);
}

function answerClient(
  { response, answerHeaders }: Exchange,
  answer: IncomingMessage,
  done: () => void,
): void {
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [
    ...endToEnd(answer.rawHeaders),
    ...answerHeaders,
  ]);
  response.flushHeaders();
  // A target that breaks off in the middle of its answer breaks the client's connection too.
  pipeline(answer, response, done);
}

class TimeoutError extends Error {}

function failureOf(upstream: ClientRequest, error: Error): Outcome | 'lostKeptConnection' {
  if (error instanceof TimeoutError) return { kind: 'timeout' };
  const code = 'code' in error ? error.code : undefined;
  if (upstream.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return 'lostKeptConnection';
  const connected = upstream.socket !== null && !upstream.socket.connecting && code !== 'ECONNREFUSED';
  return { kind: connected ? 'broken' : 'refused' };
}
