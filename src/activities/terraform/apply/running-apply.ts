import { join } from 'node:path';
import { groupIsGone } from '../../process/run.ts';
import type { ProcessEnd } from '../../process/run.ts';
import { redact } from '../../process/redact.ts';
import { describe, failureOf, hear, succeeded } from '../command/command.ts';
import type { Followed, Heard, Watching, Workspace } from '../command/command.ts';
import { diagnose } from '../command/diagnosis.ts';
import { sentence } from '../command/errors.ts';
import { keepErroredState } from '../state/errored-state.ts';
import { pullState } from '../state/pull-state.ts';
import { suspectsOf } from './intent.ts';
import type { Intent } from './intent.ts';
import { applyInterrupted, releaseOwn } from './interruption.ts';
import type { Interruption } from './interruption.ts';
import { keepLock, readKeptLock } from './kept-apply.ts';
import { OwnLock } from './own-lock.ts';
import { unanswered } from './unanswered.ts';
import type { ApplyProgress } from './progress.ts';
import type { StateLock } from '../types.ts';
import { Watch } from '../command/watch.ts';
import { addressesInState } from '../workspace/workspace.ts';

/** Milliseconds that a killed apply's processes may take to go. */
const GONE_WITHIN = 2_000;
/** Terraform's exit code for a failure after which all that it knows is in the state. */
const FAILED = 1;
/** How much the question tells of the errors. */
const LONGEST_SAID = 2_000;
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
  await demandAnswered(apply, end, watch);
  const recorded = await recordedLock(apply);
  await progress.end();
  await returnLock(apply, recorded);
  throw await failureOf(followed, 'apply', end);
}

const recordedLock = async ({ followed, progress }: RunningApply): Promise<StateLock | undefined> =>
  (await readKeptLock(followed.directory)) ?? progress.unfinished?.lock;

/** An apply that ended by itself, but whose backend did not take its lock back, is tried to be helped once more. */
async function returnLock(
  { followed, beside }: RunningApply,
  recorded: StateLock | undefined,
): Promise<void> {
  const { errors } = await hear(followed, 'apply');
  if (recorded === undefined || !errors.some((error) => diagnose([error])?.reason === 'LockNotReleased'))
    return;
  const gone = await groupIsGone(join(followed.directory, 'apply'), GONE_WITHIN);
  await releaseOwn(await beside().catch(() => undefined), recorded, gone);
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

/** @throws `ApplyInterrupted` unless the apply ended by itself and saved its state */
async function demandKnown(apply: RunningApply, end: ProcessEnd, watch: Watch): Promise<void> {
  const { followed, intent, beside } = apply;
  const erroredState = await keepErroredState(followed.configuration, followed.directory);
  const how = howCut(followed, end, await hear(followed, 'apply'), erroredState);
  if (how === undefined) return;
  const whole = await watch.catchUp();
  const workspace = await beside().catch(() => undefined);
  const known = workspace && (await addressesInState(workspace).catch(() => undefined));
  const suspects = suspectsOf(intent, known, whole ? watch.stream.creating : undefined);
  throw await interrupted(apply, { how, suspects, erroredState });
}

/**
 * Terraform ends by itself, too, when a provider dies under it or a connection is cut.
 * @throws `ApplyInterrupted` when something may have been made of which it never heard
 */
async function demandAnswered(apply: RunningApply, end: ProcessEnd, watch: Watch): Promise<void> {
  const { followed, intent, beside } = apply;
  if (end.kind !== 'exited' || end.code !== FAILED) return;
  const whole = await watch.catchUp();
  const { created, incomplete: told } = watch.stream;
  const incomplete = whole ? told : new Set(intent.created.filter((address) => !created.has(address)));
  if (incomplete.size === 0) return;
  const { errors } = await hear(followed, 'apply', Infinity);
  const state = await beside()
    .then(pullState)
    .catch(() => undefined);
  const suspects = unanswered(intent, incomplete, errors, state);
  if (suspects.length === 0) return;
  const { errors: shown } = await describe(followed, 'apply', end);
  const said = shown.map(sentence).join(' ').slice(0, LONGEST_SAID).replace(/\.$/, '');
  const where = `terraform apply in ${followed.input.target.environment}`;
  const how = `${where} failed with no answer about some of what it began to make: ${said}`;
  throw await interrupted(apply, { how, suspects });
}

/** Looks after the lock that the apply left, then asks. */
async function interrupted(
  apply: RunningApply,
  found: Pick<Interruption, 'how' | 'suspects' | 'erroredState'>,
): Promise<Error> {
  const { followed, progress, beside } = apply;
  const recorded = await recordedLock(apply);
  const gone = await groupIsGone(join(followed.directory, 'apply'), GONE_WITHIN);
  // Until a state that could not be saved is pushed, its lock keeps others from planning against what is there.
  const mayRelease = gone && found.erroredState === undefined && (await progress.disownLock());
  const lock = await releaseOwn(await beside().catch(() => undefined), recorded, mayRelease);
  return applyInterrupted(followed.input.target, { ...found, lock, recorded });
}

/** How the apply was cut, so that the state may lack what it made; undefined when it ended by itself and saved it. */
function howCut(
  { input, grace, secrets }: Followed,
  end: ProcessEnd,
  { errors, output }: Heard,
  erroredState: string | undefined,
): string | undefined {
  const where = `terraform apply in ${input.target.environment}`;
  if (end.killed) return `${where} was asked to stop, and was killed when it had not after ${grace / 1000} s`;
  if (end.kind === 'lost') return `${where} was killed half-way`;
  const unsaved = errors.filter((error) => diagnose([error])?.reason === 'StateNotSaved');
  if (erroredState !== undefined || unsaved.length > 0) {
    // The other errors may tell a secret that the apply made: the backend's state does not have it.
    const said = unsaved.map(({ summary }) => redact(summary, secrets)).join('; ');
    return `${where} could not save its state${said && ` (${said})`}`;
  }
  if (GAVE_UP.test(`${errors.map(({ summary }) => summary).join('; ')} ${output}`))
    return `${where} was interrupted twice, and ended without saving its state`;
  if ([0, FAILED, ...NEVER_RAN].includes(end.code)) return undefined;
  // A shell's exit code for a signal is 128 and its number; terraform's own for a crash are 2 and 11.
  const signal = end.code > 128 ? `signal ${end.code - 128}` : `a crash: exit code ${end.code}`;
  return `${where} was ended by ${signal}`;
}
