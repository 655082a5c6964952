import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { IgnoredSignal } from '../domain/report.ts';
import type { HumanPayloads, HumanSignal } from '../domain/requests.ts';
import type { RunStatus } from '../domain/status.ts';
import { CommandError } from './errors.ts';
import { answerError, describeRun, environmentRun, statusOf } from './runs.ts';
import type { Session } from './session.ts';
import { findTarget, isEnvironmentName, type Named, type Target } from './target.ts';

/**
 * Sends a signal to an environment's run and looks whether it had an effect.
 * @returns what the run says of itself after it; absent while it can't tell yet
 * @throws CommandError `NotCounted` with the run's reason
 */
export async function signalRun<S extends HumanSignal>(
  session: Session,
  { run, status: before }: Target,
  signal: S,
  payload: HumanPayloads[S],
): Promise<RunStatus | undefined> {
  await sendSignal(session, run, signal, payload);
  if (before === undefined) return undefined;
  const after = await statusOf<RunStatus>(session, run);
  const ignored = newlyIgnored(before, after, signal, payload.by);
  if (ignored !== undefined) throw notCounted(signal, ignored.reason);
  return after;
}

/**
 * Sends a signal that is kept until it can act: also to a run for which nobody answers now, and to a pipeline between two
 * environments. Where somebody answers it is looked whether it had an effect.
 * @returns the run that took it, and what it says of itself, where it can tell
 * @throws CommandError `NotFound`, or `NotCounted` with the run's reason
 */
export async function signalKeeper<S extends HumanSignal>(
  session: Session,
  wanted: Named,
  signal: S,
  payload: HumanPayloads[S],
): Promise<Target> {
  const target = await targetOrKeeper(session, wanted);
  return { run: target.run, status: await signalRun(session, target, signal, payload) };
}

/**
 * The environment's run, which says whether a signal counts; or the run itself, where it is a pipeline between two
 * environments or nobody answers for it now. Both keep a signal and act on it as soon as they can.
 */
async function targetOrKeeper(session: Session, wanted: Named): Promise<Target> {
  const { target, version } = wanted;
  if (target === undefined || version !== undefined || isEnvironmentName(target))
    return await findTarget(session, wanted);
  await describeRun(session, target);
  const run = session.client.workflow.getHandle(target);
  const itself = { run, status: undefined };
  try {
    return (await environmentRun(session, run)) ?? itself;
  } catch (error) {
    if (error instanceof CommandError && error.reason === 'NoWorker') return itself;
    throw error;
  }
}

/** @throws CommandError `NotFound` when the run has ended */
async function sendSignal<S extends HumanSignal>(
  session: Session,
  run: WorkflowHandle,
  signal: S,
  payload: HumanPayloads[S],
): Promise<void> {
  try {
    await session.soon(() => run.signal(signal, payload));
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? hasEnded(run) : error;
  }
}

/**
 * Tells a run by update, which is answered.
 * @throws CommandError `NotCounted` when the run refuses, `NoWorker` when nobody answers
 */
export async function update<R>(
  session: Session,
  run: WorkflowHandle,
  name: 'approve' | 'reject',
  payload: HumanPayloads['approve' | 'reject'],
): Promise<R> {
  try {
    return await session.soon(() => run.executeUpdate<R, [unknown]>(name, { args: [payload] }));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw hasEnded(run);
    if (error instanceof WorkflowUpdateFailedError)
      throw notCounted(name, error.cause?.message ?? error.message);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new CommandError(
        'NoWorker',
        `${run.workflowId} did not answer in time: is a worker there (slipway doctor)? It may still hear it: look at slipway status ${run.workflowId} before saying it again.`,
        { cause: error },
      );
    }
    throw answerError(session, run.workflowId, error);
  }
}

/** The run's note that what `by` said had no effect, if it made one since `before`. */
export async function ignoredSince(
  session: Session,
  run: WorkflowHandle,
  before: RunStatus,
  signal: HumanSignal,
  by: string,
): Promise<IgnoredSignal | undefined> {
  return newlyIgnored(before, await statusOf<RunStatus>(session, run), signal, by);
}

function newlyIgnored(
  before: RunStatus,
  after: RunStatus | undefined,
  signal: HumanSignal,
  by: string,
): IgnoredSignal | undefined {
  return after?.ignored
    .slice(before.ignored.length)
    .findLast((ignored) => ignored.signal === signal && ignored.by === by);
}

export function notCounted(signal: HumanSignal, reason: string): CommandError {
  return new CommandError('NotCounted', `The ${signal} did not count: ${reason}.`);
}

function hasEnded({ workflowId }: WorkflowHandle): CommandError {
  return new CommandError('NotFound', `${workflowId} has ended already: slipway report ${workflowId}`);
}
