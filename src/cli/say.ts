import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { IgnoredSignal } from '../domain/report.ts';
import type { HumanPayloads, HumanSignal } from '../domain/requests.ts';
import type { RunStatus } from '../domain/status.ts';
import { CommandError } from './errors.ts';
import { answerError, statusOf } from './runs.ts';
import type { Session } from './session.ts';
import type { Target } from './target.ts';

/**
 * Sends a signal to an environment's run and looks whether it had an effect.
 * @throws CommandError `NotCounted` with the run's reason
 */
export async function signalRun<S extends HumanSignal>(
  session: Session,
  { run, status }: Target,
  signal: S,
  payload: HumanPayloads[S],
): Promise<void> {
  await sendSignal(session, run, signal, payload);
  if (status === undefined) return;
  const ignored = await ignoredSince(session, run, status, signal, payload.by);
  if (ignored !== undefined) throw notCounted(signal, ignored.reason);
}

/** Sends a signal. @throws CommandError `NotFound` when the run has ended */
export async function sendSignal<S extends HumanSignal>(
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
  const after = await statusOf<RunStatus>(session, run);
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
