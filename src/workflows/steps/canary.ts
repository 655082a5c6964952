import type { Pause, Shifting } from '../../activities/canary/types.ts';
import type { Rollout } from '../../activities/ecs/types.ts';
import type { CanaryPolicy } from '../../domain/policy.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { CanaryWatch, HELD_LOOK_SECONDS, lost, namesOf, told, type Paused } from './canary-watch.ts';
import { followToItsEnd } from './follow.ts';

/** Seconds within which the dead man's switch acts once it is due. */
const SWITCH_SECONDS = 60;

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
    let wave = await this.#run.step(`${names} without traffic`, () => this.#arrive(rollouts, 0), {
      detail: () => 'new tasks up, on the images that were tested',
    });
    await smoke();
    await this.#whileHeld(wave, this.#watch(wave, 0));
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
          await this.#whileHeld([], this.#watch([], 100));
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

  async #release({ service, rollout, pause }: Paused): Promise<void> {
    const { target } = this.#run.policy;
    const { proof: lock } = this.#run.lock;
    const summary = `${service.name} on from ${pause.weight} %`;
    await activities('write', summary).continueRollout({ target, service, rollout, pause, lock });
  }

  /** Waits until all are at the pause after the one that was released, if any. */
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
    const services = arrived.map(({ service }) => service.name);
    this.#run.paused = { services, weight, expiresAt: this.#expiry(arrived) };
    this.#run.show();
    return arrived;
  }

  #watch(wave: readonly Paused[], weight: number): CanaryWatch {
    return new CanaryWatch(this.#run, { policy: this.#policy, wave, earlier: this.#earlier, weight });
  }

  /** Judges one step to its end, and waits while a person holds it. @returns what was found @throws Ended `RolledBack` */
  async #judge(wave: readonly Paused[], weight: number): Promise<string> {
    for (;;) {
      const watch = this.#watch(wave, weight);
      const verdicts = await watch.bake();
      const open = verdicts.filter(({ outcome }) => outcome === 'inconclusive');
      if (open.length === 0) {
        await this.#whileHeld(wave, watch);
        return told(verdicts);
      }
      const what = `the canary of ${namesOf(wave)} at ${weight} % is inconclusive: ${told(open)}`;
      if (this.#policy.onInconclusive === 'rollback') throw new Ended('RolledBack', what);
      const { action, by } = await this.#run.people.decide(what, ['continue', 'retry', 'rollback'], {
        until: this.#expiry(wave),
        waitSeconds: () => this.#secondsToNextLook(wave),
        meanwhile: () => watch.glance(),
      });
      if (action === 'rollback') throw new Ended('RolledBack', `${what} (${by} decided to go back)`);
      if (action === 'continue') {
        await this.#whileHeld(wave, watch);
        return `${told(open)} (${by} decided to go on)`;
      }
    }
  }

  /** While a person holds it a canary stays where it is; looks go on, and so does the dead man's switch. */
  async #whileHeld(wave: readonly Paused[], watch: CanaryWatch): Promise<void> {
    const { inbox, people, paused } = this.#run;
    const names = paused?.services.join(', ') ?? '';
    for (let { held } = inbox; held !== undefined; { held } = inbox) {
      const { by, reason } = held;
      const why = reason === undefined ? '' : ` (${reason})`;
      const question = {
        what: `resume: ${names} held at ${paused?.weight ?? 100} % by ${by}${why}`,
        signal: 'resume',
        example: { by: '<you>' },
        until: this.#expiry(wave),
      } as const;
      const wait = this.#secondsToNextLook(wave) * 1000;
      const answered = await people.waitFor(question, () => inbox.held === undefined, wait);
      if (!answered) await watch.glance();
    }
  }

  /** When the first of them, or of the earlier waves, goes back by itself. */
  #expiry(wave: readonly Paused[]): string {
    return [...this.#earlier, ...wave].map(({ pause }) => pause.expiresAt).toSorted()[0] ?? '';
  }

  /** The next look comes right after the dead man's switch may have acted. */
  #secondsToNextLook(wave: readonly Paused[]): number {
    const left = Math.ceil((Date.parse(this.#expiry(wave)) - Date.now()) / 1000) + 1;
    if (left > 0) return Math.min(HELD_LOOK_SECONDS, left);
    return left > -SWITCH_SECONDS ? SWITCH_SECONDS / 6 : HELD_LOOK_SECONDS;
  }
}
