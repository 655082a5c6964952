import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineStatus, RunStatus } from '../domain/status.ts';
import { pipelineChanges, remembered, runChanges } from './changes.ts';
import { endingOf, type Ending } from './ending.ts';
import { CommandError } from './errors.ts';
import { isPipelineStatus, statusOf, type Status } from './runs.ts';
import type { Session } from './session.ts';

/** Milliseconds between two looks. */
const LOOK_EVERY = 1000;

/** What was seen of a run: its own status and, of a pipeline, that of every environment's run that it started. */
export interface View {
  readonly id: string;
  readonly status: Status | undefined;
  readonly children: ReadonlyMap<string, RunStatus>;
}

export interface Audience {
  /** Called at every look, with what changed since the last one. */
  see(view: View, changes: readonly string[]): void;
  /** Aborted: stop following. */
  readonly interruption: AbortSignal;
}

/**
 * Looks at a run about each second until it has ended. A worker that does not answer is told once, and waited for.
 * @throws CommandError `Interrupted`; the run goes on
 */
export async function follow(session: Session, run: WorkflowHandle, audience: Audience): Promise<Ending> {
  const { interruption } = audience;
  const { connection } = session;
  const follower = new Follower(session, run, audience);
  const waiting = new AbortController();
  let looking = new AbortController();
  interruption.addEventListener('abort', () => looking.abort(), { once: true });
  const ended = connection.withAbortSignal(waiting.signal, () => endingOf(run));
  const over = until(ended);
  const interrupted = once(interruption);
  try {
    for (let last = false; !interruption.aborted;) {
      looking = new AbortController();
      await connection.withAbortSignal(looking.signal, () => follower.look());
      if (last) return await ended;
      last = await Promise.race([over, interrupted, sleep(LOOK_EVERY, false, { ref: false })]);
    }
    throw goesOn(run);
  } catch (error) {
    throw interruption.aborted ? goesOn(run) : error;
  } finally {
    // The client throws from a timer when a call outlives its connection.
    waiting.abort();
    await over;
  }
}

function goesOn({ workflowId }: WorkflowHandle): CommandError {
  const watch = `Watch it again: slipway watch ${workflowId}`;
  return new CommandError(
    'Interrupted',
    `${workflowId} goes on. ${watch}; stop it: slipway abort ${workflowId} --reason WHY`,
  );
}

/** True when the run has ended, well or not. */
async function until(ended: Promise<unknown>): Promise<boolean> {
  await ended.catch(() => undefined);
  return true;
}

async function once(signal: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return true;
}

class Follower {
  readonly #session: Session;
  readonly #run: WorkflowHandle;
  readonly #audience: Audience;
  readonly #children = new Map<string, RunStatus>();
  /** By run, what its next status is compared with. */
  readonly #seen = new Map<string, RunStatus>();
  #status: Status | undefined;
  #silent = false;

  constructor(session: Session, run: WorkflowHandle, audience: Audience) {
    this.#session = session;
    this.#run = run;
    this.#audience = audience;
  }

  async look(): Promise<void> {
    try {
      const changes = await this.#changes();
      this.#silent = false;
      this.#audience.see(
        { id: this.#run.workflowId, status: this.#status, children: this.#children },
        changes,
      );
    } catch (error) {
      if (!(error instanceof CommandError) || error.reason !== 'NoWorker') throw error;
      if (!this.#silent) this.#see([`⚠ ${error.message}`]);
      this.#silent = true;
    }
  }

  #see(changes: readonly string[]): void {
    this.#audience.see({ id: this.#run.workflowId, status: this.#status, children: this.#children }, changes);
  }

  async #changes(): Promise<string[]> {
    const status = await statusOf(this.#session, this.#run);
    if (status === undefined) return [];
    const before = this.#status;
    this.#status = status;
    if (!isPipelineStatus(status)) {
      return this.#runChanges(this.#run.workflowId, status);
    }
    const { begun, ended } = pipelineChanges(before as PipelineStatus | undefined, status);
    return [...begun, ...(await this.#childChanges(status)), ...ended];
  }

  /** Of every environment's run that had not ended when it was looked at last. */
  async #childChanges({ environments }: PipelineStatus): Promise<string[]> {
    const changes: string[] = [];
    for (const { workflowId } of environments) {
      const before = workflowId === undefined ? undefined : this.#children.get(workflowId);
      if (workflowId === undefined || before?.outcome !== undefined) continue;
      const child = await this.#childStatus(workflowId);
      if (child === undefined) continue;
      changes.push(...this.#runChanges(workflowId, child));
      this.#children.set(workflowId, child);
    }
    return changes;
  }

  #runChanges(id: string, status: RunStatus): string[] {
    const before = this.#seen.get(id);
    this.#seen.set(id, remembered(before, status));
    return runChanges(id, before, status);
  }

  async #childStatus(id: string): Promise<RunStatus | undefined> {
    try {
      return await statusOf<RunStatus>(this.#session, this.#session.client.workflow.getHandle(id));
    } catch (error) {
      if (error instanceof CommandError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }
}
