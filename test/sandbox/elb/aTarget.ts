import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A real server behind a load balancer, which can be told to behave badly. */
export interface TestTarget {
  readonly port: number;
  /** Answers everything but health checks. */
  onRequest: (request: IncomingMessage, response: ServerResponse) => unknown;
  /** What health checks get. */
  healthStatus: number;
  /** Stops as a well-behaved server does: no new connections, those under way end first. */
  close(): Promise<void>;
}

/** @param name what it answers to every request, until told otherwise */
export async function aTarget(name: string): Promise<TestTarget> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/health') response.writeHead(target.healthStatus).end();
    else target.onRequest(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const target: TestTarget = {
    port: typeof address === 'object' && address ? address.port : 0,
    onRequest: (_request, response) => response.end(name),
    healthStatus: 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
  return target;
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const target = await aTarget('');
  await target.close();
  return target.port;
}
