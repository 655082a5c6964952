import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { answerError, readCall } from './dispatch.ts';
import type { Answer, Call } from './dispatch.ts';
import { credentialScope, header, route } from './route.ts';
import type { MountedService, RequestHead, Route } from './route.ts';

/** What a client gets: an answer, or a connection that is cut without one. */
export type Reply = Answer | 'cut';

/**
 * Stands between a call and its operation. `act` runs the operation and makes durable what it changed.
 * @throws AwsError to answer with that error instead
 */
export type Intercept = (call: Call, act: () => Promise<Answer>) => Promise<Reply>;

export interface AwsEndpoint {
  readonly services: readonly MountedService[];
  readonly accountId: string;
  readonly region: string;
  /** Makes durable what an operation changed; awaited before its answer leaves. */
  flush(): Promise<void>;
  /** By default every call acts. */
  readonly intercept?: Intercept;
}

/** Answers one request to the AWS endpoint. Never throws: a failure is an answer too. */
export async function handleAws(
  endpoint: AwsEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = crypto.randomUUID();
  const reply = await replyTo(endpoint, request, requestId);
  if (reply === 'cut') return void request.socket.destroy();
  response.writeHead(reply.status, { ...reply.headers, 'x-amzn-requestid': requestId });
  response.end(reply.body);
}

async function replyTo(endpoint: AwsEndpoint, request: IncomingMessage, requestId: string): Promise<Reply> {
  const head: RequestHead = {
    method: request.method ?? 'POST',
    path: request.url ?? '/',
    headers: request.headers,
  };
  const { accountId, region, intercept = (_, act) => act() } = endpoint;
  let found: Route | undefined;
  try {
    const body = await readBody(request, head);
    found = route(endpoint.services, head, body);
    const accessKeyId = credentialScope(head)?.accessKeyId;
    const context = { accountId, region, requestId, ...(accessKeyId === undefined ? {} : { accessKeyId }) };
    const call = readCall(found, body);
    return await intercept(call, async () => {
      const answer = await call.act(context);
      await endpoint.flush();
      return answer;
    });
  } catch (error) {
    return answerError(found, error, requestId);
  }
}

async function readBody(request: IncomingMessage, head: RequestHead): Promise<Buffer> {
  const raw = await buffer(request);
  return header(head, 'content-encoding') === 'gzip' ? gunzipSync(raw) : raw;
}
