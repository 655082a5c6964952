import { QueryNotRegisteredError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { QUERIES, workflowId } from '../contract.ts';
import { duration } from '../domain/render/report-outline.ts';
import type { DeploymentRecord, EnvironmentStatus } from '../domain/ledger.ts';
import { columns } from './columns.ts';
import { answerError, listed, quoted } from './runs.ts';
import type { Session } from './session.ts';
import { shortDigest } from './show-status.ts';

/** The platform's environments: those of its file, or those that have a ledger where there is no file. */
export async function environments(session: Session): Promise<EnvironmentStatus[]> {
  const names = session.environments.length > 0 ? session.environments : await namesOnServer(session);
  return await Promise.all(names.map((name) => environmentStatus(session, name)));
}

/** An environment that nothing was ever deployed to has no run of its own: it is free and serves nothing. */
export async function environmentStatus(session: Session, name: string): Promise<EnvironmentStatus> {
  const { platform } = session;
  const id = workflowId.environment(platform, name);
  try {
    return await session.soon(() =>
      session.client.workflow.getHandle(id).query<EnvironmentStatus>(QUERIES.status),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError) {
      return { platform, environment: name, queue: [], history: [] };
    }
    throw answerError(session, id, error);
  }
}

async function namesOnServer(session: Session): Promise<string[]> {
  const prefix = workflowId.environment(session.platform, '');
  const query = `WorkflowType = 'environment' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH ${quoted(prefix)}`;
  const runs = await listed(session, query);
  return runs.map(({ workflowId: id }) => id.slice(prefix.length)).toSorted();
}

export function showTable(states: readonly EnvironmentStatus[]): string[] {
  return columns([
    ['ENVIRONMENT', 'SERVES', 'SINCE', 'LOCK', 'STATE'],
    ...states.map((status) => [
      status.environment,
      status.current?.manifest.version ?? '-',
      status.current?.endedAt.slice(0, 16).replace('T', ' ') ?? '-',
      status.holder === undefined ? 'free' : status.holder.purpose,
      condition(status),
    ]),
  ]);
}

function condition({ dirty, frozen, queue }: EnvironmentStatus): string {
  const said = [
    ...(dirty === undefined ? [] : ['DIRTY']),
    ...(frozen === undefined ? [] : [`frozen by ${frozen.by}`]),
    ...(queue.length === 0 ? [] : [`${queue.length} waiting`]),
  ];
  return said.length === 0 ? 'ok' : said.join(', ');
}

/** One environment with all that its ledger has. */
export function showEnvironment(status: EnvironmentStatus): string[] {
  const { platform, environment, current, holder, queue, dirty, frozen, lastOverride, history } = status;
  return [
    `${platform} ${environment}`,
    `  serves   ${current === undefined ? 'nothing deployed by Slipway yet' : served(current)}`,
    `  lock     ${holder === undefined ? 'free' : `${holder.workflowId} (${holder.purpose}) since ${holder.grantedAt}`}`,
    ...queue.map(({ workflowId: id, purpose }, i) => `  queue ${i + 1}  ${id} (${purpose})`),
    ...(dirty === undefined
      ? []
      : [
          `  DIRTY    since ${dirty.since}: ${dirty.reason}`,
          `           by ${dirty.workflowId}, which deployed ${dirty.version}. Put it right: slipway rollback ${environment} ${dirty.version} ${dirty.previousVersion ?? '<version>'}`,
          `           or, when it is right as it is: slipway env override ${environment} --reason WHY`,
        ]),
    ...(frozen === undefined
      ? []
      : [
          `  FROZEN   by ${frozen.by} since ${frozen.since}: ${frozen.reason}. End it: slipway env unfreeze ${environment} --reason WHY`,
        ]),
    ...(lastOverride === undefined
      ? []
      : [`  override by ${lastOverride.by} at ${lastOverride.at}: ${lastOverride.reason}`]),
    ...(history.length === 0 ? [] : ['', ...ledger(history)]),
  ];
}

function served({ manifest, endedAt, startedBy }: DeploymentRecord): string {
  return `${manifest.version} (commit ${shortDigest(manifest.commit)}) since ${endedAt}, started by ${startedBy}`;
}

function ledger(history: readonly DeploymentRecord[]): string[] {
  const rows = history.map(({ manifest, outcome, startedBy, startedAt, endedAt, approvals, reason }) => [
    `  ${endedAt.slice(0, 16).replace('T', ' ')}`,
    manifest.version,
    outcome,
    duration(startedAt, endedAt),
    startedBy,
    approvals.map(({ by }) => by).join(', ') || '-',
    reason ?? '',
  ]);
  return columns([['  ENDED', 'VERSION', 'OUTCOME', 'TOOK', 'STARTED BY', 'APPROVED BY', 'REASON'], ...rows]);
}
