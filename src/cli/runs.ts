import {
  QueryNotRegisteredError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { QUERIES } from '../contract.ts';
import type { Proposal } from '../domain/deployment-plan.ts';
import type { PipelineStatus, RunStatus } from '../domain/status.ts';
import { CommandError } from './errors.ts';
import { serverError } from './server-error.ts';
import type { Session } from './session.ts';

/**
 * gRPC's codes of a question that nobody answers: given up (by this side or by the server's own clock), out of time, the
 * queue of unanswered questions is full, 'no worker polls', and 'try again'.
 */
const UNANSWERED = new Set([1, 4, 8, 9, 14]);

export type Status = RunStatus | PipelineStatus;

export function isPipelineStatus(status: Status): status is PipelineStatus {
  return 'environments' in status;
}

/** @throws CommandError `NotFound` */
export async function describeRun(session: Session, id: string): Promise<WorkflowExecutionDescription> {
  try {
    return await session.soon(() => session.client.workflow.getHandle(id).describe());
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? noSuchRun(id) : error;
  }
}

/**
 * What a run says of itself; absent while it has only begun and can't tell yet.
 * @throws CommandError `NotFound`, or `NoWorker` when nothing answers for the run
 */
export async function statusOf<S = Status>(session: Session, run: WorkflowHandle): Promise<S | undefined> {
  try {
    return await session.soon(() => run.query<S>(QUERIES.status));
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return undefined;
    throw answerError(session, run.workflowId, error);
  }
}

/** What a run asks approval of; null before there is any. */
export async function proposalOf(session: Session, run: WorkflowHandle): Promise<Proposal | null> {
  try {
    return await session.soon(() => run.query<Proposal | null>(QUERIES.evidence));
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return null;
    throw answerError(session, run.workflowId, error);
  }
}

/** Turns what the server says of an unanswered question into words. */
export function answerError(session: Session, id: string, error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) return noSuchRun(id);
  const said = serverError(error);
  if (said !== undefined && UNANSWERED.has(said.code)) {
    const { taskQueue, temporal } = session.config;
    return new CommandError(
      'NoWorker',
      `${id} does not answer: no worker polls its task queue at ${temporal.address} (this command's is ${taskQueue}), or the worker is stuck.\n` +
        'Start a worker (`npm run worker`); `slipway doctor` shows who polls.',
      { cause: error },
    );
  }
  return error;
}

/** The platform's runs that have not ended, as visibility knows them: a moment late. Newest first. */
export async function openRuns(session: Session, environment?: string): Promise<WorkflowExecutionInfo[]> {
  const conditions = [
    `SlipwayPlatform = ${quoted(session.platform)}`,
    "ExecutionStatus = 'Running'",
    ...(environment === undefined ? [] : [`SlipwayEnvironment = ${quoted(environment)}`]),
  ];
  return await listed(session, conditions.join(' AND '));
}

export async function listed(session: Session, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  await session.soon(async () => {
    for await (const run of session.client.workflow.list({ query })) found.push(run);
  });
  return found;
}

/** A text in a visibility query. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}

/** The run of an environment that a pipeline's run has started last, if any; for other runs the run itself. */
export async function environmentRun(
  session: Session,
  run: WorkflowHandle,
): Promise<{ readonly run: WorkflowHandle; readonly status: RunStatus | undefined } | undefined> {
  const status = await statusOf(session, run);
  if (status === undefined) return undefined;
  if (!isPipelineStatus(status)) return { run, status };
  const child = status.environments.find(({ state }) => state === 'running')?.workflowId;
  if (child === undefined) return undefined;
  const handle = session.client.workflow.getHandle(child);
  return { run: handle, status: await statusOf<RunStatus>(session, handle) };
}

function noSuchRun(id: string): CommandError {
  return new CommandError(
    'NotFound',
    `There is no run ${id}. \`slipway status\` lists those that are open; an ended one is kept as long as the namespace's retention says.`,
  );
}
