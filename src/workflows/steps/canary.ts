import type { Pause, Shifting } from '../../activities/canary/types.ts';
import type { Rollout } from '../../activities/ecs/types.ts';
import type { CanaryPolicy } from '../../domain/policy.ts';
import { span } from '../../domain/span.ts';
import { canaryEnd } from '../../domain/render/canary.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { CanaryWatch, lost, namesOf, told, type Paused } from './canary-watch.ts';
import { followToItsEnd } from './follow.ts';

/** Percent that a weight of ECS, a floating-point number, may be beside the policy's. */
const SAME_WEIGHT = 0.05;

/** What comes after the canaries: they wait, with all traffic on the release and the old tasks still there. */
export interface WaitingCanaries {
  readonly paused: readonly Rollout[];
  /** Does `work` while they are guarded. @throws Ended `RolledBack` when ECS has ended one, or one fails */
  readonly beside: <T>(work: () => Promise<T>) => Promise<T>;
  /** Lets them end: the old tasks go. */
  readonly complete: () => Promise<void>;
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
    const { inbox } = this.#run;
    const names = namesOf(rollouts);
    let wave = await this.#run.step(`${names} without traffic`, () => this.#arrive(rollouts, 0), {
      detail: () => 'new tasks up, on the images that were tested',
    });
    inbox.canaryBegun();
    const watch = this.#watch(wave, 0);
    await watch.beside(smoke);
    await this.#whileHeld(wave, watch);
    for (const weight of this.#policy.steps) {
      await this.#run.step(
        `${names} at ${weight} %`,
        async () => {
          for (const each of wave) await this.#release(each);
          wave = await this.#arrive(wave, weight);
          return await this.#judge(wave, weight);
        },
        { detail: (verdict) => verdict },
      );
    }
    this.#earlier = [...this.#earlier, ...wave];
  }

  /** Does `work` while the waves that have all traffic are guarded. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    return this.#earlier.length === 0 ? await work() : await this.#watch([], 100).beside(work);
  }

  handOver(): WaitingCanaries {
    return {
      paused: this.#earlier.map(({ rollout }) => rollout),
      beside: (work) => this.beside(work),
      complete: () => this.#complete(),
    };
  }

  get #policy(): CanaryPolicy {
    const { canary } = this.#run.policy.rollout;
    if (canary === undefined) throw new Ended('PreflightFailed', 'the policy has no canary');
    return canary;
  }

  async #complete(): Promise<void> {
    const { inbox } = this.#run;
    const paused = this.#earlier;
    if (paused.length === 0) {
      inbox.canaryOver('no service went by canary: what runs first has nothing to compare with');
      return;
    }
    await this.#run.step(
      'let the old tasks go',
      async () => {
        await this.#whileHeld([], this.#watch([], 100));
        inbox.canaryOver('all services have the release for good');
        for (const each of paused) await this.#release(each);
        this.#run.paused = undefined;
        await Promise.all(paused.map((each) => followToItsEnd(this.#run, each)));
      },
      { detail: () => `${namesOf(paused)} on ${this.#run.release.version} alone` },
    );
  }

  async #release({ service, rollout, pause }: Paused): Promise<void> {
    const { target } = this.#run.policy;
    const { proof: lock } = this.#run.lock;
    const summary = `${service.name} on from ${pause.weight} %`;
    await activities('write', summary).continueRollout({ target, service, rollout, pause, lock });
  }

  /** Waits until all are at the pause after the one that was released, if any. */
  async #arrive(wave: readonly (Shifting & { pause?: Pause })[], weight: number): Promise<readonly Paused[]> {
    const arrived = await this.beside(
      async () => await Promise.all(wave.map((each) => this.#nextPause(each, weight))),
    );
    for (const { service, pause } of arrived) {
      if (Math.abs(pause.weight - weight) > SAME_WEIGHT || pause.last !== (weight === 100)) {
        const where = `${pause.weight} %${pause.last ? ', its last pause' : ''}`;
        throw new Ended('RolledBack', `ECS has ${service.name} at ${where}, where ${weight} % was due`);
      }
    }
    const services = arrived.map(({ service }) => service.name);
    this.#run.paused = { services, weight, expiresAt: this.#expiry(arrived) };
    this.#run.show();
    return arrived;
  }

  async #nextPause(
    { service, rollout, pause }: Shifting & { pause?: Pause },
    weight: number,
  ): Promise<Paused> {
    const { target, rollout: policy } = this.#run.policy;
    const following = activities('process', `${service.name} to ${weight} %`, policy.timeoutSeconds);
    const after = pause && { after: pause.hookId };
    const progress = await following.awaitPause({ target, service, rollout, policy, ...after });
    if (progress.kind === 'ended') throw lost(service.name, progress.verdict);
    return { service, rollout, pause: progress.pause };
  }

  #watch(wave: readonly Paused[], weight: number): CanaryWatch {
    return new CanaryWatch(this.#run, { policy: this.#policy, wave, earlier: this.#earlier, weight });
  }

  /** Judges one step to its end, and waits while a person holds it. @returns what was found @throws Ended `RolledBack` */
  async #judge(wave: readonly Paused[], weight: number): Promise<string> {
    for (;;) {
      const watch = this.#watch(wave, weight);
      const verdicts = await watch.bake();
      const wasHeld = await this.#whileHeld(wave, watch);
      const open = verdicts.filter(({ outcome }) => outcome === 'inconclusive');
      if (open.length === 0) return [this.#endOf(wave), ...wasHeld].join('. ');
      // Who froze it wanted more time: it is watched once more.
      if (wasHeld.length > 0) continue;
      const what = `the canary of ${namesOf(wave)} at ${weight} % is inconclusive: ${told(open)}`;
      const { action, by } = await this.#decide(what, wave, watch);
      if (action === 'rollback')
        throw new Ended('RolledBack', by === undefined ? what : `${what} (${by} decided to go back)`);
      if (action === 'continue')
        return [told(open), `${by} decided to go on.`, ...(await this.#whileHeld(wave, watch))].join(' ');
    }
  }

  #endOf(wave: readonly Paused[]): string {
    return this.#run.canary.slice(-wave.length).map(canaryEnd).join('; ');
  }

  async #decide(
    what: string,
    wave: readonly Paused[],
    watch: CanaryWatch,
  ): Promise<{ action: 'continue' | 'retry' | 'rollback'; by?: string }> {
    if (this.#policy.onInconclusive === 'rollback') return { action: 'rollback' };
    const { people } = this.#run;
    return await watch.beside(() =>
      people.decide(what, ['continue', 'retry', 'rollback'], this.#expiry(wave)),
    );
  }

  /**
   * While a person holds it a canary stays where it is; it is guarded, and the dead man's switch goes on.
   * @returns a sentence for each time that it was held
   */
  async #whileHeld(wave: readonly Paused[], watch: CanaryWatch): Promise<string[]> {
    const { inbox, people, paused } = this.#run;
    const times: string[] = [];
    for (let { held } = inbox; held !== undefined; { held } = inbox) {
      const { by, since, reason } = held;
      const why = reason === undefined ? '' : ` (${reason})`;
      const question = {
        what: `resume: ${paused?.services.join(', ')} held at ${paused?.weight} % by ${by}${why}`,
        signal: 'resume',
        example: { by: '<you>' },
        until: this.#expiry(wave),
      } as const;
      await watch.beside(() => people.waitFor(question, () => inbox.held?.since !== since));
      times.push(`Held by ${by}${why} for ${span((Date.now() - Date.parse(since)) / 1000)}.`);
    }
    return times;
  }

  /** When the first of them, or of the earlier waves, goes back by itself. */
  #expiry(wave: readonly Paused[]): string {
    return [...this.#earlier, ...wave].map(({ pause }) => pause.expiresAt).toSorted()[0] ?? '';
  }
}
