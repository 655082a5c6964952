import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: one of those may be taken before it is used. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const ATTEMPTS = 1_000;

/** @returns ports of 127.0.0.1 that are free now, each another one @throws Error when there are not so many */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS + count && ports.size < count; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports found between ${LOWEST} and ${HIGHEST}`);
  return [...ports];
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
