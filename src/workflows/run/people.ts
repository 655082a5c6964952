import { condition, workflowInfo } from '@temporalio/workflow';
import type { Notice } from '../../activities/notify/types.ts';
import type { Target } from '../../domain/policy.ts';
import type { DecidePayload, HumanSignal } from '../../domain/requests.ts';
import { activities } from '../activities.ts';
import { explain, isCancellation } from '../failures.ts';
import type { Inbox } from './inbox.ts';
import type { Progress } from './progress.ts';
import { now } from './time.ts';

/** What a run waits for; `signal` answers it. */
interface Question {
  readonly what: string;
  readonly signal: HumanSignal;
  readonly example: Readonly<Record<string, unknown>>;
  readonly until?: string;
}

interface Run {
  readonly target: Target;
  readonly version: string;
  readonly inbox: Inbox;
  readonly progress: Progress;
}

/** What a run tells people, and asks of them. */
export class People {
  readonly #run: Run;
  #notices = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Tells them; a receiver that cannot be reached is recorded and stops nothing. */
  async notify(kind: Notice['kind'], text: string): Promise<void> {
    const { target, version, inbox } = this.#run;
    const { platform, environment } = target;
    const { workflowId, runId } = workflowInfo();
    this.#notices += 1;
    const id = `${runId}/${this.#notices}`;
    try {
      const notice = { kind, platform, environment, version, text, workflowId, runId, id };
      await activities('notify', `tell people: ${kind}`).notify(notice);
    } catch (error) {
      if (isCancellation(error)) throw error;
      inbox.ignore('notify', `the notice could not be delivered: ${explain(error)}`);
    }
  }

  /** Shows what the run waits for and the command that answers, until `answered`. @returns false when the time is over */
  async waitFor(question: Question, answered: () => boolean, timeout?: number): Promise<boolean> {
    const { what, until } = question;
    const { progress } = this.#run;
    progress.wait({ what, since: now(), commands: [command(question)], ...(until && { until }) });
    try {
      if (timeout !== undefined) {
        return await condition(answered, timeout, { summary: `waits for ${what}`.slice(0, 200) });
      }
      await condition(answered);
      return true;
    } finally {
      progress.wait(undefined);
    }
  }

  /** Pages, and waits until a person decides; the environment stays locked meanwhile. What is not `allowed` is recorded. */
  async decide(what: string, allowed: readonly DecidePayload['action'][]): Promise<DecidePayload> {
    const { inbox } = this.#run;
    const choice = allowed.join(' or ');
    await this.notify('page', `${what}. The environment stays locked until someone decides: ${choice}.`);
    const example = { by: '<you>', action: allowed[0] };
    for (;;) {
      inbox.decision = undefined;
      await this.waitFor({ what, signal: 'decide', example }, () => inbox.decision !== undefined);
      const decision = inbox.decision as DecidePayload | undefined;
      if (decision !== undefined && allowed.includes(decision.action)) return decision;
      inbox.ignore('decide', `the question takes ${choice}: ${what}`, decision?.by);
    }
  }
}

function command({ signal, example }: Question): string {
  const input = JSON.stringify(example);
  return `temporal workflow signal --workflow-id '${workflowInfo().workflowId}' --name ${signal} --input '${input}'`;
}
