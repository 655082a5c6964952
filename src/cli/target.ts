import type { WorkflowHandle } from '@temporalio/client';
import { workflowId, type WorkflowType } from '../contract.ts';
import type { RunStatus } from '../domain/status.ts';
import { CommandError } from './errors.ts';
import { questionOf, type Question } from './question.ts';
import { describeRun, environmentRun, isPipelineStatus, openRuns, statusOf } from './runs.ts';
import type { Session } from './session.ts';
import { stateOf } from './show-status.ts';

/** What people type to name a run: its id; an environment and a version; an environment; or nothing. */
export interface Named {
  readonly target?: string;
  readonly version?: string;
}

/** An environment's run; `status` is absent while it can't tell yet. */
export interface Target {
  readonly run: WorkflowHandle;
  readonly status: RunStatus | undefined;
}

const ENVIRONMENT = /^[a-z][a-z0-9-]*$/;

/**
 * Finds the environment's run that a person means. A pipeline's id means the environment's run that it waits for; with an
 * environment, or nothing, it is the one open run there that asks `question` (any, where there is no question).
 * @throws CommandError `NotFound`, listing the candidates where there is more than one
 */
export async function findTarget(session: Session, named: Named, question?: Question): Promise<Target> {
  const { target, version } = named;
  if (target !== undefined && version !== undefined) {
    return await byId(session, workflowId.deploy(session.platform, target, version));
  }
  if (target === undefined) return only(await asking(session, undefined, question), named, question);
  if (await exists(session, target)) return await byId(session, target);
  return only(await asking(session, target, question), named, question);
}

/** Ids that Slipway makes have dots; those of runs started by hand may look like an environment's name. */
export function isEnvironmentName(target: string): boolean {
  return ENVIRONMENT.test(target);
}

async function byId(session: Session, id: string): Promise<Target> {
  await describeRun(session, id);
  const found = await environmentRun(session, session.client.workflow.getHandle(id));
  if (found !== undefined) return found;
  throw new CommandError(
    'NotFound',
    `No environment is being deployed by ${id} at the moment. Look again: slipway status ${id}`,
  );
}

/** A word that could be an environment's name may still be the id of a run that was started by hand. */
async function exists(session: Session, id: string): Promise<boolean> {
  if (!isEnvironmentName(id)) return true;
  try {
    await describeRun(session, id);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.reason === 'NotFound') return false;
    throw error;
  }
}

/** Workflow types whose runs are no environment's change. */
const ASKS_NOTHING: ReadonlySet<string> = new Set<WorkflowType>([
  'planDeployment',
  'detectDrift',
  'deploymentPipeline',
]);

async function asking(
  session: Session,
  environment: string | undefined,
  question: Question | undefined,
): Promise<Target[]> {
  const runs = await openRuns(session, environment);
  const deployments = runs.filter(({ type }) => !ASKS_NOTHING.has(type));
  const targets = await Promise.all(
    deployments.map(async ({ workflowId: id }) => {
      const run = session.client.workflow.getHandle(id);
      return { run, status: await statusOf(session, run) };
    }),
  );
  return targets.flatMap(({ run, status }) => {
    if (status !== undefined && isPipelineStatus(status)) return [];
    return question === undefined || (status !== undefined && questionOf(status) === question)
      ? [{ run, status }]
      : [];
  });
}

function only(found: readonly Target[], { target }: Named, question: Question | undefined): Target {
  const [first, ...others] = found;
  const place =
    target === undefined
      ? 'No open run'
      : `There is no run ${target}, and no open run of an environment ${target}`;
  const what = question === undefined ? 'is there' : `waits for ${WORDS[question]}`;
  if (first === undefined) {
    throw new CommandError('NotFound', `${place} ${what}. \`slipway status\` lists the open runs.`);
  }
  if (others.length === 0) return first;
  const list = found.map(
    ({ run, status }) => `  ${run.workflowId}  ${status === undefined ? 'starting' : stateOf(status)}`,
  );
  throw new CommandError('NotFound', `More than one could be meant: give the id of one.\n${list.join('\n')}`);
}

const WORDS: Readonly<Record<Question, string>> = {
  approve: 'an approval',
  recordManualTest: 'a manual test',
  decide: 'a decision',
  resume: 'a resume',
};
