import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, isRunning } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import type { Command } from './command.ts';
import { StartFailure } from './types.ts';

/** A container's process and its descendants, which share its process group. */
export interface ContainerProcess {
  readonly identity: ProcessIdentity;
  /** The exit code, 128 + the signal's number after a signal; undefined when nobody was watching. */
  readonly exited: Promise<number | undefined>;
  signal(name: NodeJS.Signals): void;
}

/** How often an adopted process, which is nobody's child, is looked at. */
const ADOPTED_POLL_MS = 200;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Starts a process in a group of its own, with its output appended to a file. It waits at a gate until `record`
 * has resolved, and goes away by itself when this process dies before: so no process runs that isn't on record.
 * @throws StartFailure CannotStartContainerError
 */
export async function startProcess(
  command: Command,
  environment: Readonly<Record<string, string>>,
  logPath: string,
  record: (identity: ProcessIdentity) => Promise<void>,
): Promise<ContainerProcess> {
  mkdirSync(dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'a');
  const gate = ['-c', 'read -r go && exec "$@" </dev/null', 'gate', ...command.argv];
  const child = spawn('/bin/sh', gate, {
    cwd: command.cwd,
    env: environment,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const exited = new Promise<number | undefined>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0)));
  });
  child.once('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (!identity) throw new StartFailure(`CannotStartContainerError: can't start ${command.argv[0]}`);
  try {
    await record(identity);
  } catch (error) {
    signalGroup(identity, 'SIGKILL');
    throw error;
  }
  child.stdin?.end('go\n');
  return { identity, exited, signal: (name) => signalGroup(identity, name) };
}

/** Takes over a process that an earlier sandbox started; undefined when it is gone. */
export function adoptProcess(identity: ProcessIdentity): ContainerProcess | undefined {
  if (!isRunning(identity)) return undefined;
  const exited = new Promise<undefined>((resolve) => {
    const poll = setInterval(() => {
      if (isRunning(identity)) return;
      clearInterval(poll);
      resolve(undefined);
    }, ADOPTED_POLL_MS);
  });
  return { identity, exited, signal: (name) => signalGroup(identity, name) };
}

/** Signals the whole group, so that what a shell started ends with it. */
export function signalGroup(identity: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    process.kill(-identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
