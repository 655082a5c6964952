import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { spawn, type ChildProcess } from 'node:child_process';

interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its output goes. */
  readonly log: string;
  /** The line by which it says that it is ready. */
  readonly ready: RegExp;
  readonly cwd?: string;
}

/** Milliseconds. */
const STARTS_WITHIN = 60_000;
const STOPS_WITHIN = 20_000;

/** A server of the rehearsal: a process of its own whose output is in a file. */
export class ServerProcess {
  readonly name: string;
  /** Lines that it printed until it was ready. */
  readonly greeting: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(name: string, child: ChildProcess, greeting: readonly string[], exited: Promise<void>) {
    this.name = name;
    this.#child = child;
    this.greeting = greeting;
    this.#exited = exited;
  }

  /** Starts it and waits for its word. @throws Error with its last lines when it ends or says nothing for a minute */
  static async start({ name, command, args, env, log, ready, cwd }: Start): Promise<ServerProcess> {
    mkdirSync(dirname(log), { recursive: true });
    const file = createWriteStream(log, { flags: 'a' });
    const child = spawn(command, args, {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd && { cwd }),
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const lines = linesOf(child, file);
    const greeting = await greetingOf(name, child, lines, ready);
    return new ServerProcess(name, child, greeting, exited);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** SIGTERM, and SIGKILL for one that does not end. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOPS_WITHIN);
    await this.#exited;
    clearTimeout(late);
  }

  /** kill -9: it has no time for anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

function linesOf(child: ChildProcess, file: WriteStream): PassThrough {
  const lines = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.pipe(file, { end: false });
    stream?.pipe(lines, { end: false });
  }
  child.once('close', () => {
    file.end();
    lines.end();
  });
  return lines;
}

function greetingOf(
  name: string,
  child: ChildProcess,
  output: PassThrough,
  ready: RegExp,
): Promise<readonly string[]> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(late);
      reject(new Error(`${name} ${why}:\n${lines.slice(-15).join('\n')}`));
    };
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${STARTS_WITHIN / 1000} s`);
    }, STARTS_WITHIN);
    child.once('error', (error) => fail(`did not start (${error.message})`));
    const reader = createInterface({ input: output });
    reader.on('close', () => fail('ended at its start'));
    reader.on('line', (line) => {
      lines.push(line);
      if (!ready.test(line)) return;
      clearTimeout(late);
      reader.removeAllListeners();
      output.resume();
      resolve(lines);
    });
  });
}
