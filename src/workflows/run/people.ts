import { condition, workflowInfo } from '@temporalio/workflow';
import type { Notice } from '../../activities/notify/types.ts';
import type { Target } from '../../domain/policy.ts';
import type { DecidePayload, HumanSignal } from '../../domain/requests.ts';
import { activities } from '../activities.ts';
import { explain, isCancellation } from '../failures.ts';
import type { Inbox } from './inbox.ts';
import type { Progress } from './progress.ts';
import { now } from './time.ts';

/** What a run waits for; `signal` answers it, of a `decide` with one of `actions`. */
interface Question {
  readonly what: string;
  readonly signal: HumanSignal;
  readonly example: Readonly<Record<string, unknown>>;
  readonly actions?: readonly DecidePayload['action'][];
  /** When the wait ends by itself: ISO 8601. */
  readonly until?: string;
  /** What Terraform would do. */
  readonly terraform?: string;
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
  async notify(kind: Notice['kind'], text: string, markdown?: string): Promise<void> {
    const { target, version, inbox } = this.#run;
    const { platform, environment } = target;
    const { workflowId, runId } = workflowInfo();
    this.#notices += 1;
    const id = `${runId}/${this.#notices}`;
    try {
      const notice = { kind, platform, environment, version, text, workflowId, runId, id };
      const more = markdown !== undefined && { markdown };
      await activities('notify', `tell people: ${kind}`).notify({ ...notice, ...more });
    } catch (error) {
      if (isCancellation(error)) throw error;
      inbox.ignore('notify', `the notice could not be delivered: ${explain(error)}`);
    }
  }

  /** Shows what the run waits for and the command that answers, until `answered`. @returns false when the time is over */
  async waitFor(question: Question, answered: () => boolean, timeout?: number): Promise<boolean> {
    const { what, signal, actions, until, terraform } = question;
    const { progress } = this.#run;
    progress.wait({
      what,
      since: now(),
      commands: commands(question),
      signal,
      ...(actions && { actions }),
      ...(until && { until }),
      ...(terraform && { terraform }),
    });
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

  /**
   * Pages, and waits until a person decides; the environment stays locked meanwhile. What is not `allowed` is recorded.
   * @param until when the wait ends by itself, if it does
   */
  async decide(
    what: string,
    allowed: readonly DecidePayload['action'][],
    until?: string,
  ): Promise<DecidePayload> {
    const { inbox } = this.#run;
    const choice = allowed.join(' or ');
    const { decision: early } = inbox;
    if (early !== undefined) inbox.ignore('decide', `it came before the question: ${what}`, early.by);
    inbox.decision = undefined;
    await this.notify(
      'page',
      `${what.replace(/\.$/, '')}. The environment stays locked until someone decides: ${choice}.`,
    );
    const question = { what, signal: 'decide', example: { by: '<you>' }, actions: allowed } as const;
    for (;;) {
      await this.waitFor({ ...question, ...(until && { until }) }, () => inbox.decision !== undefined);
      const decision = inbox.decision as DecidePayload | undefined;
      if (decision !== undefined && allowed.includes(decision.action)) return decision;
      inbox.ignore('decide', `the question takes ${choice}: ${what}`, decision?.by);
      inbox.decision = undefined;
    }
  }
}

/** A command for each of the answers that a question takes. */
function commands({ signal, example, actions }: Question): string[] {
  const inputs = actions?.map((action) => ({ ...example, action })) ?? [example];
  const { workflowId } = workflowInfo();
  return inputs.map(
    (input) =>
      `temporal workflow signal --workflow-id '${workflowId}' --name ${signal} --input '${JSON.stringify(input)}'`,
  );
}
