import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { isOrphan } from '../../process/operation.ts';
import { inspectProcess } from '../../process/run.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import type { Workspace } from '../command/command.ts';
import { follow } from '../command/command.ts';
import { DEFAULT_GRACE } from '../dependencies.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import { readKeptApply } from './kept-apply.ts';
import { seeThrough } from './running-apply.ts';
import type { RunningApply } from './running-apply.ts';
import type { TerraformInput } from '../types.ts';
import { configurationIn } from '../workspace/workspace.ts';

/** Beside the apply's own files: which activity asked about it. */
const ASKED = 'asked-by';

export interface Later {
  readonly dependencies: TerraformDependencies;
  readonly input: TerraformInput;
  /** The private directory of the activity that comes later. */
  readonly directory: string;
  readonly supervisor: Supervisor;
  readonly beside: () => Promise<Workspace>;
}

/**
 * Nothing is planned on top of an apply that another activity left on this host, its run being over: one that was cut,
 * of which nobody has been asked. With `stop` one that still runs is stopped first; it must not go on beside its undo.
 * @returns whether there was one, which has ended by itself
 * @throws `ApplyInterrupted`, in each attempt of the same activity
 */
export async function settleEarlier(later: Later, { stop }: { stop: boolean }): Promise<boolean> {
  let settled = false;
  const parent = dirname(later.directory);
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((other) => other !== basename(later.directory))) {
    const earlier = join(parent, name);
    const state = await inspectProcess(join(earlier, 'apply')).catch(() => 'absent' as const);
    if (state === 'absent') continue;
    if (state === 'running' ? stop : await isUnasked(later, earlier)) {
      await settle(later, earlier);
      settled = true;
    }
  }
  return settled;
}

/** An apply that ended and whose worker took its end is removed with its directory. */
async function isUnasked({ directory }: Later, earlier: string): Promise<boolean> {
  if (!(await isOrphan(earlier))) return false;
  const by = await readFile(join(earlier, 'apply', ASKED), 'utf8').catch(() => basename(directory));
  return by === basename(directory);
}

async function settle({ dependencies, input, directory, supervisor, beside }: Later, earlier: string) {
  const { counts: _, ...intent } = await readKeptApply(earlier);
  const { grace = DEFAULT_GRACE } = dependencies;
  const followed = {
    input,
    directory: earlier,
    configuration: await configurationIn(earlier),
    supervisor: stopping(supervisor),
    grace,
    secrets: new Set<string>(),
    mute: true,
  };
  const running = { followed, intent, progress: OVER, lookAt: beside, beside };
  try {
    await seeThrough(running, (watching) => follow(followed, 'apply', watching));
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'ApplyInterrupted') return;
    await writeFile(join(earlier, 'apply', ASKED), basename(directory));
    throw error;
  }
}

/** The activity that began the apply is over: nobody hears of its progress. */
const OVER: RunningApply['progress'] = {
  unfinished: undefined,
  made: () => undefined,
  holds: () => Promise.resolve(),
  disownLock: () => Promise.resolve(true),
  end: () => Promise.resolve(),
};

function stopping(supervisor: Supervisor): Supervisor {
  return {
    heartbeat: (line) => supervisor.heartbeat(`stopping an earlier ${line}`),
    signal: AbortSignal.abort(),
    mustStop: () => true,
    failure: () => new Error('It was stopped.'),
  };
}
