import { once } from 'node:events';
import { createServer } from 'node:net';

/** Environments' ports are so far apart. */
const APART = 20;
/** The first port of each environment, and how many it has. */
const OFFSETS = [0, 1, 2].flatMap((environment) => [0, 1, 2].map((service) => environment * APART + service));
/** Below the ports that systems give to outgoing connections. */
const LOWEST = 10_000;
const HIGHEST = 30_000;
const ATTEMPTS = 100;

/** The highest port is so far above the first. */
export const PORT_SPAN = Math.max(...OFFSETS);

/**
 * Finds a base port for `createRepository` whose nine ports are free on this machine.
 * @throws Error when none is found
 */
export async function findBasePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const base = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const free = await Promise.all(OFFSETS.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`No ${OFFSETS.length} free ports found between ${LOWEST} and ${HIGHEST + PORT_SPAN}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
