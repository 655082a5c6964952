import type { Pause, Shifting } from '../../activities/canary/types.ts';
import { judgeCanary } from '../../domain/canary-judge.ts';
import { sliceSeconds } from '../../domain/canary-slices.ts';
import type { CanaryStep, Look } from '../../domain/canary.ts';
import type { CanaryPolicy } from '../../domain/policy.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { unless } from '../run/interruptible.ts';
import { now } from '../run/time.ts';

/** While a canary only waits for a person: seconds between two looks at it, and what such a look is of. */
export const HELD_LOOK_SECONDS = 600;

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
    const { policy, wave } = this.#of;
    const { inbox } = this.#run;
    const promoted = () => inbox.promotion !== undefined;
    const slice = sliceSeconds(policy.bakeSeconds, policy.steps.length * policy.services.length);
    const looks = new Map<string, Look[]>();
    const look = async (seconds: number, guardsOnly: boolean) => {
      const seen = await this.#sample(this.#since, policy.bakeSeconds, seconds, guardsOnly);
      for (const each of seen) looks.set(each.service, [...(looks.get(each.service) ?? []), each]);
      for (const each of wave) this.#record(each, looks);
      this.#demandNoFailure(looks, () => this.#conclude(looks, guardsOnly));
    };
    for (let left = policy.bakeSeconds; left > 0 && !promoted(); left -= slice)
      await unless(promoted, () => look(Math.min(slice, left), false));
    // Who skips the waiting does not skip the guards: one more look, at what there is by now.
    if (promoted()) await look(0, true);
    return this.#conclude(looks, promoted());
  }

  /** One look at the last minutes, while a person is waited for; nothing of it is kept unless it ends the canary. @throws as `bake` does */
  async glance(): Promise<void> {
    const recently = Date.now() - HELD_LOOK_SECONDS * 1000;
    const since = new Date(Math.max(Date.parse(this.#since), recently)).toISOString();
    const seen = await this.#sample(since, HELD_LOOK_SECONDS, 0, true);
    this.#demandNoFailure(Map.groupBy(seen, ({ service }) => service));
  }

  get #all(): readonly Paused[] {
    return [...this.#of.earlier, ...this.#of.wave];
  }

  /** @throws Ended `RolledBack` when ECS has ended one */
  async #sample(
    since: string,
    stepSeconds: number,
    seconds: number,
    guardsOnly: boolean,
  ): Promise<readonly Look[]> {
    const { target, rollout } = this.#run.policy;
    const { policy, wave, weight } = this.#of;
    const summary = `judge ${namesOf(wave.length > 0 ? wave : this.#all)} at ${weight} %`;
    const { looks, ended } = await activities('process', summary, seconds).watchCanary({
      target,
      shifting: this.#all,
      judge: policy.judge,
      allowedTaskDeaths: rollout.allowedTaskDeaths,
      since,
      stepSeconds,
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
      const verdict = this.#judge(each, looks, skipped);
      this.#record(each, looks, {
        verdict: skipped && verdict.outcome === 'pass' ? 'skipped' : verdict.outcome,
        reasons: verdict.reasons,
        endedAt: now(),
      });
      return verdict;
    });
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
