import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownDirectory } from './operation.ts';
import type { Supervisor } from './supervisor.ts';

/** A person who stopped a command while it worked. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * A person's command as a supervisor: there is no next attempt, so what it started ends with it.
 * @param signal aborted when the person presses Ctrl-C
 */
export function consoleSupervisor(signal: AbortSignal): Supervisor {
  return {
    heartbeat: () => undefined,
    signal,
    mustStop: () => true,
    failure: () => new Interrupted('Interrupted.'),
  };
}

/**
 * Does `work` in a private directory under `parent`, which is removed at the end. If this process is killed, the next
 * operation of a worker in `parent` removes it, by its owner.
 */
export async function inConsoleDirectory<T>(
  parent: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = join(parent, `console-${randomUUID()}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await ownDirectory(directory);
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
