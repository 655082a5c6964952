import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { SEARCH_ATTRIBUTES } from '../../contract.ts';
import type { StepRecord } from '../../domain/report.ts';
import type { RunStatus, Waiting } from '../../domain/status.ts';
import { renderStatus } from '../../domain/render/status.ts';
import { now } from './time.ts';

type Attribute = keyof typeof SEARCH_ATTRIBUTES;

/** Writes search attributes; the worker has made sure at its start that the namespace knows them. */
export function markRun(values: Partial<Record<Attribute, string>>): void {
  upsertSearchAttributes(
    Object.entries(values).map(([name, value]) => ({
      key: defineSearchAttributeKey(name, 'KEYWORD'),
      value,
    })),
  );
}

/** The steps of a run as people see them: in the `status` query, the UI's current details and the report. */
export class Progress {
  readonly #steps: StepRecord[] = [];
  #waiting: Waiting | undefined;
  readonly #view: () => Omit<RunStatus, 'phase' | 'steps' | 'waiting'>;

  constructor(view: () => Omit<RunStatus, 'phase' | 'steps' | 'waiting'>) {
    this.#view = view;
  }

  get steps(): readonly StepRecord[] {
    return this.#steps;
  }

  status(): RunStatus {
    return {
      ...this.#view(),
      phase: this.#steps.at(-1)?.name ?? 'starting',
      steps: this.#steps,
      ...(this.#waiting && { waiting: this.#waiting }),
    };
  }

  begin(name: string): number {
    this.#steps.push({ name, state: 'running', startedAt: now() });
    markRun({ SlipwayPhase: name });
    this.show();
    return this.#steps.length - 1;
  }

  end(index: number, state: StepRecord['state'], detail?: string): void {
    const step = this.#steps[index];
    if (step === undefined) return;
    this.#steps[index] = { ...step, state, endedAt: now(), ...(detail && { detail: detail.slice(0, 1000) }) };
    this.show();
  }

  /** Says on the running step what is being done; a step's end replaces it. */
  note(detail: string): void {
    const step = this.#steps.at(-1);
    if (step?.state === 'running' || step?.state === 'waiting') {
      this.#steps[this.#steps.length - 1] = { ...step, detail: detail.slice(0, 1000) };
      this.show();
    }
  }

  wait(waiting: Waiting | undefined): void {
    this.#waiting = waiting;
    const step = this.#steps.at(-1);
    if (step !== undefined && step.endedAt === undefined) {
      this.#steps[this.#steps.length - 1] = { ...step, state: waiting === undefined ? 'running' : 'waiting' };
    }
    this.show();
  }

  show(): void {
    setCurrentDetails(renderStatus(this.status()));
  }
}
