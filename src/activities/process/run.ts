import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './errors.ts';
import { HERE, groupIsAlive, identityOf, isAlive, parseIdentity, whereabouts } from './identity.ts';
import type { ProcessIdentity } from './identity.ts';
import { lastLine } from './output.ts';
import type { Supervisor } from './supervisor.ts';
import { launch, processFiles } from './wrapper.ts';
import type { Launch } from './wrapper.ts';

/** Milliseconds between two looks. The end of a process that this worker started itself is noticed at once. */
const LOOK_EVERY = 200;
const HEARTBEAT_EVERY = 1_000;
/** Characters. */
const LONGEST_BEAT = 300;
const START_WITHIN = 10_000;

export interface RunOptions {
  readonly supervisor: Supervisor;
  /** Milliseconds between SIGINT and SIGKILL. */
  readonly grace: number;
  /** Milliseconds after which it is stopped. */
  readonly timeout?: number;
  /** SIGINT goes to the command alone, or to all that it started. */
  readonly interrupt: 'command' | 'group';
  /** What the heartbeat says of a line of output. */
  readonly describe?: (line: string) => string;
  /** Called at each look at the running process, before its first heartbeat too: watches what it does. Never throws. */
  readonly observe?: () => Promise<void>;
}

interface Stop {
  readonly timedOut: boolean;
  /** It was asked to stop. */
  readonly stopped: boolean;
  /** It did not stop within the grace period, and was killed. */
  readonly killed: boolean;
}

export type ProcessEnd =
  | ({ readonly kind: 'exited'; readonly code: number } & Stop)
  /** Killed, by this one (`killed`), with its host or by hand: what it did is not known. */
  | ({ readonly kind: 'lost' } & Stop);

/**
 * How far a process in `directory` has come. `absent`: nobody started one, or is starting it this instant. `elsewhere`:
 * it has not ended by itself as far as this place can see, such as one in another container.
 */
export type ProcessState =
  | 'absent'
  | 'running'
  | 'elsewhere'
  | { readonly end: 'lost' }
  | { readonly end: 'exited'; readonly code: number };

/** Looks, without waiting, at the process that was started in `directory`. */
export async function inspectProcess(directory: string): Promise<ProcessState> {
  const files = processFiles(directory);
  // Alive first, exit code second: the other way round a process that ends in between looks lost.
  const wrapper = await readIdentity(files.wrapper);
  const command = await readIdentity(files.command);
  const alive = [wrapper, command].some((identity) => identity && isAlive(identity));
  const elsewhere = wrapper !== undefined && whereabouts(wrapper) === 'elsewhere';
  const code = await readText(files.exitCode);
  if (code !== undefined) return { end: 'exited', code: Number(code) };
  if (alive) return 'running';
  if (elsewhere) return 'elsewhere';
  return wrapper === undefined ? 'absent' : { end: 'lost' };
}

/**
 * Runs a process that outlives its worker: the first call for `directory` starts it, every later one, in this worker
 * or another on this host, finds it, follows it and takes its exit code. Output goes to files, never to a pipe.
 * @throws what the supervisor says when the attempt has to end and the process may go on
 */
export async function runProcess(start: Launch, options: RunOptions): Promise<ProcessEnd> {
  await mkdir(start.directory, { recursive: true, mode: 0o700 });
  const child = (await inspectProcess(start.directory)) === 'absent' ? await begin(start) : undefined;
  return followProcess(start.directory, options, child);
}

/** Follows a process to its end. `child`: the same process, when this one started it. */
export async function followProcess(
  directory: string,
  options: RunOptions,
  child?: ChildProcess,
): Promise<ProcessEnd> {
  const { supervisor } = options;
  const deadline = options.timeout === undefined ? Infinity : Date.now() + options.timeout;
  const files = processFiles(directory);
  const ended = child && child.exitCode === null ? once(child, 'exit') : undefined;
  let beat = 0;
  let seen = child !== undefined;
  let stop: { at: number; timedOut: boolean; killed: boolean } | undefined;
  for (;;) {
    const found = await inspectProcess(directory);
    // Its files were removed under it: whatever it does, nobody here will hear of it.
    const state = found === 'absent' ? ({ end: 'lost' } as const) : found;
    if (typeof state === 'object') {
      // What the command left behind in its group, unless it ended so long ago that the number may be another's.
      if (seen) await killGroup(directory);
      const { timedOut = false, killed = false } = stop ?? {};
      const how = { timedOut, stopped: stop !== undefined, killed };
      return state.end === 'exited' ? { kind: 'exited', code: state.code, ...how } : { kind: 'lost', ...how };
    }
    seen = true;
    await options.observe?.();
    const now = Date.now();
    if (now - beat >= HEARTBEAT_EVERY) {
      const line = (await lastLine(files.stdout)) || (await lastLine(files.stderr));
      supervisor.heartbeat((options.describe?.(line) ?? line).slice(0, LONGEST_BEAT));
      beat = now;
    }
    if (!stop && supervisor.signal.aborted && !supervisor.mustStop()) throw supervisor.failure();
    if (!stop && (supervisor.signal.aborted || now >= deadline)) {
      stop = { at: now, timedOut: !supervisor.signal.aborted, killed: false };
      await interrupt(directory, options.interrupt);
    } else if (stop && now - stop.at >= options.grace) {
      stop.killed = true;
      await killGroup(directory);
    }
    await pause(
      stop ? undefined : supervisor.signal,
      ended,
      Math.min(LOOK_EVERY, Math.max(1, deadline - now)),
    );
  }
}

/**
 * Waits until nothing of the group in `directory` runs any more: the command, and what it started.
 * @returns false when some of it, or what can't be told from it, still runs after `limit` milliseconds
 */
export async function groupIsGone(directory: string, limit: number): Promise<boolean> {
  const leader = await readIdentity(processFiles(directory).wrapper);
  if (leader === undefined) return false;
  const deadline = Date.now() + limit;
  while (groupIsAlive(leader)) {
    if (Date.now() >= deadline) return false;
    await delay(20);
  }
  return true;
}

/** Seconds that the process in `directory` ran, or has run so far: also when another worker started it. */
export async function processDuration(directory: string): Promise<number> {
  const files = processFiles(directory);
  const started = await stat(files.wrapper);
  const ended = await stat(files.exitCode).catch(() => ({ mtimeMs: Date.now() }));
  return Math.max(0, ended.mtimeMs - started.mtimeMs) / 1000;
}

/** Sends one SIGINT to the process in `directory`, waits up to `grace` milliseconds, then kills its group. */
export async function stopProcess(
  directory: string,
  grace: number,
  to: RunOptions['interrupt'] = 'command',
): Promise<void> {
  if ((await inspectProcess(directory)) !== 'running') return;
  await interrupt(directory, to);
  const deadline = Date.now() + grace;
  while ((await inspectProcess(directory)) === 'running') {
    if (Date.now() >= deadline) await killGroup(directory);
    await delay(20);
  }
}

/** @returns once the directory is claimed, by this wrapper or by another that was quicker */
async function begin(start: Launch): Promise<ChildProcess> {
  const child = launch(start);
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const { wrapper } = processFiles(start.directory);
  const deadline = Date.now() + START_WITHIN;
  while ((await readIdentity(wrapper)) === undefined) {
    if (failure) throw failure;
    if (Date.now() >= deadline)
      throw new Error(`${start.command[0]} could not be started in ${start.directory}.`);
    await delay(5);
  }
  return child;
}

async function interrupt(directory: string, to: RunOptions['interrupt']): Promise<void> {
  const files = processFiles(directory);
  if (to === 'group') return signalGroup(directory, 'SIGINT');
  const command = await readIdentity(files.command);
  if (command && isAlive(command)) sendSignal(command.pid, 'SIGINT');
}

const killGroup = (directory: string) => signalGroup(directory, 'SIGKILL');

/** Signals the group while its leader, or the command in it, is known to be the one that was started. */
async function signalGroup(directory: string, signal: NodeJS.Signals): Promise<void> {
  const files = processFiles(directory);
  const wrapper = await readIdentity(files.wrapper);
  if (wrapper && !isReused(wrapper)) sendSignal(-wrapper.pid, signal);
}

/** A group keeps its number from being given to a new process as long as a member lives; elsewhere it is another's. */
function isReused(leader: ProcessIdentity): boolean {
  if (leader.place !== HERE) return true;
  const now = identityOf(leader.pid);
  return now !== undefined && now.started !== leader.started;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

async function pause(
  signal: AbortSignal | undefined,
  ended: Promise<unknown> | undefined,
  time: number,
): Promise<void> {
  const done = new AbortController();
  const wake = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const timer = delay(time, undefined, { signal: wake }).catch(() => undefined);
  await Promise.race(ended ? [timer, ended] : [timer]);
  done.abort();
}

async function readIdentity(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parseIdentity(text);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
