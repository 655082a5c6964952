import { createServer, request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { operationOf } from './operation.ts';

/** One API call, when it arrived: milliseconds since the epoch. */
export interface Call {
  readonly at: number;
  readonly operation: string;
}

/** Stands before an AWS endpoint on a port of its own, changes nothing, and notes every call. */
export interface CountingProxy {
  readonly url: string;
  readonly calls: readonly Call[];
  close(): Promise<void>;
}

export async function countingProxy(upstream: string): Promise<CountingProxy> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const at = Date.now();
    buffer(request).then(
      (body) => {
        calls.push({ at, operation: operationOf(request.url ?? '/', request.headers, body.toString()) });
        forward(upstream, request, body, response);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(upstream: string, asked: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method, headers, url = '/' } = asked;
  const passed = ask(new URL(url, upstream), { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  // What upstream cuts is cut here: a client is to see what it would see without the proxy.
  passed.once('error', () => response.destroy());
  passed.end(body);
}
