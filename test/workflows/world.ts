import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ENVIRONMENT_SIGNALS, INSPECT_UPDATE, workflowId } from '../../src/contract.ts';
import type {
  CanaryPolicy,
  EnvironmentPolicy,
  PipelinePolicy,
  RolloutPolicy,
  ServicePolicy,
} from '../../src/domain/policy.ts';
import type { Look } from '../../src/domain/canary.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { ServiceState } from '../../src/activities/ecs/types.ts';
import type { Notice } from '../../src/activities/notify/types.ts';
import type { Activities } from '../../src/workflows/activities.ts';

type Name = keyof Activities;
type Reply = (input: never, call: number) => unknown;
type RecordedHolder = NonNullable<Parameters<Activities['recordHolder']>[0]['holder']>;

export const COMMIT = 'a'.repeat(40);
export const OTHER_COMMIT = 'b'.repeat(40);
const DIGEST = `sha256:${'1'.repeat(64)}`;

const ROLLING: RolloutPolicy = {
  timeoutSeconds: 600,
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  allowedTaskDeaths: 1,
  alarms: [],
};

export function aService(name: string, dependsOn: readonly string[] = []): ServicePolicy {
  return {
    name,
    ecsService: name,
    repository: `notes/${name}`,
    container: name,
    taskDefinition: `deploy/${name}.json`,
    dependsOn,
    desiredCount: 2,
    versionPath: '/version',
  };
}

/** A platform's policy for one environment, with one service unless said otherwise. */
function aPolicy(environment: string, changes: Partial<EnvironmentPolicy> = {}): EnvironmentPolicy {
  return {
    target: {
      platform: 'notes',
      environment,
      account: '123456789012',
      region: 'eu-west-1',
      cluster: 'notes',
    },
    digest: DIGEST,
    services: [aService('web')],
    registry: { host: 'registry.example', account: '123456789012', region: 'eu-west-1' },
    terraform: {
      directory: 'terraform',
      backend: {},
      variables: {},
      parameters: {},
      variableFiles: [],
      allowDestroy: false,
    },
    settings: 'deploy/settings.json',
    requiredParameters: [],
    requiredSecrets: [],
    signals: { groups: {}, allowed: {} },
    rollout: ROLLING,
    verification: { metrics: { windowSeconds: 60 }, tests: [], soakSeconds: 60 },
    keepReleases: 20,
    ...changes,
  };
}

/** A look at a canary of 1,000 requests, of which `bad` failed. */
export function aLook(service: string, { bad = 0, deaths = 0, requests = 1000, weight = 20 } = {}): Look {
  const others = weight === 100 ? 0 : 4000;
  return {
    service,
    at: '2026-01-01T00:00:00.000Z',
    canary: { requests, bad },
    baseline: { requests: others, bad: 0 },
    balancer: { requests: requests + others, bad: 0 },
    deaths,
    stoppedReasons: [],
  };
}

/** A canary of two steps for `services`, a minute each, of which a tenth may fail. */
export function aCanary(services: readonly string[], changes: Partial<CanaryPolicy> = {}): RolloutPolicy {
  const canary: CanaryPolicy = {
    services,
    steps: [20, 100],
    bakeSeconds: 60,
    deadMan: { stepMinutes: 60, lastMinutes: 600 },
    judge: { minimumRequests: 100, maximumErrorRate: 0.1 },
    onInconclusive: 'rollback',
    smoke: [],
    ...changes,
  };
  return { ...ROLLING, canary };
}

/** An approval policy: one of the release managers, one of quality assurance. */
export const TWO_GROUPS = {
  required: { 'release-managers': 1, qa: 1 },
  groups: { 'release-managers': ['alice', 'bob'], qa: ['carol', 'alice'] },
  starterMayApprove: false,
  evidenceRequired: false,
  expiresAfterSeconds: 7 * 24 * 3600,
} as const;

/**
 * The outside world of a workflow test: every activity answers as in a platform that is well, and remembers that it was
 * called. `when` replaces single answers.
 */
export class World {
  readonly calls: string[] = [];
  readonly notices: Notice[] = [];
  readonly platform: string;
  policies: Record<string, EnvironmentPolicy> = {};
  taskDefinitionOf: Record<string, string> = {};
  /** Pauses that were released, in order, such as `web from 20`. */
  readonly released: string[] = [];
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #replies = new Map<Name, Reply>();
  readonly #counts = new Map<Name, number>();
  readonly #environments = new Map<string, WorkflowHandle>();
  /** By environment, what its workflow has kept outside of Temporal. */
  readonly #kept = new Map<string, { epoch: number; lastHolder?: RecordedHolder }>();

  constructor(platform: string, taskQueue: string, client: Client) {
    this.platform = platform;
    this.#taskQueue = taskQueue;
    this.#client = client;
  }

  /** Replaces an activity's answer; `call` counts from 1. */
  when<N extends Name>(name: N, reply: (input: Parameters<Activities[N]>[0], call: number) => unknown): void {
    this.#replies.set(name, reply);
  }

  /** What a reading activity answers unless it is replaced, whatever it is asked. */
  async usual<N extends Name>(name: N): Promise<Awaited<ReturnType<Activities[N]>>> {
    const answer = this.#answers()[name] as (input?: unknown) => ReturnType<Activities[N]>;
    return await answer();
  }

  /** Holds up an activity's next call: `reached` when it has come, answered after `go`. */
  holdUp(name: Name): { readonly reached: Promise<void>; readonly go: () => void } {
    const arrival = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    this.#replies.set(name, async () => {
      this.#replies.delete(name);
      arrival.resolve();
      await release.promise;
    });
    return { reached: arrival.promise, go: release.resolve };
  }

  /** Calls of writing activities, in order, such as `promoteImages`. */
  get writes(): string[] {
    return this.calls.filter((call) =>
      /^(promote|withdraw|write|delete|apply|restore|run(Migration)|register|start)/.test(call),
    );
  }

  policy(environment: string, changes: Partial<EnvironmentPolicy> = {}): void {
    const policy = aPolicy(environment, changes);
    this.policies[environment] = { ...policy, target: { ...policy.target, platform: this.platform } };
  }

  static activityNames(client: Client): Name[] {
    return Object.keys(new World('', '', client).#answers()) as Name[];
  }

  /** Every run of an environment's own workflow that was signalled. */
  get environments(): WorkflowHandle[] {
    return [...this.#environments.values()];
  }

  async answer(name: Name, input: never): Promise<unknown> {
    const call = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, call);
    this.calls.push(name);
    const replied = await this.#replies.get(name)?.(input, call);
    return replied === undefined ? await (this.#answers()[name] as Reply)(input, call) : replied;
  }

  #answers(): Activities {
    return { ...this.#reads(), ...this.#writes(), ...this.#environment() } as Activities;
  }

  #reads(): Partial<Activities> {
    const pass = (name: string) => ({ name, passed: true, detail: 'fine' });
    return {
      loadEnvironmentPolicy: async ({ environment }) => {
        const policy = this.policies[environment];
        if (policy !== undefined) return policy;
        throw ApplicationFailure.nonRetryable(`no environment ${environment}`, 'InvalidInput');
      },
      loadPipelinePolicy: async ({ through }): Promise<PipelinePolicy> => ({
        platform: this.platform,
        environments: upTo(Object.keys(this.policies), through),
        approvals: Object.values(this.policies)
          .filter((p) => p.approval)
          .map((p) => p.target.environment),
        registry: aPolicy('any').registry,
        services: [{ name: 'web', repository: 'notes/web' }],
      }),
      findCommit: async () => ({
        found: true,
        commit: { subject: 'A change', author: 'Ada', committedAt: '2026-01-01T00:00:00Z' },
      }),
      findManifest: async ({ release }) => ({
        kind: 'found',
        manifest: { ...release, images: { web: DIGEST } },
      }),
      checkScans: async () => [pass('scan web')],
      checkIdentity: async () => pass('AWS account'),
      checkRequired: async () => [],
      checkTaskDefinitions: async () => [pass('task definition of web')],
      existingSettings: async () => [],
      existingPromotions: async () => [],
      planSettings: async ({ release }) => [
        { key: 'MODEL', parameter: `/notes/${release.version}/MODEL`, value: DIGEST },
      ],
      checkTerraform: async () => pass('terraform'),
      planTerraform: async () => ({
        changeSet: {
          changes: [
            { address: 'terraform_data.a', actions: ['update'], attributes: ['input'], hash: DIGEST },
          ],
          origin: { directory: 'terraform', backend: 's3', workspace: 'default', location: DIGEST },
          digest: DIGEST,
          counts: { create: 0, update: 1, replace: 0, delete: 0 },
        },
        rendering: '~ terraform_data.a\n    input: "1.3.0" -> "1.4.0"',
        markdown: '`~ terraform_data.a`',
        drift: { resources: [], omitted: 0 },
        refusals: [],
      }),
      detectDrift: async () => ({ resources: [], omitted: 0 }),
      readOutputs: async () => ({}),
      planServices: async ({ services, manifest, target, rollout }) => ({
        services: services.map(({ name }) => ({
          service: name,
          rollout:
            rollout.canary?.services.includes(name) === true && this.#state(target.environment, name).serving
              ? ('canary' as const)
              : ('rolling' as const),
          image: manifest.images[name] ?? '',
          taskDefinition: DIGEST,
        })),
        references: [],
        checks: [pass('hardening')],
        states: services.map(({ name }) => this.#state(target.environment, name)),
      }),
      describeServices: async ({ services, target }) =>
        services.map(({ name }) => this.#state(target.environment, name)),
      checkServiceStatus: async () => [pass('status web')],
      checkServedVersions: async () => [pass('version web')],
      judgeMetrics: async () => [],
      watchWindow: async () => ({ checks: [], metrics: [] }),
      runTests: async ({ suite }) => ({ suite: suite.name, passed: true, duration: 1, detail: '', log: '' }),
      followRollout: async () => ({ outcome: 'pass', reasons: [] }),
      notify: async (notice) => {
        this.notices.push(notice);
      },
    };
  }

  #writes(): Partial<Activities> {
    return {
      promoteImages: async () => ['web'],
      withdrawPromotion: async () => ['web'],
      writeSettings: async ({ release }) => [`/notes/${release.version}/MODEL`],
      deleteSettings: async ({ names }) => [...names],
      writeStatus: async () => undefined,
      applyTerraform: async () => ({
        outputs: {},
        changed: true,
        counts: { create: 0, update: 1, replace: 0, delete: 0 },
      }),
      restoreTerraform: async () => ({
        outputs: {},
        changed: true,
        counts: { create: 0, update: 1, replace: 0, delete: 0 },
      }),
      registerTaskDefinition: async ({ service, manifest }) =>
        `arn:task-definition/${service.name}:${manifest.version}`,
      runMigration: async () => ({ exitCode: 0, detail: '' }),
      startRollout: async ({ service, taskDefinition, target }) => {
        this.taskDefinitionOf[`${target.environment}/${service.name}`] = taskDefinition;
        return {
          service: service.name,
          taskDefinition,
          desiredCount: service.desiredCount,
          serviceDeploymentArn: 'arn:deployment',
        };
      },
      ...this.#canary(),
      restoreService: async ({ service, previous, target }) => {
        this.taskDefinitionOf[`${target.environment}/${service.name}`] = previous.taskDefinition ?? 'none';
        return { outcome: 'undone', detail: `back to ${previous.taskDefinition ?? 'desired count 0'}` };
      },
    };
  }

  /** ECS's canaries: a pause before each of the policy's steps, and one after the last. */
  #canary(): Partial<Activities> {
    return {
      awaitPause: async ({ service, policy: { canary }, after }) => {
        const weights = [0, ...(canary?.steps ?? [])];
        const at = after === undefined ? 0 : Number(after.split('#')[1]) + 1;
        const { scheduledTimestampMs } = Context.current().info;
        const expires = new Date(scheduledTimestampMs + (canary?.deadMan.stepMinutes ?? 0) * 60_000);
        return {
          kind: 'paused',
          pause: {
            hookId: `${service.name}#${at}`,
            weight: weights[at] ?? -1,
            last: at === weights.length - 1,
            expiresAt: expires.toISOString(),
          },
        };
      },
      continueRollout: async ({ service, pause }) => {
        this.released.push(`${service.name} from ${pause.weight}`);
      },
      watchCanary: async ({ shifting }) => ({
        looks: shifting.map(({ service, pause }) => aLook(service.name, { weight: pause.weight })),
        ended: [],
      }),
    };
  }

  #environment(): Partial<Activities> {
    return {
      findStarter: async () => 'starter',
      inspectEnvironment: async ({ environment }) => {
        const handle = await this.#signal(environment, ENVIRONMENT_SIGNALS.withdrawRequest, 'nobody');
        return await handle.executeUpdate<EnvironmentStatus, []>(INSPECT_UPDATE);
      },
      requestLock: async ({ environment, request }) => {
        await this.#signal(environment, ENVIRONMENT_SIGNALS.requestLock, request);
      },
      raiseEpoch: async ({ environment }) => {
        const { epoch, lastHolder } = this.#kept.get(environment) ?? { epoch: 0 };
        this.#kept.set(environment, { epoch: epoch + 1, ...(lastHolder && { lastHolder }) });
        return { epoch: epoch + 1, ...(lastHolder && { lastHolder }) };
      },
      recordHolder: async ({ environment, epoch, holder }) => {
        this.#kept.set(environment, { epoch, ...(holder && { lastHolder: holder }) });
      },
    };
  }

  /** Signals an environment's workflow, which is started when it does not run. */
  async #signal(environment: string, signal: string, message: unknown): Promise<WorkflowHandle> {
    const handle = await this.#client.workflow.signalWithStart('environment', {
      workflowId: workflowId.environment(this.platform, environment),
      taskQueue: this.#taskQueue,
      args: [{ platform: this.platform, environment }],
      signal,
      signalArgs: [message],
    });
    const run = this.#client.workflow.getHandle(handle.workflowId, handle.signaledRunId);
    this.#environments.set(handle.signaledRunId, run);
    return handle;
  }

  #state(environment: string, service: string): ServiceState {
    const taskDefinition = this.taskDefinitionOf[`${environment}/${service}`];
    const running = taskDefinition === undefined ? 0 : 2;
    return {
      service,
      exists: true,
      desiredCount: running,
      runningCount: running,
      stable: true,
      serving: running > 0,
      detail: 'stable',
      ...(taskDefinition !== undefined && { taskDefinition }),
    };
  }
}

function upTo(environments: string[], last: string | undefined): string[] {
  return last === undefined ? environments : environments.slice(0, environments.indexOf(last) + 1);
}
