import { join } from 'node:path';
import { groupIsGone } from '../../process/run.ts';
import type { ProcessEnd } from '../../process/run.ts';
import { describe, failureOf, succeeded } from '../command/command.ts';
import type { Followed, Watching, Workspace } from '../command/command.ts';
import { diagnose } from '../command/diagnosis.ts';
import { keepErroredState } from '../state/errored-state.ts';
import type { FailedCommand } from '../command/errors.ts';
import { suspectsOf } from './intent.ts';
import type { Intent } from './intent.ts';
import { applyInterrupted, releaseOwn } from './interruption.ts';
import { keepLock, readKeptLock } from './kept-apply.ts';
import { OwnLock } from './own-lock.ts';
import type { ApplyProgress } from './progress.ts';
import type { StateLock } from '../types.ts';
import { Watch } from '../command/watch.ts';
import { addressesInState } from '../workspace/workspace.ts';

/** Milliseconds that a killed apply's processes may take to go. */
const GONE_WITHIN = 2_000;
/** Exit codes by which terraform ends by itself: done, and failed with all that it knows in the state. */
const ORDERLY = [0, 1];
/** The shell's, for a command that it can't run. */
const NEVER_RAN = [126, 127];
/** A second interrupt, which only a person by hand sends, makes terraform give up saving; its exit code is 1 then too. */
const GAVE_UP = /data loss may have occurred/i;

/** An apply in an activity's private directory, which this attempt started or found. */
export interface RunningApply {
  readonly followed: Followed;
  readonly intent: Intent;
  readonly progress: Pick<ApplyProgress, 'made' | 'holds' | 'disownLock' | 'end' | 'unfinished'>;
  /** To look at its lock with while it runs. */
  readonly lookAt: () => Promise<Workspace>;
  /** The same configuration, to look at the state with when it has ended; what is done with it is never stopped. */
  readonly beside: () => Promise<Workspace>;
  /** Finds out the secrets of `followed`, where it has not all of them. */
  readonly learn?: () => Promise<void>;
}

/**
 * Follows an apply to its end, watching what it makes and which state lock it holds.
 * @param run starts it, or finds it
 * @throws `ApplyInterrupted` when what it made is not known or not saved; `TerraformFailed` when it failed by itself;
 *   the supervisor's failure when it stopped by itself because it was asked to, or goes on without its watcher
 */
export async function seeThrough(
  apply: RunningApply,
  run: (watching: Watching) => Promise<ProcessEnd>,
): Promise<void> {
  const { followed, progress, lookAt } = apply;
  const watch = new Watch(join(followed.directory, 'apply'));
  const lock = new OwnLock(lookAt, (found) => record(apply, found), await readKeptLock(followed.directory));
  const observe = () => {
    progress.made(watch.stream.created);
    lock.consider(watch.stream);
  };
  const end = await ended(() => run({ watch, observe }), lock);
  if (succeeded(end)) return progress.end();
  await demandKnown(apply, end, watch);
  const recorded = await recordedLock(apply);
  await progress.end();
  await returnLock(apply, recorded, end);
  throw await failureOf(await unmuted(apply), 'apply', end);
}

const recordedLock = async ({ followed, progress }: RunningApply): Promise<StateLock | undefined> =>
  (await readKeptLock(followed.directory)) ?? progress.unfinished?.lock;

/** An apply that ended by itself, but whose backend did not take its lock back, is tried to be helped once more. */
async function returnLock(
  { followed, beside }: RunningApply,
  recorded: StateLock | undefined,
  end: ProcessEnd,
): Promise<void> {
  const { errors } = await describe(followed, 'apply', end);
  if (recorded === undefined || !errors.some((error) => diagnose([error])?.reason === 'LockNotReleased'))
    return;
  const gone = await groupIsGone(join(followed.directory, 'apply'), GONE_WITHIN);
  await releaseOwn(await beside().catch(() => undefined), recorded, gone);
}

/** Where the secrets can't be found out, the little that is known to have none is told. */
async function unmuted({ followed, learn }: RunningApply): Promise<Followed> {
  if (!learn) return followed;
  return learn().then(
    () => ({ ...followed, mute: false }),
    () => followed,
  );
}

async function ended(run: () => Promise<ProcessEnd>, lock: OwnLock): Promise<ProcessEnd> {
  try {
    return await run();
  } finally {
    await lock.settled();
  }
}

async function record({ followed, progress }: RunningApply, lock: StateLock): Promise<void> {
  await keepLock(followed.directory, lock);
  await progress.holds(lock);
}

/** @throws `ApplyInterrupted` unless the state knows all that the apply did */
async function demandKnown(apply: RunningApply, end: ProcessEnd, watch: Watch): Promise<void> {
  const { followed, intent, progress, beside } = apply;
  const { directory, configuration, input } = followed;
  const erroredState = await keepErroredState(configuration, directory);
  const how = howCut(followed, end, await describe(followed, 'apply', end), erroredState);
  if (how === undefined) return;
  const recorded = await recordedLock(apply);
  const whole = await watch.catchUp();
  const workspace = await beside().catch(() => undefined);
  const known = workspace && (await addressesInState(workspace).catch(() => undefined));
  const gone = await groupIsGone(join(directory, 'apply'), GONE_WITHIN);
  // Until a state that could not be saved is pushed, its lock keeps others from planning against what is there.
  const mayRelease = gone && erroredState === undefined && (await progress.disownLock());
  const lock = await releaseOwn(workspace, recorded, mayRelease);
  const suspects = suspectsOf(intent, known, whole ? watch.stream.creating : undefined);
  throw applyInterrupted(input.target, { how, suspects, lock, recorded, erroredState });
}

/** How the apply was cut, so that the state may lack what it made; undefined when it ended by itself and saved it. */
function howCut(
  { input, grace }: Followed,
  end: ProcessEnd,
  { errors, output }: FailedCommand,
  erroredState: string | undefined,
): string | undefined {
  const where = `terraform apply in ${input.target.environment}`;
  if (end.killed) return `${where} was asked to stop, and was killed when it had not after ${grace / 1000} s`;
  if (end.kind === 'lost') return `${where} was killed half-way`;
  const said = errors.map(({ summary }) => summary).join('; ') || output.trim();
  if (erroredState !== undefined || diagnose(errors)?.reason === 'StateNotSaved')
    return `${where} could not save its state (${said})`;
  if (GAVE_UP.test(`${said} ${output}`))
    return `${where} was interrupted twice, and ended without saving its state`;
  if (ORDERLY.includes(end.code) || NEVER_RAN.includes(end.code)) return undefined;
  // A shell's exit code for a signal is 128 and its number; terraform's own for a crash are 2 and 11.
  const signal = end.code > 128 ? `signal ${end.code - 128}` : `a crash: exit code ${end.code}`;
  return `${where} was ended by ${signal}`;
}
