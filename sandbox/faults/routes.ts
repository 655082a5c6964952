import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ServiceModel } from '../protocol/model.ts';
import type { Faults } from './faults.ts';
import { parseRule } from './parse.ts';
import { FaultRuleError } from './rule.ts';

/** No AWS protocol has such a path. */
const FAULTS_PATH = '/_sandbox/faults';

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/**
 * Where faults are asked for, over HTTP in JSON: `POST` adds a rule, `GET` lists them, `DELETE` deletes all; at
 * `/<id>` `PUT` adds or replaces, `GET` shows and `DELETE` deletes one.
 */
export function faultRoutes(faults: Faults, models: readonly ServiceModel[]) {
  return {
    prefix: FAULTS_PATH,
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { status, body } = await answer(faults, models, request);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : `${JSON.stringify(body, null, 2)}\n`);
    },
  };
}

async function answer(
  faults: Faults,
  models: readonly ServiceModel[],
  request: IncomingMessage,
): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://sandbox');
  const [, id, ...deeper] = pathname.slice(FAULTS_PATH.length).split('/').map(decodeURIComponent);
  if (deeper.length > 0 || !/^(\/|$)/.test(pathname.slice(FAULTS_PATH.length))) {
    return refused(
      404,
      `There is nothing at ${pathname}: rules are at ${FAULTS_PATH} and ${FAULTS_PATH}/<id>`,
    );
  }
  try {
    return id === undefined || id === ''
      ? await answerAll(faults, models, request)
      : await answerOne(faults, models, request, id);
  } catch (error) {
    if (error instanceof FaultRuleError) return refused(400, error.message);
    throw error;
  }
}

async function answerAll(
  faults: Faults,
  models: readonly ServiceModel[],
  request: IncomingMessage,
): Promise<Answer> {
  switch (request.method) {
    case 'GET':
      return { status: 200, body: { faults: faults.list() } };
    case 'POST':
      return { status: 201, body: faults.add(parseRule(models, await json(request))) };
    case 'DELETE':
      faults.clear();
      return { status: 204 };
    default:
      return refused(405, `${FAULTS_PATH} takes GET, POST and DELETE, not ${request.method}`);
  }
}

async function answerOne(
  faults: Faults,
  models: readonly ServiceModel[],
  request: IncomingMessage,
  id: string,
): Promise<Answer> {
  const missing = refused(404, `There is no rule ${id}`);
  switch (request.method) {
    case 'GET': {
      const found = faults.get(id);
      return found ? { status: 200, body: found } : missing;
    }
    case 'PUT':
      return { status: 200, body: faults.add(parseRule(models, await json(request)), id) };
    case 'DELETE':
      return faults.delete(id) ? { status: 204 } : missing;
    default:
      return refused(405, `${FAULTS_PATH}/<id> takes GET, PUT and DELETE, not ${request.method}`);
  }
}

async function json(request: IncomingMessage): Promise<unknown> {
  const body = await text(request);
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw new FaultRuleError(`The body is not JSON: ${(error as Error).message}`);
  }
}

function refused(status: number, message: string): Answer {
  return { status, body: { error: message } };
}
