import { ListServiceDeploymentsCommand } from '@aws-sdk/client-ecs';
import type { ServiceDeploymentBrief } from '@aws-sdk/client-ecs';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAwsClients } from '../../../src/activities/aws.ts';
import type { AwsClients } from '../../../src/activities/aws.ts';
import { createEcsActivities } from '../../../src/activities/ecs/activities.ts';
import type { EcsDeps } from '../../../src/activities/ecs/activities.ts';
import type { EcsActivities } from '../../../src/activities/ecs/types.ts';
import type { LockProof } from '../../../src/activities/lock.ts';
import { pathNotFound } from '../../../src/activities/source/reader.ts';
import type { CanaryPolicy, RolloutPolicy, ServicePolicy, Target } from '../../../src/domain/policy.ts';
import { CLUSTER, World } from '../../sandbox/ecs/world.ts';

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export const aTarget = (change: Partial<Target> = {}): Target => ({
  platform: 'notes',
  environment: 'production',
  account: '000000000000',
  region: 'eu-west-1',
  cluster: CLUSTER,
  ...change,
});

export const aService = (name: string, change: Partial<ServicePolicy> = {}): ServicePolicy => ({
  name,
  ecsService: name,
  repository: name,
  container: 'web',
  taskDefinition: `deploy/${name}.json`,
  dependsOn: [],
  desiredCount: 1,
  versionPath: '/version',
  ...change,
});

export const aPolicy = (change: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  timeoutSeconds: 20,
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  allowedTaskDeaths: 1,
  alarms: [],
  ...change,
});

export const aCanary = (change: Partial<CanaryPolicy> = {}): CanaryPolicy => ({
  services: [],
  steps: [50, 100],
  bakeSeconds: 60,
  deadMan: { stepMinutes: 20, lastMinutes: 90 },
  judge: { minimumRequests: 1 },
  onInconclusive: 'rollback',
  smoke: [],
  ...change,
});

export const aLock: LockProof = {
  environmentWorkflowId: 'notes.environment.production',
  requestId: 'r1',
  token: { epoch: 1, counter: 1 },
};

/** The activities on a sandbox of their own. */
export interface Rig {
  readonly world: World;
  readonly aws: AwsClients;
  readonly activities: EcsActivities;
  /** The files of the platform's repository, whatever the commit. */
  readonly files: Map<string, string>;
  /** How often the lock was shown. */
  readonly asserted: () => number;
  /** From now on another run holds the lock. */
  readonly loseLock: (lost: boolean) => void;
  /** What they were made of. */
  readonly deps: EcsDeps & { readonly pollMilliseconds: number };
  /** The same activities, made otherwise. */
  readonly withDeps: (change: Partial<EcsDeps>) => EcsActivities;
  /** Has the sandbox do as the rule says, until `mend`: see its faults. */
  readonly disturb: (rule: Record<string, unknown>) => Promise<void>;
  /** How often each rule has struck. */
  readonly struck: () => Promise<number[]>;
  readonly mend: () => Promise<void>;
  /** Oldest first. */
  readonly deployments: (service: string) => Promise<ServiceDeploymentBrief[]>;
  close(): Promise<void>;
}

export async function aRig({ speed = 400 } = {}): Promise<Rig> {
  const world = await World.start({ speed });
  const aws = createAwsClients({ endpoint: world.sandbox.url, credentials });
  const faults = `${world.sandbox.url}/_sandbox/faults`;
  const files = new Map<string, string>();
  let asserted = 0;
  let lost = false;
  const deps = {
    aws,
    pollMilliseconds: 20,
    source: {
      readFile: async (commit: string, path: string) => {
        const text = files.get(path);
        if (text === undefined) throw pathNotFound(commit, path);
        return text;
      },
    },
    assertHolder: async () => {
      if (lost) throw ApplicationFailure.nonRetryable('another run holds the lock', 'LockLost');
      asserted += 1;
    },
  };
  return {
    world,
    aws,
    files,
    deps,
    activities: createEcsActivities(deps),
    withDeps: (change) => createEcsActivities({ ...deps, ...change }),
    asserted: () => asserted,
    loseLock: (value) => void (lost = value),
    async disturb(rule) {
      const answer = await fetch(faults, { method: 'POST', body: JSON.stringify(rule) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    async struck() {
      const answer = (await (await fetch(faults)).json()) as { faults: { struck: number }[] };
      return answer.faults.map(({ struck }) => struck);
    },
    async mend() {
      await fetch(faults, { method: 'DELETE' });
    },
    async deployments(service) {
      const listed = await world.ecs.send(new ListServiceDeploymentsCommand({ cluster: CLUSTER, service }));
      return (listed.serviceDeployments ?? []).toReversed();
    },
    async close() {
      aws.destroy();
      await world.close();
    },
  };
}

/** An activity's environment, as its first attempt or a later one has it: first scheduled at `scheduled`. */
export function anActivity(scheduled = Date.now()): MockActivityEnvironment {
  return new MockActivityEnvironment(
    { scheduledTimestampMs: scheduled },
    { logger: new DefaultLogger('ERROR') },
  );
}

/** What a worker that shuts down does to its activities. */
export function shutDown(activity: MockActivityEnvironment): void {
  activity.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
}

/** Runs `call` as that activity. */
export function inside<T>(activity: MockActivityEnvironment, call: () => Promise<T>): Promise<T> {
  return activity.run<[], T, () => Promise<T>>(call);
}
