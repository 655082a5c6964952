import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { decodePendingActivityState, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { execa } from 'execa';
import type { ServerProcess } from '../../scripts/rehearsal/process.ts';
import { Rehearsal } from '../../scripts/rehearsal/rehearsal.ts';
import { loadTools } from '../../scripts/tools.ts';
import { workflowId } from '../../src/contract.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { createCanaryPlatform, type CanaryEnvironment, type CanaryPlatform } from './canary-platform.ts';
import type { ServiceName } from './canary-platform.ts';
import { Faults } from './faults.ts';
import type { Files } from './repository.ts';
import { createSmallPlatform, type SmallPlatform } from './small-platform.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const PLATFORM = 'writing-platform';
/** Divides the sandbox's waits. */
const SPEED = 20;
/** A dead man's switch counts in minutes. */
const CANARY_SPEED = 40;

/** How a run ended, whichever way. */
export interface Ending {
  readonly outcome: string;
  readonly message: string;
  readonly report: DeploymentReport;
}

/** A rehearsal that one file's tests share: a Temporal server, the sandbox, a platform; and what shows from outside what happened. */
export class Stage {
  readonly rehearsal: Rehearsal;
  readonly directory: string;
  readonly ecs = new ECSClient();
  readonly ssm = new SSMClient();
  readonly faults: Faults;
  #workerEnv: Readonly<Record<string, string>>;
  readonly #small: SmallPlatform | undefined;

  private constructor(
    rehearsal: Rehearsal,
    small: SmallPlatform | undefined,
    workerEnv: Record<string, string>,
  ) {
    this.rehearsal = rehearsal;
    this.directory = rehearsal.directory;
    this.faults = new Faults(rehearsal.sandboxUrl);
    this.#small = small;
    this.#workerEnv = workerEnv;
  }

  /** The whole example. No worker runs yet. */
  static async ofExample(): Promise<Stage> {
    const [rehearsal, bundle] = await begin(SPEED);
    return new Stage(rehearsal, undefined, { SLIPWAY_WORKFLOW_BUNDLE: bundle });
  }

  /** A platform of one service, its releases published. No worker runs yet. */
  static async ofSmallPlatform(
    environments: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    releases: (directory: string) => Readonly<Record<string, Files>>,
  ): Promise<Stage> {
    const [stage] = await Stage.#of(SPEED, ({ directory }) =>
      createSmallPlatform({ directory, environments, releases: releases(directory) }),
    );
    return stage;
  }

  /** A platform that goes by canary, its releases published. No worker runs yet. */
  static async ofCanaryPlatform(options: {
    readonly services: readonly ServiceName[];
    readonly versions: readonly string[];
    readonly environments: Readonly<Record<string, CanaryEnvironment>>;
  }): Promise<{ stage: Stage; platform: CanaryPlatform }> {
    const [stage, platform] = await Stage.#of(CANARY_SPEED, ({ directory, env }) =>
      createCanaryPlatform({ ...options, directory, env }),
    );
    return { stage, platform };
  }

  static async #of<P extends SmallPlatform>(
    speed: number,
    create: (rehearsal: Rehearsal) => Promise<P>,
  ): Promise<[Stage, P]> {
    const [rehearsal, bundle] = await begin(speed);
    try {
      const platform = await create(rehearsal);
      for (const [version, commit] of Object.entries(platform.commits)) {
        await rehearsal.publish(version, commit, platform.repository);
      }
      const env = { SLIPWAY_WORKFLOW_BUNDLE: bundle, SLIPWAY_PLATFORM_FILE: platform.platformFile };
      return [new Stage(rehearsal, platform, env), platform];
    } catch (error) {
      await end(rehearsal);
      throw error;
    }
  }

  get small(): SmallPlatform {
    if (this.#small === undefined) throw new Error('this stage has the whole example');
    return this.#small;
  }

  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    return await this.rehearsal.startWorker({ ...this.#workerEnv, ...env });
  }

  /** Variables of a worker, for one that is expected to end by itself. */
  get workerEnv(): Record<string, string | undefined> {
    return { ...this.rehearsal.env, ...this.#workerEnv };
  }

  async stop(): Promise<void> {
    this.ecs.destroy();
    this.ssm.destroy();
    await end(this.rehearsal);
  }

  // --- runs ----------------------------------------------------------------------------------------------------

  /** Input of a run that deploys `version`. */
  release(version: string): { versionTag: string; commitHash: string } {
    const commitHash = (this.#small ?? this.rehearsal).commits[version];
    if (commitHash === undefined) throw new Error(`there is no release ${version}`);
    return { versionTag: version, commitHash };
  }

  async start(type: string, input: unknown, id?: string): Promise<WorkflowHandle> {
    const options = {
      taskQueue: 'slipway',
      workflowId: id ?? `${type}-${crypto.randomUUID()}`,
      args: [input],
    };
    return await this.rehearsal.client.workflow.start(type, options);
  }

  /** Starts a deployment to an environment of the small platform. */
  async deploy(version: string, environment: string): Promise<WorkflowHandle> {
    return await this.start('deployToEnvironment', {
      ...this.release(version),
      environment,
      startedBy: 'dora',
    });
  }

  /** `temporal` with its server's address. @returns its stdout */
  async temporal(...args: string[]): Promise<string> {
    const cli = loadTools().temporalCli ?? 'temporal';
    return (await execa(cli, [...args, '--address', this.rehearsal.temporalAddress])).stdout;
  }

  /** `slipway` from the sources. @returns its stdout */
  async slipway(...args: string[]): Promise<string> {
    const program = join(ROOT, 'src', 'starter.ts');
    return (await execa('node', [program, ...args], { env: this.workerEnv, extendEnv: false })).stdout;
  }

  /** A signal by the `temporal` command, as people send it. */
  async signal(run: WorkflowHandle, name: string, input: unknown): Promise<void> {
    const named = ['--workflow-id', run.workflowId, '--name', name];
    await this.temporal('workflow', 'signal', ...named, '--input', JSON.stringify(input));
  }

  /** The AWS CLI's answer, parsed. */
  async aws<T>(...args: string[]): Promise<T> {
    const cli = loadTools().awsCli ?? 'aws';
    const { stdout } = await execa(cli, [...args, '--output', 'json'], { env: this.rehearsal.env });
    return JSON.parse(stdout) as T;
  }

  handle(id: string): WorkflowHandle {
    return this.rehearsal.client.workflow.getHandle(id);
  }

  async environment(name: string): Promise<EnvironmentStatus> {
    return await this.handle(workflowId.environment(PLATFORM, name)).query<EnvironmentStatus>('status');
  }
}

async function begin(speed: number): Promise<[Rehearsal, string]> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  const bundling = execa('node', [join(ROOT, 'scripts', 'bundle.ts')]);
  const [rehearsal, bundle] = await Promise.allSettled([Rehearsal.start({ directory, speed }), bundling]);
  if (rehearsal.status === 'fulfilled' && bundle.status === 'fulfilled')
    return [rehearsal.value, bundle.value.stdout];
  if (rehearsal.status === 'fulfilled') await end(rehearsal.value);
  throw rehearsal.status === 'rejected' ? rehearsal.reason : (bundle as PromiseRejectedResult).reason;
}

async function end(rehearsal: Rehearsal): Promise<void> {
  await rehearsal.stop();
  await rm(rehearsal.directory, { recursive: true, force: true });
}

/** How a run ends; it may fail. */
export async function endingOf(run: WorkflowHandle): Promise<Ending> {
  try {
    const report = (await run.result()) as DeploymentReport;
    return { outcome: report.outcome, message: report.summary, report };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { type, message, details } = error.cause;
    return { outcome: type ?? 'failed', message, report: details?.[0] as DeploymentReport };
  }
}

/** @returns the ending @throws Error with what the run says when it did not end as `outcome` */
export async function endsAs(outcome: string, run: WorkflowHandle): Promise<Ending> {
  const ending = await endingOf(run);
  if (ending.outcome !== outcome)
    throw new Error(`${run.workflowId} should end as ${outcome}, but: ${ending.outcome}: ${ending.message}`);
  return ending;
}

/**
 * Looks again and again, until there is an answer.
 * @throws Error that tells what was awaited and what came last
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  within = 60_000,
): Promise<T> {
  const deadline = Date.now() + within;
  for (let last: unknown; ; await pause(100)) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      if (error instanceof Over) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${within / 1000} s: ${what}`, { cause: last });
  }
}

/** Milliseconds that a run may need to come to any of its steps, on a busy machine. */
const RUN_WITHIN = 150_000;

/** There is nothing more to wait for. */
class Over extends Error {}

/** Waits for something of an open run. @throws Error with how the run ended, when it did so before */
export async function eventuallyIn<T>(
  run: WorkflowHandle,
  what: string,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  return await eventually(
    `${run.workflowId}: ${what}`,
    async () => {
      // Asked first: what is found at the very end still counts.
      const { status } = await run.describe();
      const found = await look();
      if ((found !== undefined && found !== false) || status.name === 'RUNNING') return found;
      const { outcome, message } = await endingOf(run);
      throw new Over(`${run.workflowId} ended before: ${what}: ${outcome}: ${message}`);
    },
    RUN_WITHIN,
  );
}

/** Waits until a worker does an activity of that type for the run. */
export async function untilActivity(run: WorkflowHandle, type: string): Promise<void> {
  await eventuallyIn(run, `${type} is under way`, async () => {
    const { raw } = await run.describe();
    return raw.pendingActivities?.some(
      ({ activityType, state }) =>
        activityType?.name === type && decodePendingActivityState(state) === 'STARTED',
    );
  });
}

/** Waits until a run asks for an approval. @returns its evidence's digest, cut as people type it */
export async function untilApprovalIsAsked(run: WorkflowHandle): Promise<string> {
  return await eventuallyIn(run, 'it waits for its approval', async () => {
    const status = await run.query<RunStatus>('status');
    return (
      status.waiting?.what.startsWith('approval') === true &&
      status.evidence?.replace('sha256:', '').slice(0, 12)
    );
  });
}

/** The version that answers under a service's address; undefined when nothing does. */
export async function servedVersion(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}/version`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok ? ((await answer.json()) as { version: string }).version : undefined;
  } catch {
    return undefined;
  }
}

/** Addresses of all resources in a Terraform state file, each as often as it has instances. */
export async function resourcesIn(stateFile: string): Promise<string[]> {
  const state = JSON.parse(await readFile(stateFile, 'utf8')) as {
    resources: { module?: string; mode: string; type: string; name: string; instances: unknown[] }[];
  };
  return state.resources
    .flatMap(({ module, type, name, instances }) =>
      instances.map(() => [module, type, name].filter((part) => part !== undefined).join('.')),
    )
    .toSorted();
}
