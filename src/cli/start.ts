import type { WorkflowHandle } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  TypedSearchAttributes,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { SEARCH_ATTRIBUTES, WorkflowType } from '../contract.ts';
import { missingSearchAttributes, registerCommand } from '../search-attributes.ts';
import { CommandError } from './errors.ts';
import { describeRun } from './runs.ts';
import { saidBy, serverError } from './server-error.ts';
import type { Session } from './session.ts';

type Attribute = keyof typeof SEARCH_ATTRIBUTES;

/** A run to start. */
export interface Request<Input extends object> {
  readonly type: WorkflowType;
  readonly workflowId: string;
  readonly input: Input;
  /** A line for the Temporal UI. */
  readonly summary: string;
  /** Markdown for the Temporal UI. */
  readonly details: string;
  readonly attributes: Partial<Record<Attribute, string>>;
}

export interface Started {
  readonly run: WorkflowHandle;
  readonly runId: string;
  /** The run was under way before, with the same input. */
  readonly joined: boolean;
}

/**
 * Starts a run under its id.
 * @param join goes along with a run under the same id that was started with the same input (whoever started it)
 * @throws CommandError `AlreadyRunning` when the id is in use otherwise
 */
export async function start<Input extends object>(
  session: Session,
  request: Request<Input>,
  join = false,
): Promise<Started> {
  try {
    const run = await session.soon(() => send(session, request));
    return { run, runId: run.firstExecutionRunId, joined: false };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return await goAlong(session, request, join);
    throw await refused(session, error);
  }
}

async function send<Input extends object>(session: Session, request: Request<Input>) {
  return await session.client.workflow.start(request.type, {
    workflowId: request.workflowId,
    taskQueue: session.config.taskQueue,
    args: [request.input],
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: request.summary,
    staticDetails: request.details,
    typedSearchAttributes: new TypedSearchAttributes(
      Object.entries(request.attributes).map(([name, value]) => ({
        key: defineSearchAttributeKey(name, 'KEYWORD'),
        value,
      })),
    ),
  });
}

async function goAlong<Input extends object>(
  session: Session,
  request: Request<Input>,
  join: boolean,
): Promise<Started> {
  const { workflowId } = request;
  const { runId, startTime, type } = await describeRun(session, workflowId);
  const input = await inputOf(session, workflowId, runId);
  const different = [
    ...(type === request.type ? [] : [`type: ${type} runs, ${request.type} was asked`]),
    ...differences(request.input, input),
  ];
  if (join && different.length === 0) {
    return { run: session.client.workflow.getHandle(workflowId, runId), runId, joined: true };
  }
  const lines = [
    `${workflowId} runs already, since ${startTime.toISOString()}: ${type} ${described(input)}.`,
    ...(different.length === 0
      ? ['It does what was asked: --join waits for it.']
      : [`It is not what was asked: ${different.join('; ')}.`]),
    `Watch it: slipway watch ${workflowId}`,
    `Stop it:  slipway abort ${workflowId} --reason WHY`,
  ];
  throw new CommandError('AlreadyRunning', lines.join('\n'));
}

/** What a run was started with; nothing for one whose first event is not a start with one object. */
async function inputOf(
  session: Session,
  workflowId: string,
  runId: string,
): Promise<Record<string, unknown>> {
  const { client } = session;
  const { history } = await session.soon(() =>
    client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    }),
  );
  const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (!payload) return {};
  const input: unknown = client.workflow.options.loadedDataConverter.payloadConverter.fromPayload(payload);
  return typeof input === 'object' && input !== null ? { ...input } : {};
}

/** Who starts a run and why does not make it another one. */
const NOT_COMPARED = new Set(['startedBy', 'reason']);

/** @returns `commitHash: abc runs, def was asked` for each field that is not the same */
export function differences(asked: object, running: object): string[] {
  const [a, b] = [new Map(Object.entries(asked)), new Map(Object.entries(running))];
  const fields = [...new Set([...a.keys(), ...b.keys()])].filter((field) => !NOT_COMPARED.has(field));
  return fields
    .filter((field) => a.get(field) !== b.get(field))
    .map((field) => `${field}: ${text(b.get(field))} runs, ${text(a.get(field))} was asked`);
}

function described(input: Readonly<Record<string, unknown>>): string {
  return Object.entries(input)
    .map(([field, value]) => `${field} ${text(value)}`)
    .join(', ');
}

function text(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The server refuses a start with search attributes that the namespace does not know. */
async function refused(session: Session, error: unknown): Promise<unknown> {
  const said = serverError(error);
  if (said === undefined) return error;
  const { namespace, address } = session.config.temporal;
  const missing = await session
    .soon(() => missingSearchAttributes(session.connection, namespace))
    .catch(() => []);
  const fix =
    missing.length === 0
      ? ''
      : `\nThe namespace lacks the search attributes ${missing.join(', ')}. Register them: slipway doctor --fix, or have an operator run:\n${registerCommand(namespace, missing)}`;
  return new CommandError(
    'NoServer',
    `The Temporal server at ${address} refuses the start: ${saidBy(said)}${fix}`,
    { cause: error },
  );
}
