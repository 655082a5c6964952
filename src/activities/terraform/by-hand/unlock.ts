import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { inspectProcess } from '../../process/run.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import type { Workspace } from '../command/command.ts';
import { inWorkspace, NotRecovered } from './console.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import { describeLock } from '../apply/interruption.ts';
import { readStateLock, releaseStateLock } from '../state/state-lock.ts';
import type { StateLock, TerraformInput } from '../types.ts';
import { operationsIn } from '../workspace/layout.ts';

export interface Unlocking {
  /** A configuration with the backend's settings. */
  readonly input: TerraformInput;
  readonly id: string;
}

/**
 * Releases a state lock that a dead terraform left. Beside what `terraform force-unlock` does: that no apply of the
 * environment runs on this host, and that `id` is the lock that is held, which some backends (http) leave unchecked.
 * @param agree throws when a person does not agree; called once, before anything is released
 * @returns the lock that was released; undefined when the state is not locked
 * @throws NotRecovered with nothing released, unless the message says so
 */
export async function unlockState(
  dependencies: TerraformDependencies,
  { input, id }: Unlocking,
  supervisor: Supervisor,
  agree: (lock: StateLock) => Promise<void>,
): Promise<StateLock | undefined> {
  return inWorkspace(dependencies, input, supervisor, async (workspace) => {
    await demandNoApply(dependencies, input);
    const lock = await heldLock(workspace, id);
    if (lock === undefined) return undefined;
    await agree(lock);
    // It may have been given back, and taken by another, while a person thought it over.
    if ((await heldLock(workspace, id)) === undefined) return undefined;
    if (!(await releaseStateLock(workspace, id)))
      throw new NotRecovered(`The state lock ${id} could not be released. Try it again.`);
    return lock;
  });
}

async function demandNoApply(dependencies: TerraformDependencies, { target }: TerraformInput): Promise<void> {
  const parent = operationsIn(dependencies.dataDirectory, target);
  const names = await readdir(parent).catch(() => []);
  // Beside the private directories there are the files by which they are claimed.
  const inspect = (name: string) => inspectProcess(join(parent, name, 'apply')).catch(() => 'absent');
  if (!(await Promise.all(names.map(inspect))).includes('running')) return;
  throw new NotRecovered(
    `A terraform apply of ${target.environment} runs on this host (${hostname()}), and may hold the lock. Nothing was released. Its run tells how far it is, and can be told to abort.`,
  );
}

/** @throws NotRecovered unless it is `id`, or none, that is held */
async function heldLock(workspace: Workspace, id: string): Promise<StateLock | undefined> {
  const reading = await readStateLock(workspace);
  switch (reading.kind) {
    case 'free':
      return undefined;
    case 'unknown':
      throw new NotRecovered(
        `Whether the state is locked can't be told: ${reading.why}. Nothing was released.`,
      );
    case 'held':
      if (reading.lock?.id === id) return reading.lock;
      throw new NotRecovered(
        reading.lock === undefined
          ? 'The state lock can not be had, and the backend does not tell which one is held. Nothing was released.'
          : `It is another lock that is held: ${describeLock(reading.lock)}. Nothing was released.`,
      );
  }
}
