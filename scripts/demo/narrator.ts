import { setTimeout } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { StepRecord } from '../../src/domain/report.ts';
import type { PipelineStatus, RunStatus } from '../../src/domain/status.ts';
import type { Rehearsal } from '../rehearsal/rehearsal.ts';

const LOOK_EVERY = 300;
const started = Date.now();

/** A line of the demo's story, with the seconds since its start. */
export function say(text = ''): void {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  console.log(text === '' ? '' : text.replaceAll(/^/gm, `${seconds}s  `));
}

/** How a run ended, for people. */
export interface Ending {
  readonly outcome: string;
  readonly summary: string;
}

/** Follows runs, a pipeline through its environments, and tells each step as it ends. */
export class Narrator {
  readonly #rehearsal: Rehearsal;
  readonly #onWaiting: (id: string, status: RunStatus) => Promise<void>;
  readonly #told = new Set<string>();

  /** @param onWaiting called once when a run waits for people */
  constructor(rehearsal: Rehearsal, onWaiting: (id: string, status: RunStatus) => Promise<void>) {
    this.#rehearsal = rehearsal;
    this.#onWaiting = onWaiting;
  }

  async follow(run: WorkflowHandle): Promise<Ending> {
    const ending = endingOf(run);
    for (;;) {
      const ended = await Promise.race([ending, setTimeout(LOOK_EVERY, undefined)]);
      await this.#look(run.workflowId);
      if (ended !== undefined) return ended;
    }
  }

  async #look(id: string): Promise<void> {
    const run = this.#rehearsal.client.workflow.getHandle(id);
    // A run that has just been started cannot answer yet.
    const status = await run.query<PipelineStatus | RunStatus>('status').catch(() => undefined);
    if (status === undefined) return;
    if (!('environments' in status)) return await this.#tell(id, status);
    for (const { workflowId } of status.environments)
      if (workflowId !== undefined) await this.#look(workflowId);
  }

  async #tell(id: string, status: RunStatus): Promise<void> {
    status.steps.forEach((step, i) => this.#tellStep(`${id}/${i}`, status.environment, step));
    const question = `${id} ${status.waiting?.since ?? ''}`;
    if (status.waiting === undefined || this.#told.has(question)) return;
    this.#told.add(question);
    await this.#onWaiting(id, status);
  }

  #tellStep(key: string, environment: string, step: StepRecord): void {
    if (step.endedAt === undefined || this.#told.has(key)) return;
    this.#told.add(key);
    const mark = step.state === 'done' ? '✔' : '✘';
    const detail = step.detail === undefined ? '' : `  ${shortened(step.detail)}`;
    say(`   ${mark} ${environment.padEnd(12)} ${step.name.padEnd(29)}${detail}`);
  }
}

export async function endingOf(run: WorkflowHandle): Promise<Ending> {
  try {
    const { outcome, summary } = (await run.result()) as Ending;
    return { outcome, summary };
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) {
      return { outcome: error.cause.type ?? 'failed', summary: error.cause.message };
    }
    throw error;
  }
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 150 ? line : `${line.slice(0, 147)}...`;
}
