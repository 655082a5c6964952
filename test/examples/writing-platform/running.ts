import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { CreatedRepository } from '../../../examples/writing-platform/create-repository.ts';
import { createRepository } from '../../../examples/writing-platform/create-repository.ts';

export const KEY = 'key-that-nobody-may-see';

/** The example's repository in a folder of its own, with a checkout of any release. */
export interface Checkouts extends CreatedRepository {
  readonly directory: string;
  /** @returns the folder that holds the release's files */
  checkout(version: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeCheckouts(basePort?: number): Promise<Checkouts> {
  const directory = await mkdtemp(join(tmpdir(), 'writing-platform-'));
  const created = await createRepository({ directory, ...(basePort !== undefined && { basePort }) });
  const folders = new Map<string, Promise<string>>();
  const add = async (version: string): Promise<string> => {
    const folder = join(directory, 'checkouts', version);
    await execa('git', ['worktree', 'add', '--detach', folder, version], { cwd: created.repository });
    return folder;
  };
  const checkout = async (version: string): Promise<string> => {
    const folder = folders.get(version) ?? add(version);
    folders.set(version, folder);
    return folder;
  };
  const remove = (): Promise<void> => rm(directory, { recursive: true });
  return { ...created, directory, checkout, remove };
}

/** A service that runs as a process on a port of its own. */
export interface RunningService {
  readonly url: string;
  readonly logs: readonly Record<string, unknown>[];
  /** All that it wrote, as it wrote it. */
  readonly output: () => string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  terminate(): void;
  stop(): Promise<void>;
}

/** Starts a release's service. @throws Error with its output when it ends before it listens */
export function startService(
  folder: string,
  service: string,
  environment: Record<string, string>,
): Promise<RunningService> {
  return startServer(join(folder, 'services', service, 'server.mjs'), environment);
}

/** Starts a server's file. @throws Error with its output when it ends before it listens */
export async function startServer(
  file: string,
  environment: Record<string, string>,
): Promise<RunningService> {
  const child = spawn(process.execPath, [file], {
    env: { PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const logs: Record<string, unknown>[] = [];
  const exited = ended(child);
  const listening = new Promise<number>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const entry: Record<string, unknown> = JSON.parse(line);
      logs.push(entry);
      if (entry['message'] === 'listening') resolve(Number(entry['port']));
    });
  });
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  const output = (): string => lines.join('\n');
  const died = exited.then(({ code }) =>
    Promise.reject(new Error(`${file} ended with ${code}: ${output()}`)),
  );
  const port = await Promise.race([listening, died]);
  died.catch(() => {});
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    logs,
    output,
    exited,
    stop,
    terminate: () => void child.kill('SIGTERM'),
  };
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode };
}

export interface RunningPlatform {
  readonly editor: RunningService;
  readonly suggestions: RunningService;
  readonly gateway: RunningService;
  /** What the tests of the release are given. */
  readonly urls: Record<'EDITOR_URL' | 'SUGGESTIONS_URL' | 'MODEL_GATEWAY_URL', string>;
  stop(): Promise<void>;
}

/** Starts all services of a release, each knowing the next. */
export async function startPlatform(
  folder: string,
  version: string,
  settings: Record<string, string> = {},
): Promise<RunningPlatform> {
  const release = { SERVICE_VERSION: version, SERVICE_COMMIT: 'a'.repeat(40), ...settings };
  const gateway = await startService(folder, 'model-gateway', {
    MODEL: 'small',
    MODEL_API_KEY: KEY,
    ...release,
  });
  const suggestions = await startService(folder, 'suggestions', {
    MODEL_GATEWAY_URL: gateway.url,
    ...release,
  });
  const editor = await startService(folder, 'editor', { SUGGESTIONS_URL: suggestions.url, ...release });
  const urls = { EDITOR_URL: editor.url, SUGGESTIONS_URL: suggestions.url, MODEL_GATEWAY_URL: gateway.url };
  const stop = async (): Promise<void> => {
    await Promise.all([editor, suggestions, gateway].map((service) => service.stop()));
  };
  return { editor, suggestions, gateway, urls, stop };
}

/** A server of the test's own, in the place of a service that is called. */
export async function startStandIn(
  listener: RequestListener,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function post(url: string, body: unknown): Promise<Answer> {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, { method: 'POST', body: content, signal: AbortSignal.timeout(10_000) });
  const parsed: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, body: parsed };
}

/** Waits for a condition. @throws Error when it doesn't hold within 5 s */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
