import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSandbox } from '../../sandbox/server.ts';

/** A sandbox of a test's own, in a folder of its own. */
export interface TestSandbox {
  readonly url: string;
  /** What AWS's SDK clients are made with. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** The AWS CLI's answer. @throws Error with the CLI's message when it fails */
  aws(...args: string[]): Promise<unknown>;
  /** Stops the sandbox and starts one on the same state. @param between done while none runs */
  restarted(between?: () => Promise<void>): Promise<TestSandbox>;
  close(): Promise<void>;
}

export async function aSandbox(options: { speed?: number; stateDir?: string } = {}): Promise<TestSandbox> {
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'sandbox-')));
  const sandbox = await startSandbox({ speed: 50, ...options, stateDir });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return {
    url: sandbox.url,
    client: { endpoint: sandbox.url, region: 'eu-west-1', credentials },
    aws: (...args) => awsCli(sandbox.url, args),
    async restarted(between) {
      await sandbox.close();
      await between?.();
      return aSandbox({ ...options, stateDir });
    },
    async close() {
      await sandbox.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

async function awsCli(url: string, args: readonly string[]): Promise<unknown> {
  const env = {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const { stdout } = await promisify(execFile)('aws', [...args, '--output', 'json'], { env });
  const answer: unknown = stdout === '' ? {} : JSON.parse(stdout);
  return answer;
}
