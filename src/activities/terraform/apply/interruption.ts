import { hostname } from 'node:os';
import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../../domain/policy.ts';
import type { Workspace } from '../command/command.ts';
import { UNTOLD, readStateLock, releaseStateLock } from '../state/state-lock.ts';
import type { LockReading } from '../state/state-lock.ts';
import type { ApplyInterruptedDetail, StateLock } from '../types.ts';

/** How many suspects the message names. */
const NAMED = 20;
/** How many the details have. */
const LISTED = 2_000;

/** What is known of the state lock after an apply that was cut. */
export type LockFinding = LockReading | { readonly kind: 'released'; readonly lock: StateLock };

/** An apply that was cut, so that it isn't known what it made. */
export interface Interruption {
  /** A sentence without its full stop. */
  readonly how: string;
  readonly suspects: readonly string[];
  readonly lock: LockFinding;
  /** The lock that the apply was seen to hold. */
  readonly recorded?: StateLock | undefined;
  /** Where the state was put that could not be saved. */
  readonly erroredState?: string | undefined;
}

/**
 * Releases the state lock that a dead apply of this host left: only the very lock that was recorded while it ran.
 * @param workspace undefined when there is none to look with
 * @param may nothing of the apply runs any more, which is certain, and nobody takes the lock's going for its orderly end
 */
export async function releaseOwn(
  workspace: Workspace | undefined,
  recorded: StateLock | undefined,
  may: boolean,
): Promise<LockFinding> {
  if (workspace === undefined) return { kind: 'unknown', why: 'the configuration can not be initialised' };
  const found = withRecorded(await readStateLock(workspace), recorded);
  if (found.kind !== 'held' || !may || recorded === undefined || found.lock?.id !== recorded.id) return found;
  const released = await releaseStateLock(workspace, recorded.id);
  return released ? { kind: 'released', lock: found.lock } : found;
}

/** A lock of which the backend tells no more than its id is described as it was recorded. */
export function withRecorded(reading: LockReading, recorded: StateLock | undefined): LockReading {
  return reading.kind === 'held' && recorded !== undefined && reading.lock?.id === recorded.id
    ? { kind: 'held', lock: recorded }
    : reading;
}

/** `ApplyInterrupted`: a person has to look before anything goes on. */
export function applyInterrupted(target: Target, interruption: Interruption): ApplicationFailure {
  const { environment } = target;
  const { how, suspects, lock, erroredState } = interruption;
  const sentences = [
    `${how}.`,
    saidOfState(environment, erroredState),
    saidOfSuspects(suspects),
    saidOfLock(environment, interruption),
  ];
  const detail: ApplyInterruptedDetail = {
    environment,
    suspects: suspects.slice(0, LISTED),
    ...((lock.kind === 'held' || lock.kind === 'released') &&
      lock.lock && { stateLock: { ...lock.lock, released: lock.kind === 'released' } }),
    ...(erroredState !== undefined && { erroredState }),
  };
  const message = sentences.filter(Boolean).join(' ');
  return ApplicationFailure.nonRetryable(message, 'ApplyInterrupted', detail);
}

function saidOfState(environment: string, file: string | undefined): string {
  if (file === undefined) return '';
  return `The state that could not be saved is in ${file} on ${hostname()}. There type: slipway terraform recover --environment ${environment} --state ${file}. Then retry.`;
}

function saidOfSuspects(suspects: readonly string[]): string {
  if (suspects.length === 0) return 'Nothing that was to be made anew is missing in the state.';
  const more = suspects.length > NAMED ? ` and ${suspects.length - NAMED} more` : '';
  const named = suspects.slice(0, NAMED).join(', ');
  return `May exist without the state knowing of it: ${named}${more}. Look for each; import what exists (terraform import), or delete it; then retry.`;
}

function saidOfLock(environment: string, { lock, recorded }: Interruption): string {
  switch (lock.kind) {
    case 'free':
      return 'The state is not locked.';
    case 'released':
      return `The state lock ${describeLock(lock.lock)} was the dead apply's own and is released.`;
    case 'held':
      return saidOfHolder(environment, lock.lock, recorded);
    case 'unknown':
      return recorded === undefined
        ? `Whether the state is locked can't be told: ${lock.why}.`
        : `The apply held the state lock ${describeLock(recorded)}; whether it is still held can't be told: ${lock.why}.`;
  }
}

function saidOfHolder(
  environment: string,
  lock: StateLock | undefined,
  recorded: StateLock | undefined,
): string {
  if (lock === undefined)
    return 'The state is locked; who holds the lock is not told. Once it is certain that nothing runs under it, release it by the means of the backend.';
  const type = `slipway terraform unlock --environment ${environment} --id ${lock.id}`;
  const whose =
    lock.id === recorded?.id ? 'it is the one that the apply held' : "it is not known to be the apply's own";
  return `The state lock ${describeLock(lock)} is held; ${whose}. Once it is certain that nothing runs under it, type: ${type}.`;
}

/** `ID (operation, by whom, since when)`, as far as it is told. */
export function describeLock({ id, operation, who, created }: StateLock): string {
  const told = [operation, who, created].filter((fact) => fact !== UNTOLD);
  return told.length === 0 ? id : `${id} (${told.join(', ')})`;
}
