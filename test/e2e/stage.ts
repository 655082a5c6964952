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
import { createSmallPlatform, type Files, type SmallPlatform } from './small-platform.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const PLATFORM = 'writing-platform';

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
  #workerEnv: Readonly<Record<string, string>>;
  readonly #small: SmallPlatform | undefined;

  private constructor(
    rehearsal: Rehearsal,
    small: SmallPlatform | undefined,
    workerEnv: Record<string, string>,
  ) {
    this.rehearsal = rehearsal;
    this.directory = rehearsal.directory;
    this.#small = small;
    this.#workerEnv = workerEnv;
  }

  /** The whole example. No worker runs yet. */
  static async ofExample(): Promise<Stage> {
    const [rehearsal, bundle] = await begin();
    return new Stage(rehearsal, undefined, { SLIPWAY_WORKFLOW_BUNDLE: bundle });
  }

  /** A platform of one service, its releases published. No worker runs yet. */
  static async ofSmallPlatform(
    environments: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    releases: (directory: string) => Readonly<Record<string, Files>>,
  ): Promise<Stage> {
    const [rehearsal, bundle] = await begin();
    try {
      const { directory } = rehearsal;
      const small = await createSmallPlatform({ directory, environments, releases: releases(directory) });
      for (const [version, commit] of Object.entries(small.commits)) {
        await rehearsal.publish(version, commit, small.repository);
      }
      return new Stage(rehearsal, small, {
        SLIPWAY_WORKFLOW_BUNDLE: bundle,
        SLIPWAY_PLATFORM_FILE: small.platformFile,
      });
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

async function begin(): Promise<[Rehearsal, string]> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  const bundling = execa('node', [join(ROOT, 'scripts', 'bundle.ts')]);
  const [rehearsal, bundle] = await Promise.allSettled([Rehearsal.start({ directory, speed: 20 }), bundling]);
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
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${within / 1000} s: ${what}`, { cause: last });
  }
}

/** Waits until a worker does an activity of that type for the run. */
export async function untilActivity(run: WorkflowHandle, type: string): Promise<void> {
  await eventually(`${type} is under way in ${run.workflowId}`, async () => {
    const { raw } = await run.describe();
    return raw.pendingActivities?.some(
      ({ activityType, state }) =>
        activityType?.name === type && decodePendingActivityState(state) === 'STARTED',
    );
  });
}

/** Waits until a run asks for an approval. @returns its evidence's digest, cut as people type it */
export async function untilApprovalIsAsked(run: WorkflowHandle): Promise<string> {
  return await eventually(`${run.workflowId} waits for its approval`, async () => {
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
