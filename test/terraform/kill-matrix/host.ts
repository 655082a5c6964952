import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { isAlive, parseIdentity } from '../../../src/activities/process/identity.ts';
import type { ProcessIdentity } from '../../../src/activities/process/identity.ts';
import type { WorkerOptions } from './worker.ts';

/** Workers start often: their compiled code is kept. */
const COMPILED = join(import.meta.dirname, '../../../.tools/compile-cache');

/** A machine that runs workers, as far as its data directory and its processes make one. */
export class Host {
  readonly dataDirectory: string;
  readonly #options: Omit<WorkerOptions, 'dataDirectory'>;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #workers: ChildProcess[] = [];

  /** @param environment of its workers: all that they have */
  constructor(
    dataDirectory: string,
    options: Omit<WorkerOptions, 'dataDirectory'>,
    environment: Readonly<Record<string, string>>,
  ) {
    this.dataDirectory = dataDirectory;
    this.#options = options;
    this.#environment = environment;
  }

  async startWorker(): Promise<void> {
    await mkdir(this.dataDirectory, { recursive: true });
    const log = openSync(`${this.dataDirectory}.log`, 'a');
    const options: WorkerOptions = { ...this.#options, dataDirectory: this.dataDirectory };
    const worker = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dirname, 'worker.ts'),
        JSON.stringify(options),
      ],
      { env: { ...this.#environment, NODE_COMPILE_CACHE: COMPILED }, stdio: ['ignore', log, log] },
    );
    this.#workers.push(worker);
  }

  /** SIGKILL, to the worker alone. */
  async killWorkers(): Promise<void> {
    const running = this.#workers.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(
      running.map((worker) => {
        const ended = once(worker, 'exit');
        worker.kill('SIGKILL');
        return ended;
      }),
    );
  }

  /** SIGKILL, to all that its workers started: Terraform, and its providers, which are in its group. */
  async killTerraform(): Promise<void> {
    for (const leader of await this.#leaders()) if (isAlive(leader)) process.kill(-leader.pid, 'SIGKILL');
  }

  /** SIGKILL, to the providers alone, as the kernel does for want of memory. */
  async killProviders(): Promise<void> {
    const paths = (await this.leftovers()).filter((path) => path.endsWith('apply/command'));
    const texts = await Promise.all(
      paths.map((path) => readFile(join(this.dataDirectory, 'terraform', path), 'utf8')),
    );
    const terraforms = new Set(texts.map((text) => parseIdentity(text)?.pid));
    const { stdout } = await execa('ps', ['-A', '-o', 'pid=,ppid=']);
    for (const line of stdout.split('\n')) {
      const [pid = 0, parent] = line.trim().split(/\s+/).map(Number);
      if (terraforms.has(parent)) process.kill(pid, 'SIGKILL');
    }
  }

  /** All at once, as when its power fails. */
  async lose(): Promise<void> {
    await Promise.all([this.killWorkers(), this.killTerraform()]);
    // What a worker was starting in that instant.
    await this.killTerraform();
  }

  /** What is left of operations, by path. */
  async leftovers(): Promise<string[]> {
    const found = await filesIn(join(this.dataDirectory, 'terraform'), '');
    return found.filter((path) => !path.startsWith('plugins/'));
  }

  async log(): Promise<string> {
    return readFile(`${this.dataDirectory}.log`, 'utf8').catch(() => '');
  }

  /** Process groups that a wrapper's file tells of. */
  async #leaders(): Promise<ProcessIdentity[]> {
    const paths = (await this.leftovers()).filter((path) => path.endsWith('/wrapper'));
    const texts = await Promise.all(
      paths.map((path) => readFile(join(this.dataDirectory, 'terraform', path), 'utf8').catch(() => '')),
    );
    return texts.flatMap((each) => parseIdentity(each) ?? []);
  }
}

/** Files below a directory that others write to at the same time. */
async function filesIn(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const inside = join(path, entry.name);
      return entry.isDirectory() ? await filesIn(root, inside) : [inside];
    }),
  );
  return found.flat();
}
