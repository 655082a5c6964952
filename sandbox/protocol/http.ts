import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { answerError, dispatch } from './dispatch.ts';
import type { Answer } from './dispatch.ts';
import { credentialScope, header, route } from './route.ts';
import type { MountedService, RequestHead, Route } from './route.ts';

export interface AwsEndpoint {
  readonly services: readonly MountedService[];
  readonly accountId: string;
  readonly region: string;
  /** Makes durable what an operation changed; awaited before its answer leaves. */
  flush(): Promise<void>;
}

/** Answers one request to the AWS endpoint. Never throws: a failure is an answer too. */
export async function handleAws(
  endpoint: AwsEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = crypto.randomUUID();
  const answer = await answerTo(endpoint, request, requestId);
  response.writeHead(answer.status, { ...answer.headers, 'x-amzn-requestid': requestId });
  response.end(answer.body);
}

async function answerTo(endpoint: AwsEndpoint, request: IncomingMessage, requestId: string): Promise<Answer> {
  const head: RequestHead = {
    method: request.method ?? 'POST',
    path: request.url ?? '/',
    headers: request.headers,
  };
  let found: Route | undefined;
  try {
    const body = await readBody(request, head);
    found = route(endpoint.services, head, body);
    const accessKeyId = credentialScope(head)?.accessKeyId;
    const answer = await dispatch(found, body, {
      accountId: endpoint.accountId,
      region: endpoint.region,
      requestId,
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
    });
    await endpoint.flush();
    return answer;
  } catch (error) {
    return answerError(found, error, requestId);
  }
}

async function readBody(request: IncomingMessage, head: RequestHead): Promise<Buffer> {
  const raw = await buffer(request);
  return header(head, 'content-encoding') === 'gzip' ? gunzipSync(raw) : raw;
}
