import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before an AWS endpoint and hangs up on the answers of one operation: it took effect, and nobody hears of it. */
export interface LosingProxy {
  readonly url: string;
  /** Answers lost so far. */
  readonly lost: () => number;
  close(): Promise<void>;
}

/** @param operation such as `UpdateService` @param answers how many of its answers are lost */
export async function aLosingProxy(
  upstream: string,
  operation: string,
  answers: number,
): Promise<LosingProxy> {
  let lost = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target']);
      void forward(upstream, request.headers, Buffer.concat(chunks)).then(({ status, body }) => {
        if (target.endsWith(`.${operation}`) && lost < answers) {
          lost += 1;
          request.socket.destroy();
          return;
        }
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
      });
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

async function forward(url: string, headers: NodeJS.Dict<string | string[]>, body: Buffer) {
  const kept = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'];
  const own = kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]));
  const answer = await fetch(url, { method: 'POST', headers: Object.fromEntries(own), body });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
}
