import { sleep } from '@temporalio/workflow';
import type { Pause, Shifting } from '../../activities/canary/types.ts';
import { judgeCanary } from '../../domain/canary-judge.ts';
import { guardSeconds, sliceSeconds } from '../../domain/canary-slices.ts';
import type { CanaryStep, Look } from '../../domain/canary.ts';
import { samplingPeriod } from '../../domain/metrics.ts';
import type { CanaryPolicy } from '../../domain/policy.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { guardedBy, unless } from '../run/interruptible.ts';
import { now } from '../run/time.ts';

/** Whose waiting is skipped is still seen for so many periods of the metrics: CloudWatch is a minute or two late. */
const PERIODS_OF_A_GLIMPSE = 3;
/** Seconds before a slice that only guards that belong to it too: what came late, or was too little to judge. */
const LOOKBACK = 300;
/** Seconds after which something that is done beside waiting canaries is guarded; most of it has ended by then. */
const UNGUARDED = 30;

/** A canary that waits at a pause. */
export interface Paused extends Shifting {
  readonly pause: Pause;
}

interface Watched {
  readonly policy: CanaryPolicy;
  /** The services whose step it is. */
  readonly wave: readonly Paused[];
  /** Those of earlier waves, which have all traffic: only what fails at once counts of them. */
  readonly earlier: readonly Paused[];
  /** Percent of the traffic that the wave has of the release. */
  readonly weight: number;
}

interface Sample {
  readonly since: string;
  /** Decides the period of the metrics. */
  readonly windowSeconds: number;
  readonly seconds: number;
  readonly guardsOnly: boolean;
}

type Looks = ReadonlyMap<string, readonly Look[]>;

/** Watches one step of a wave from the moment at which its traffic has shifted. */
export class CanaryWatch {
  readonly #run: DeploymentRun;
  readonly #of: Watched;
  readonly #since = now();

  constructor(run: DeploymentRun, of: Watched) {
    this.#run = run;
    this.#of = of;
  }

  /**
   * Samples until the step's time is over, or a person skips the rest of it.
   * @returns a verdict for each service of the wave, none of them `fail`
   * @throws Ended `RolledBack` when ECS has ended one of the canaries, or one fails
   */
  async bake(): Promise<readonly Verdict[]> {
    const { bakeSeconds, steps, services } = this.#of.policy;
    const { inbox } = this.#run;
    const promoted = () => inbox.promotion !== undefined;
    const slice = sliceSeconds(bakeSeconds, steps.length * services.length);
    const looks = new Map<string, Look[]>();
    const ends = Date.parse(this.#since) + bakeSeconds * 1000;
    const clockLeft = () => Math.ceil((ends - Date.now()) / 1000);
    for (let left = bakeSeconds; left > 0; left = Math.min(left, clockLeft())) {
      if (promoted()) {
        await this.#look(looks, Math.min(left, PERIODS_OF_A_GLIMPSE * samplingPeriod(bakeSeconds)), true);
        if (promoted()) return this.#conclude(looks, true);
      } else {
        const seconds = Math.min(slice, left);
        const seen = await unless(promoted, () => this.#look(looks, seconds, false));
        if (seen !== undefined) left -= seconds;
      }
    }
    if (looks.size > 0) return this.#conclude(looks, false);
    // A promotion cut the only look short, and its time was over: while no worker was there, say.
    const skipped = promoted();
    await this.#look(looks, 0, skipped);
    return this.#conclude(looks, skipped);
  }

  /** Does `work`, which may take long, while all that wait are guarded. @throws as `bake` does, once `work` is cancelled */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    return this.#all.length === 0 ? await work() : await guardedBy(() => this.#guard(), work);
  }

  get #all(): readonly Paused[] {
    return [...this.#of.earlier, ...this.#of.wave];
  }

  /** @returns how many looks were taken */
  async #look(looks: Map<string, Look[]>, seconds: number, guardsOnly: boolean): Promise<number> {
    const { policy, wave } = this.#of;
    const sample = { since: this.#since, windowSeconds: policy.bakeSeconds, seconds, guardsOnly };
    const taken = await this.#sample(sample);
    for (const each of taken) looks.set(each.service, [...(looks.get(each.service) ?? []), each]);
    for (const each of wave) this.#record(each, looks);
    this.#demandNoFailure(looks, () => this.#conclude(looks, guardsOnly));
    return taken.length;
  }

  /** Nothing of what it sees is kept unless it ends the canary. */
  async #guard(): Promise<never> {
    await sleep(UNGUARDED * 1000, { summary: 'guards what waits' });
    const began = Date.now();
    for (;;) {
      const started = Date.now();
      const seconds = guardSeconds((started - began) / 1000);
      const windowSeconds = Math.max(this.#of.policy.bakeSeconds, seconds) + LOOKBACK;
      const from = Math.max(Date.parse(this.#since), started + (seconds - windowSeconds) * 1000);
      const since = new Date(from).toISOString();
      const seen = await this.#sample({ since, windowSeconds, seconds, guardsOnly: true });
      this.#demandNoFailure(Map.groupBy(seen, ({ service }) => service));
      const left = started + seconds * 1000 - Date.now();
      if (left > 1000) await sleep(left, { summary: 'until the next look' });
    }
  }

  /** @throws Ended `RolledBack` when ECS has ended one */
  async #sample({ since, windowSeconds, seconds, guardsOnly }: Sample): Promise<readonly Look[]> {
    const { target, rollout } = this.#run.policy;
    const { policy, wave, weight } = this.#of;
    const names = namesOf(wave.length > 0 ? wave : this.#all);
    const summary = `${guardsOnly ? 'guard' : 'judge'} ${names} at ${weight} %`;
    const { looks, ended } = await activities('watch', summary, seconds).watchCanary({
      target,
      shifting: this.#all,
      judge: policy.judge,
      allowedTaskDeaths: rollout.allowedTaskDeaths,
      since,
      stepSeconds: windowSeconds,
      seconds,
      ...(guardsOnly && { guardsOnly }),
    });
    const [gone] = ended;
    if (gone !== undefined) throw lost(gone.service, gone.verdict);
    return looks;
  }

  #demandNoFailure(looks: Looks, before: () => unknown = () => undefined): void {
    const failed = this.#all
      .map((each) => this.#judge(each, looks, true))
      .filter(({ outcome }) => outcome === 'fail');
    if (failed.length === 0) return;
    before();
    throw new Ended('RolledBack', told(failed));
  }

  #judge({ service, pause }: Paused, looks: Looks, guardsOnly: boolean): Verdict {
    const { judge: policy } = this.#of.policy;
    const { allowedTaskDeaths } = this.#run.policy.rollout;
    const question = { service: service.name, policy, allowedTaskDeaths, weight: pause.weight };
    return judgeCanary({ ...question, looks: looks.get(service.name) ?? [], guardsOnly });
  }

  #conclude(looks: Looks, skipped: boolean): Verdict[] {
    return this.#of.wave.map((each) => {
      const judged = this.#judge(each, looks, skipped);
      const verdict = skipped && judged.outcome === 'pass' ? this.#skipped(judged) : judged;
      this.#record(each, looks, {
        verdict: verdict === judged ? judged.outcome : 'skipped',
        reasons: verdict.reasons,
        endedAt: now(),
      });
      return verdict;
    });
  }

  #skipped({ outcome, reasons }: Verdict): Verdict {
    const { by, reason } = this.#run.inbox.heedPromotion() ?? { by: 'somebody', reason: 'no reason given' };
    return { outcome, reasons: [`${by} skipped the waiting: ${reason}.`, ...reasons] };
  }

  #record(
    { service: { name } }: Paused,
    looks: Looks,
    end: Partial<Pick<CanaryStep, 'verdict' | 'reasons' | 'endedAt'>> = {},
  ): void {
    const all = looks.get(name) ?? [];
    const latest = all.at(-1);
    this.#run.sawCanary({
      service: name,
      weight: this.#of.weight,
      startedAt: this.#since,
      looks: all.length,
      reasons: [],
      ...(latest && { seen: { canary: latest.canary, baseline: latest.baseline, deaths: latest.deaths } }),
      ...end,
    });
  }
}

/** ECS has ended a canary that it was not told to end. */
export function lost(service: string, { reasons }: Verdict): Ended {
  return new Ended('RolledBack', `the canary of ${service} ended: ${reasons.join(' ')}`);
}

export function told(verdicts: readonly Verdict[]): string {
  return verdicts.flatMap(({ reasons }) => reasons).join(' ');
}

export function namesOf(shifting: readonly Shifting[]): string {
  return shifting.map(({ service }) => service.name).join(', ');
}
