import { defineSignal, setHandler } from '@temporalio/workflow';
import { mayDo, type Approval } from '../../domain/approval.ts';
import { describeProblems } from '../../domain/input.ts';
import type { SignalPolicy } from '../../domain/policy.ts';
import type { IgnoredSignal } from '../../domain/report.ts';
import { HUMAN_SIGNALS, parsePayload, type HumanPayloads, type HumanSignal } from '../../domain/requests.ts';
import type { Held } from '../../domain/status.ts';
import { now } from './time.ts';

/** Signals beyond this number are counted only, so that a flood cannot fill the run's memory or its report. */
const KEPT_SIGNALS = 500;
/** Heard however many came before: without them a run could not be stopped, or not go on. */
const ALWAYS: readonly HumanSignal[] = ['abort', 'decide', 'resume'];

const DESCRIPTIONS: Readonly<Record<HumanSignal, string>> = {
  approve: 'Approves the evidence: {by, evidence?, comment?}',
  reject: 'Ends the run; nothing stays changed: {by, reason}',
  abort: 'Stops at any step and puts everything back: {by, reason}',
  hold: 'Freezes a canary where it is: {by, reason?}',
  resume: 'Goes on after a hold: {by, reason?}',
  promote: "Skips the rest of a canary's waiting: {by, reason}",
  recordManualTest: 'Answers the manual test: {by, passed, notes?}',
  decide: 'Answers a question that the run asks: {by, action: continue | retry | rollback, reason?}',
};

/** What people have said to a run. Handlers take anything and never throw: a throwing one would wedge the run. */
export class Inbox {
  readonly approvals: Approval[] = [];
  readonly ignored: IgnoredSignal[] = [];
  rejection: HumanPayloads['reject'] | undefined;
  abort: HumanPayloads['abort'] | undefined;
  manualTest: HumanPayloads['recordManualTest'] | undefined;
  decision: HumanPayloads['decide'] | undefined;
  /** The latest of hold, resume and promote counts: held and promoted are never both. */
  held: Held | undefined;
  promotion: HumanPayloads['promote'] | undefined;
  /** What there is to hold, resume or promote; a hold may come before the canary does. */
  #canary: 'expected' | 'under way' | 'none' = 'none';
  #noCanary = 'this deployment rolls without a canary';
  #heeded = false;
  #received = 0;
  #policy: SignalPolicy | undefined;
  readonly #early: (() => void)[] = [];

  /** Registers the handlers; called before the run does anything else. */
  listen(): void {
    for (const signal of HUMAN_SIGNALS) {
      setHandler(defineSignal<[unknown]>(signal), (payload) => this.receive(signal, payload), {
        description: DESCRIPTIONS[signal],
      });
    }
  }

  /** From now on the policy says who may send what; what came before is judged now. */
  open(policy: SignalPolicy): void {
    this.#policy = policy;
    for (const receive of this.#early.splice(0)) receive();
  }

  receive(signal: HumanSignal, payload: unknown): void {
    this.#received += 1;
    if (this.#received === KEPT_SIGNALS)
      this.ignore(signal, `from signal ${KEPT_SIGNALS} on only ${ALWAYS.join(' and ')} are heard`);
    if (this.#received >= KEPT_SIGNALS && !ALWAYS.includes(signal)) return;
    const parsed = parsePayload(signal, payload);
    if (parsed.kind === 'invalid') this.ignore(signal, describeProblems(parsed.problems));
    else this.#judge(signal, parsed.value);
  }

  /** A result that came before anybody was asked is for something else. */
  forgetManualTest(): void {
    if (this.manualTest === undefined) return;
    this.ignore('recordManualTest', 'it came before the manual test was asked for', this.manualTest.by);
    this.manualTest = undefined;
  }

  /** Called before `open`: there will be a canary. */
  expectCanary(): void {
    this.#canary = 'expected';
  }

  /** Now there is something to promote. */
  canaryBegun(): void {
    this.#canary = 'under way';
  }

  /** @returns the promotion in force; some waiting is skipped for it */
  heedPromotion(): HumanPayloads['promote'] | undefined {
    this.#heeded = true;
    return this.promotion;
  }

  /** From now on there is nothing to hold, resume or promote; what was said and had no effect is told. */
  canaryOver(why: string): void {
    if (this.#canary === 'expected' && this.held !== undefined) this.ignore('hold', why, this.held.by);
    if (this.promotion !== undefined && !this.#heeded) this.ignore('promote', why, this.promotion.by);
    this.#canary = 'none';
    this.#noCanary = why;
    this.held = undefined;
    this.promotion = undefined;
  }

  ignore(signal: string, reason: string, by?: string): void {
    if (this.ignored.length >= KEPT_SIGNALS) return;
    this.ignored.push({ signal, at: now(), reason, ...(by !== undefined && { by }) });
  }

  #judge<S extends HumanSignal>(signal: S, payload: HumanPayloads[S]): void {
    if (this.#policy === undefined) {
      this.#early.push(() => this.#judge(signal, payload));
      return;
    }
    const { allowed, reason } = mayDo(this.#policy, signal, payload.by);
    if (!allowed) this.ignore(signal, reason, payload.by);
    else this.#keep(signal, payload);
  }

  #keep(signal: HumanSignal, payload: HumanPayloads[HumanSignal]): void {
    switch (signal) {
      case 'approve': {
        const { by, comment, evidence } = payload as HumanPayloads['approve'];
        this.approvals.push({ by, at: now(), ...(comment && { comment }), ...(evidence && { evidence }) });
        return;
      }
      case 'reject':
        this.rejection ??= payload as HumanPayloads['reject'];
        return;
      case 'abort':
        this.abort ??= payload as HumanPayloads['abort'];
        return;
      case 'recordManualTest':
        this.manualTest = payload as HumanPayloads['recordManualTest'];
        return;
      case 'decide':
        this.decision = payload as HumanPayloads['decide'];
        return;
      case 'hold':
      case 'resume':
      case 'promote':
        this.#steer(signal, payload);
    }
  }

  #steer(signal: 'hold' | 'resume' | 'promote', payload: HumanPayloads[HumanSignal]): void {
    const why = this.#whyNot(signal);
    if (why !== undefined) {
      this.ignore(signal, why, payload.by);
      return;
    }
    this.held = signal === 'hold' ? { ...(payload as HumanPayloads['hold']), since: now() } : undefined;
    if (signal === 'promote') this.#heeded = false;
    if (signal !== 'resume')
      this.promotion = signal === 'promote' ? (payload as HumanPayloads['promote']) : undefined;
  }

  #whyNot(signal: 'hold' | 'resume' | 'promote'): string | undefined {
    if (this.#canary === 'none') return `${this.#noCanary}: there is nothing to hold, resume or promote`;
    if (signal === 'promote' && this.#canary === 'expected')
      return 'the canary has not begun: nothing has been seen of the release yet';
    return signal === 'resume' && this.held === undefined ? 'nothing is held' : undefined;
  }
}
