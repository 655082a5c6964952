import type { MockActivityEnvironment } from '@temporalio/testing';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { createEcsActivities } from '../../../src/activities/ecs/activities.ts';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import type { Rollout } from '../../../src/activities/ecs/types.ts';
import { createVerificationActivities } from '../../../src/activities/verification/activities.ts';
import type { RolloutPolicy, ServicePolicy, Target } from '../../../src/domain/policy.ts';
import {
  aLock,
  anActivity,
  aPolicy,
  aService,
  aTarget,
  inside,
} from '../../../test/activities/ecs/aRollout.ts';
import { CONTAINER, DESIRED_COUNT } from '../stage.ts';
import type { Watch } from './watcher.ts';

export interface SlipwayOptions {
  /** Between two looks: what a worker has by default. */
  readonly pollMilliseconds: number;
  /** How long a release is watched after its rollout: a policy's soak. */
  readonly windowSeconds: number;
}

/** Slipway's own activities, as a worker has them, each in an activity's environment of its own. */
export class Slipway {
  readonly #watch: Watch;
  readonly #options: SlipwayOptions;
  readonly #aws;
  readonly #activities;
  readonly #target: Target;
  readonly #services: readonly ServicePolicy[];
  readonly #policy: RolloutPolicy = aPolicy({ timeoutSeconds: 1_200 });
  readonly #running = new Set<MockActivityEnvironment>();

  constructor(watch: Watch, options: SlipwayOptions) {
    this.#watch = watch;
    this.#options = options;
    const { pollMilliseconds } = options;
    const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
    this.#aws = createAwsClients({ endpoint: watch.proxy.url, credentials });
    const readFile = () => Promise.reject(new Error('nothing of the repository is needed'));
    const assertHolder = () => Promise.resolve();
    const reader = createEcsReader(this.#aws, pollMilliseconds);
    const deps = { aws: this.#aws, pollMilliseconds, reader };
    this.#activities = {
      ...createEcsActivities({ ...deps, source: { readFile }, assertHolder }),
      ...createVerificationActivities(deps),
    };
    this.#target = aTarget({ cluster: watch.cluster });
    this.#services = watch.services.map((name) =>
      aService(name, { desiredCount: DESIRED_COUNT, container: CONTAINER }),
    );
    watch.signal.addEventListener('abort', () => this.#cancel(), { once: true });
  }

  /** Starts all rollouts at once. */
  start(): Promise<Rollout[]> {
    return Promise.all(
      this.#services.map((service) =>
        this.#run(() =>
          this.#activities.startRollout({
            target: this.#target,
            service,
            taskDefinition: this.#watch.release.taskDefinitions[service.name] ?? '',
            rollout: this.#policy,
            by: 'rolling',
            lock: aLock,
          }),
        ),
      ),
    );
  }

  /** Follows all rollouts, and says of each how it ended. @returns whether all have passed */
  async follow(rollouts: readonly Rollout[]): Promise<boolean> {
    const passed = await Promise.all(
      this.#services.map(async (service, i) => {
        const rollout = rollouts[i];
        if (rollout === undefined) throw new Error(`the rollout of ${service.name} was not started`);
        const input = { target: this.#target, service, rollout, policy: this.#policy };
        const { outcome, reasons } = await this.#run(() => this.#activities.followRollout(input));
        const says = outcome === 'pass' ? 'success' : 'failure';
        this.#watch.say({ services: [service.name], says, words: reasons.join(' ') });
        return outcome === 'pass';
      }),
    );
    return passed.every(Boolean);
  }

  /** Watches the release through its deployment window, and says of all what it found. */
  async watchWindow(rolledOutSince: Date): Promise<void> {
    const { release, services, say } = this.#watch;
    const [, digest = ''] = release.container.image.split('@');
    const images = Object.fromEntries(services.map((name) => [name, digest]));
    const { checks, metrics } = await this.#run(() =>
      this.#activities.watchWindow({
        target: this.#target,
        services: this.#services,
        manifest: { version: '1.0.0', commit: 'c'.repeat(40), images },
        taskDefinitions: release.taskDefinitions,
        outputs: {},
        metrics: { windowSeconds: 60, minimumRequests: 20, maximumErrorRate: 0.01 },
        since: new Date().toISOString(),
        rolledOutSince: rolledOutSince.toISOString(),
        seconds: this.#options.windowSeconds,
        allowedTaskDeaths: this.#policy.allowedTaskDeaths,
      }),
    );
    const failed = [
      ...checks.flatMap(({ passed, name, detail }) => (passed ? [] : [`${name}: ${detail}`])),
      ...metrics.flatMap(({ outcome, service, metric }) =>
        outcome === 'fail' ? [`${metric} of ${service}`] : [],
      ),
    ];
    const words = failed[0] ?? `nothing went wrong for ${this.#options.windowSeconds} s`;
    say({ services, says: failed.length > 0 ? 'failure' : 'success', words });
  }

  close(): void {
    this.#cancel();
    this.#aws.destroy();
  }

  async #run<T>(activity: () => Promise<T>): Promise<T> {
    const environment = anActivity();
    this.#running.add(environment);
    try {
      return await inside(environment, activity);
    } finally {
      this.#running.delete(environment);
    }
  }

  #cancel(): void {
    for (const environment of this.#running) environment.cancel();
  }
}
