import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Hands out free ports of 127.0.0.1, none twice while it is held. */
export interface PortAllocator {
  take(): Promise<number>;
  give(port: number): void;
  /** Marks a port that an adopted process listens on. */
  hold(port: number): void;
}

export function createPortAllocator(): PortAllocator {
  const held = new Set<number>();
  return {
    async take() {
      // The system hands a freed port out again only after many others; a held one is merely skipped.
      for (;;) {
        const port = await freePort();
        if (held.has(port)) continue;
        held.add(port);
        return port;
      }
    },
    give: (port) => void held.delete(port),
    hold: (port) => void held.add(port),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
