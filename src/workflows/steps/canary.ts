import type { Pause, Shifting } from '../../activities/canary/types.ts';
import type { Rollout } from '../../activities/ecs/types.ts';
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
import { followToItsEnd } from './follow.ts';

/** While a canary only waits for a person: seconds between two looks at it. */
const HELD_LOOK_SECONDS = 600;
/** Seconds within which the dead man's switch acts once it is due. */
const SWITCH_SECONDS = 60;

interface Paused extends Shifting {
  readonly pause: Pause;
}

/** One step of a wave: what was seen of each service since it began. */
interface Step {
  readonly weight: number;
  readonly since: string;
  readonly looks: Map<string, Look[]>;
}

/** Shifts traffic to the release, wave by wave. A wave stays at its last pause, where the old tasks are still there, until all are let go. */
export class Canary {
  readonly #run: DeploymentRun;
  /** Waves that have all traffic. */
  #earlier: readonly Paused[] = [];

  constructor(run: DeploymentRun) {
    this.#run = run;
  }

  /**
   * Shifts the traffic of one wave together: each step is judged for all of its services before the next.
   * @param smoke runs when the new tasks are up and have no traffic yet
   * @throws Ended `RolledBack`
   */
  async shift(rollouts: readonly Shifting[], smoke: () => Promise<void>): Promise<void> {
    const names = namesOf(rollouts);
    const policy = this.#policy;
    let wave = await this.#run.step(`${names} without traffic`, () => this.#arrive(rollouts, 0), {
      detail: () => 'new tasks up, on the images that were tested',
    });
    await smoke();
    await this.#whileHeld(wave, 0);
    for (const weight of policy.steps) {
      await this.#run.step(
        `${names} at ${weight} %`,
        async () => {
          wave = await this.#goOn(wave, weight);
          const verdict = await this.#judge(wave, weight);
          await this.#whileHeld(wave, weight);
          return verdict;
        },
        { detail: (verdict) => verdict },
      );
    }
    this.#earlier = [...this.#earlier, ...wave];
  }

  /** What verification needs to know of the canaries, and how they are let go after it. */
  handOver(): { readonly paused: readonly Rollout[]; readonly complete: () => Promise<void> } {
    return { paused: this.#earlier.map(({ rollout }) => rollout), complete: () => this.#complete() };
  }

  get #policy(): CanaryPolicy {
    const { canary } = this.#run.policy.rollout;
    if (canary === undefined) throw new Ended('PreflightFailed', 'the policy has no canary');
    return canary;
  }

  async #complete(): Promise<void> {
    const { inbox } = this.#run;
    const paused = this.#earlier;
    if (paused.length > 0) {
      await this.#run.step(
        'let the old tasks go',
        async () => {
          await this.#whileHeld([], 100);
          inbox.canaryOver('all services have the release for good');
          for (const each of paused) await this.#release(each);
          this.#run.paused = undefined;
          await Promise.all(paused.map((each) => followToItsEnd(this.#run, each)));
        },
        { detail: () => `${namesOf(paused)} on ${this.#run.release.version} alone` },
      );
    }
    inbox.canaryOver('no service went by canary: what runs first has nothing to compare with');
  }

  /** Has ECS take the wave's next step, and waits until the traffic is shifted. */
  async #goOn(wave: readonly Paused[], weight: number): Promise<readonly Paused[]> {
    for (const each of wave) await this.#release(each);
    return await this.#arrive(wave, weight);
  }

  async #release({ service, rollout, pause }: Paused): Promise<void> {
    const { target } = this.#run.policy;
    const { proof: lock } = this.#run.lock;
    const summary = `${service.name} on from ${pause.weight} %`;
    await activities('write', summary).continueRollout({ target, service, rollout, pause, lock });
  }

  /** Waits until all are at the pause after the one that was released. */
  async #arrive(wave: readonly (Shifting & { pause?: Pause })[], weight: number): Promise<readonly Paused[]> {
    const { target, rollout: policy } = this.#run.policy;
    const arrived = await Promise.all(
      wave.map(async ({ service, rollout, pause }): Promise<Paused> => {
        const summary = `${service.name} to ${weight} %`;
        const progress = await activities('process', summary, policy.timeoutSeconds).awaitPause({
          target,
          service,
          rollout,
          policy,
          ...(pause && { after: pause.hookId }),
        });
        if (progress.kind === 'ended') throw lost(service.name, progress.verdict);
        return { service, rollout, pause: progress.pause };
      }),
    );
    for (const { service, pause } of arrived) {
      if (pause.weight !== weight || pause.last !== (weight === 100)) {
        const where = `${pause.weight} %${pause.last ? ', its last pause' : ''}`;
        throw new Ended('RolledBack', `ECS has ${service.name} at ${where}, where ${weight} % was due`);
      }
    }
    this.#show(arrived, weight);
    return arrived;
  }

  #show(wave: readonly Paused[], weight: number): void {
    const services = wave.map(({ service }) => service.name);
    this.#run.paused = { services, weight, expiresAt: this.#expiry(wave) };
    this.#run.show();
  }

  /** Judges one step to its end. @returns what was found, for people @throws Ended `RolledBack` */
  async #judge(wave: readonly Paused[], weight: number): Promise<string> {
    for (;;) {
      const step: Step = { weight, since: now(), looks: new Map() };
      const verdicts = await this.#bake(wave, step);
      const open = verdicts.filter(({ outcome }) => outcome === 'inconclusive');
      if (open.length === 0) return told(verdicts);
      const what = `the canary of ${namesOf(wave)} at ${weight} % is inconclusive: ${told(open)}`;
      if (this.#policy.onInconclusive === 'rollback') throw new Ended('RolledBack', what);
      const { action, by } = await this.#run.people.decide(what, ['continue', 'retry', 'rollback'], {
        until: this.#expiry(wave),
        waitSeconds: () => this.#secondsToNextLook(wave),
        meanwhile: () => this.#glance(wave, weight),
      });
      if (action === 'rollback') throw new Ended('RolledBack', `${what} (${by} decided to go back)`);
      if (action === 'continue') return `${told(open)} (${by} decided to go on)`;
    }
  }

  /** Samples until the step's time is over, or a person skips the rest of it. */
  async #bake(wave: readonly Paused[], step: Step): Promise<readonly Verdict[]> {
    const { inbox } = this.#run;
    const { bakeSeconds, steps, services } = this.#policy;
    const slice = sliceSeconds(bakeSeconds, steps.length * services.length);
    for (let left = bakeSeconds; left > 0 && inbox.promotion === undefined; left -= slice) {
      await unless(
        () => inbox.promotion !== undefined,
        () => this.#watch(wave, step, Math.min(slice, left), false),
      );
    }
    // What was cut short is told by one more look: who skips the waiting does not skip the guards.
    const skipped = inbox.promotion !== undefined;
    if (skipped) await this.#watch(wave, step, 0, true);
    return wave.map((each) => this.#conclude(each, step, skipped));
  }

  /** @throws Ended `RolledBack` when ECS has ended one, or one of this or an earlier wave fails */
  async #watch(wave: readonly Paused[], step: Step, seconds: number, guardsOnly: boolean): Promise<void> {
    const { target, rollout } = this.#run.policy;
    const { judge, bakeSeconds } = this.#policy;
    const shifting = [...this.#earlier, ...wave];
    const summary = `judge ${namesOf(wave.length > 0 ? wave : shifting)} at ${step.weight} %`;
    const { looks, ended } = await activities('process', summary, seconds).watchCanary({
      target,
      shifting,
      judge,
      allowedTaskDeaths: rollout.allowedTaskDeaths,
      since: step.since,
      stepSeconds: bakeSeconds,
      seconds,
      ...(guardsOnly && { guardsOnly }),
    });
    for (const look of looks) step.looks.set(look.service, [...(step.looks.get(look.service) ?? []), look]);
    for (const each of wave) this.#record(each, step);
    const [gone] = ended;
    if (gone !== undefined) throw lost(gone.service, gone.verdict);
    const failed = shifting.flatMap((each) => {
      const verdict = this.#ask(each, step, true);
      return verdict.outcome === 'fail' ? [verdict] : [];
    });
    if (failed.length > 0) {
      for (const each of wave) this.#conclude(each, step, guardsOnly);
      throw new Ended('RolledBack', told(failed));
    }
  }

  /** One look at all that is paused, while a person is waited for. */
  async #glance(wave: readonly Paused[], weight: number): Promise<void> {
    await this.#watch(wave, { weight, since: now(), looks: new Map() }, 0, true);
  }

  #ask({ service, pause }: Paused, { looks }: Step, guardsOnly: boolean): Verdict {
    const { judge: policy } = this.#policy;
    const { allowedTaskDeaths } = this.#run.policy.rollout;
    const question = { service: service.name, policy, allowedTaskDeaths, weight: pause.weight };
    return judgeCanary({ ...question, looks: looks.get(service.name) ?? [], guardsOnly });
  }

  #conclude(each: Paused, step: Step, skipped: boolean): Verdict {
    const verdict = this.#ask(each, step, skipped);
    const outcome = skipped && verdict.outcome === 'pass' ? 'skipped' : verdict.outcome;
    this.#record(each, step, { ...verdict, outcome });
    return verdict;
  }

  #record(
    { service }: Paused,
    { weight, since, looks }: Step,
    end?: { outcome: NonNullable<CanaryStep['verdict']>; reasons: readonly string[] },
  ): void {
    const all = looks.get(service.name) ?? [];
    const latest = all.at(-1);
    const { name } = service;
    this.#run.sawCanary({
      service: name,
      weight,
      startedAt: since,
      looks: all.length,
      reasons: end?.reasons ?? [],
      ...(latest && { seen: { canary: latest.canary, baseline: latest.baseline, deaths: latest.deaths } }),
      ...(end && { verdict: end.outcome, endedAt: now() }),
    });
  }

  /** While a person holds it a canary stays where it is; looks go on, and so does the dead man's switch. */
  async #whileHeld(wave: readonly Paused[], weight: number): Promise<void> {
    const { inbox, people } = this.#run;
    const all = [...this.#earlier, ...wave];
    for (let { held } = inbox; held !== undefined; { held } = inbox) {
      const { by, reason } = held;
      const why = reason === undefined ? '' : ` (${reason})`;
      const question = {
        what: `resume: ${namesOf(wave.length > 0 ? wave : all)} held at ${weight} % by ${by}${why}`,
        signal: 'resume',
        example: { by: '<you>' },
        until: this.#expiry(all),
      } as const;
      const wait = this.#secondsToNextLook(all) * 1000;
      const answered = await people.waitFor(question, () => inbox.held === undefined, wait);
      if (!answered) await this.#glance(wave, weight);
    }
  }

  /** When the first of them goes back by itself. */
  #expiry(paused: readonly Paused[]): string {
    return [...this.#earlier, ...paused].map(({ pause }) => pause.expiresAt).toSorted()[0] ?? '';
  }

  /** The next look comes right after the dead man's switch may have acted. */
  #secondsToNextLook(paused: readonly Paused[]): number {
    const left = Math.ceil((Date.parse(this.#expiry(paused)) - Date.now()) / 1000) + 1;
    if (left > 0) return Math.min(HELD_LOOK_SECONDS, left);
    return left > -SWITCH_SECONDS ? SWITCH_SECONDS / 6 : HELD_LOOK_SECONDS;
  }
}

function lost(service: string, { reasons }: Verdict): Ended {
  return new Ended('RolledBack', `the canary of ${service} ended: ${reasons.join('; ')}`);
}

function told(verdicts: readonly Verdict[]): string {
  return verdicts.flatMap(({ reasons }) => reasons).join('; ');
}

function namesOf(shifting: readonly Shifting[]): string {
  return shifting.map(({ service }) => service.name).join(', ');
}
