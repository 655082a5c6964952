import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startSandbox } from '../../../sandbox/server.ts';
import { loadTools } from '../../../scripts/tools.ts';

/** Something that answers for SSM and Secrets Manager. */
export interface Backend {
  readonly url: string;
  close(): Promise<void>;
}

export const BACKENDS: readonly (readonly [name: string, start: () => Promise<Backend>])[] = [
  ['the sandbox', aSandbox],
  ['moto', aMoto],
];

async function aSandbox(): Promise<Backend> {
  const stateDir = await mkdtemp(join(tmpdir(), 'slipway-settings-'));
  const sandbox = await startSandbox({ stateDir, accountId: '123456789012' });
  return {
    url: sandbox.url,
    async close() {
      await sandbox.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** moto's server on a free port, which it names in its first lines. */
async function aMoto(): Promise<Backend> {
  const moto = spawn(loadTools().moto ?? 'moto_server', ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(moto, 'exit');
  const said: string[] = [];
  const stop = async (): Promise<void> => {
    moto.kill();
    await exited;
  };
  for await (const line of createInterface({ input: moto.stderr })) {
    said.push(line);
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) {
      moto.stderr.resume();
      return { url, close: stop };
    }
  }
  throw new Error(`moto did not start:\n${said.join('\n')}`);
}
