import type { EnvironmentStatus } from '../domain/ledger.ts';
import { environmentStatus } from './environments.ts';
import { CommandError } from './errors.ts';
import { questionOf } from './question.ts';
import { describeRun, isPipelineStatus, statusOf } from './runs.ts';
import { serverError } from './server-error.ts';
import { withSession, type CommonOptions, type Session } from './session.ts';
import { stateOf } from './show-status.ts';
import type { Terminal } from './terminal.ts';

/** Whether anything of Slipway's may change an environment while a person works on it by hand. */
export type Standstill =
  /** Nobody holds its lock, or the run that did has ended. `commit`: the configuration that was applied last, if any. */
  | { readonly kind: 'free'; readonly detail: string; readonly commit?: string }
  /** Its holder, which deploys `commit`, waits for a person's `decide`. */
  | {
      readonly kind: 'waits';
      readonly workflowId: string;
      readonly detail: string;
      readonly commit: string;
    }
  | { readonly kind: 'busy'; readonly detail: string }
  /** Nobody answers. */
  | { readonly kind: 'unknown'; readonly detail: string };

/** Asks the environment who holds its lock, and the holder what it waits for. */
export async function standstill(
  terminal: Terminal,
  options: CommonOptions,
  environment: string,
): Promise<Standstill> {
  try {
    return await withSession(terminal, options, async (session) =>
      lookAtHolder(session, await environmentStatus(session, environment)),
    );
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function lookAtHolder(
  session: Session,
  { environment, holder, current }: EnvironmentStatus,
): Promise<Standstill> {
  const applied = current?.terraformCommit;
  const free = { kind: 'free', ...(applied !== undefined && { commit: applied }) } as const;
  if (holder === undefined) return { ...free, detail: `no run holds ${environment}` };
  const { workflowId, purpose } = holder;
  const held = `${workflowId} (${purpose}) holds ${environment}`;
  if (await hasEnded(session, workflowId)) return { ...free, detail: `${held}, and has ended` };
  const status = await statusOf(session, session.client.workflow.getHandle(workflowId));
  if (status === undefined || isPipelineStatus(status)) return { kind: 'busy', detail: held };
  if (questionOf(status) === 'decide')
    return {
      kind: 'waits',
      workflowId,
      detail: `${held} and waits for a decision`,
      commit: status.release.commit,
    };
  return { kind: 'busy', detail: `${held}: ${stateOf(status)}` };
}

/** One that its namespace does not know any more has, too. */
async function hasEnded(session: Session, workflowId: string): Promise<boolean> {
  try {
    return (await describeRun(session, workflowId)).status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof CommandError && error.reason === 'NotFound') return true;
    throw error;
  }
}

function isUnanswered(error: unknown): boolean {
  if (error instanceof CommandError) return error.reason === 'NoServer' || error.reason === 'NoWorker';
  return serverError(error) !== undefined;
}
