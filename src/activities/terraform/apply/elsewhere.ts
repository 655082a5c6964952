import { setTimeout as delay } from 'node:timers/promises';
import { beating, undisturbed } from '../../process/supervisor.ts';
import type { Workspace } from '../command/command.ts';
import { suspectsOf } from './intent.ts';
import { applyInterrupted, describeLock, withRecorded } from './interruption.ts';
import { readStateLock } from '../state/state-lock.ts';
import type { LockReading } from '../state/state-lock.ts';
import type { StateLock, UnfinishedApply } from '../types.ts';
import { addressesInState } from '../workspace/workspace.ts';

/** Milliseconds between two looks at the lock. */
const LOOK_EVERY = 5_000;

/**
 * What to do about an apply that was begun on another host, which nobody hears of any more: it may still run there.
 * Its lock tells. Terraform gives a lock back when it ends by itself, and never when it is killed; the lock was recorded
 * only with a backend whose locks stay. A lock of another host is never released.
 *
 * | recorded | the lock now            | so                                                                              |
 * |----------|-------------------------|---------------------------------------------------------------------------------|
 * | yes      | the recorded one        | it runs, or died: wait; when the time is over, ask                                |
 * | yes      | gone, or another's      | it ended by itself: go on with what is left. But the state may lack what it was   |
 * |          |                         | seen to make, as when a person released the lock of a dead one: then ask          |
 * | yes      | can't be read           | nothing is known: wait; when the time is over, ask                                |
 * | yes      | held, not told by whom  | as if it were the recorded one                                                    |
 * | no       | held                    | perhaps its own: wait, so that what is asked is asked of a state at rest; then ask |
 * | no       | free, or can't be read  | it may have died before its lock was seen, or the backend's locks die with it: ask |
 *
 * Also asked: of a run that is being stopped meanwhile, and when the state can't be read.
 * @param wait milliseconds
 * @throws `ApplyInterrupted`; the supervisor's failure when the attempt has to end, and the next one waits on
 */
export async function awaitElsewhere(
  workspace: Workspace,
  unfinished: UnfinishedApply,
  wait: number,
): Promise<void> {
  const { supervisor, input } = workspace;
  const { lock: recorded, host = 'another host' } = unfinished;
  const calm = { ...workspace, supervisor: undisturbed(supervisor) };
  const lock = await beating(waitingFor(recorded, host), () =>
    awaitLock(calm, recorded, { wait, signal: supervisor.signal }),
  );
  if (supervisor.signal.aborted && !supervisor.mustStop()) throw supervisor.failure();
  const known = await addressesInState(calm).catch(() => undefined);
  const ended = recorded !== undefined && isGone(lock, recorded);
  if (ended && known && unfinished.made.every((address) => known.has(address))) return;
  const { environment } = input.target;
  const how = unfinished.perhaps
    ? `It is not known whether terraform apply was begun in ${environment}: its run was stopped while no worker had it`
    : `terraform apply was lost with its host (${host}) in ${environment}`;
  const lacking = ended && known ? `; its lock is gone, but the state lacks what it made` : '';
  const suspects = suspectsOf(unfinished, known);
  throw applyInterrupted(input.target, { how: `${how}${lacking}`, suspects, lock, recorded });
}

function waitingFor(recorded: StateLock | undefined, host: string): string {
  const which = recorded === undefined ? '' : ` ${describeLock(recorded)}`;
  return `waiting for the state lock${which} of the terraform apply that ran on ${host}`;
}

/** Looks until there is nothing more to wait for. @returns the last reading */
async function awaitLock(
  workspace: Workspace,
  recorded: StateLock | undefined,
  { wait, signal }: { wait: number; signal: AbortSignal },
): Promise<LockReading> {
  const deadline = Date.now() + wait;
  for (;;) {
    const reading = withRecorded(await readStateLock(workspace), recorded);
    const over = recorded === undefined ? reading.kind !== 'held' : isGone(reading, recorded);
    const left = deadline - Date.now();
    if (over || left <= 0 || signal.aborted) return reading;
    await delay(Math.min(LOOK_EVERY, left), undefined, { signal }).catch(() => undefined);
  }
}

/** Nobody holds `recorded` any more. */
function isGone(reading: LockReading, recorded: StateLock): boolean {
  if (reading.kind === 'free') return true;
  return reading.kind === 'held' && reading.lock !== undefined && reading.lock.id !== recorded.id;
}
