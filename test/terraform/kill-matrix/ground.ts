import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { execa } from 'execa';
import type { TerraformInput } from '../../../src/activities/terraform/types.ts';
import type { TerraformPolicy } from '../../../src/domain/policy.ts';
import { TestRepository } from '../../activities/source/support.ts';
import { startStateBackend } from '../state-backend.ts';
import type { StateBackend } from '../state-backend.ts';
import { TRIAL_LOCK_FILE, installTrialProvider, usesTrialProvider } from '../trial-provider/install.ts';
import { Host } from './host.ts';
import type { Performance, perform } from './perform.workflow.ts';
import { startTemporal } from './temporal.ts';
import type { Temporal } from './temporal.ts';
import type { Tuning } from './worker.ts';

const WORKFLOW_QUEUE = 'trials';
const LOCK = {
  environmentWorkflowId: 'trial.environment.production',
  requestId: 'r1',
  token: { epoch: 1, counter: 1 },
};
const TARGET = {
  platform: 'trial',
  environment: 'production',
  account: '000000000000',
  region: 'eu-west-1',
  cluster: 'trial-production',
};

export type Performed = WorkflowHandleWithFirstExecutionRunId<typeof perform>;

/** What trials share: a Temporal server, a state backend, a repository, and the provider of the trial server. */
export class Ground {
  readonly directory: string;
  readonly backend: StateBackend;
  /** Of Terraform, and of workers. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #temporal: Temporal;
  readonly #repository: TestRepository;
  readonly #hosts: Host[] = [];
  readonly #performed: Performed[] = [];

  private constructor(
    directory: string,
    parts: { backend: StateBackend; temporal: Temporal; cliConfigFile: string },
  ) {
    this.directory = directory;
    this.backend = parts.backend;
    this.environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      TF_CLI_CONFIG_FILE: parts.cliConfigFile,
      CHECKPOINT_DISABLE: '1',
    };
    this.#temporal = parts.temporal;
    this.#repository = new TestRepository(join(directory, 'upstream'));
  }

  /**
   * @param directory for all that it keeps; the caller removes it
   * @param credentials of the state backend
   */
  static async start(
    directory: string,
    credentials?: Readonly<{ username: string; password: string }>,
  ): Promise<Ground> {
    const [temporal, backend, { cliConfigFile }] = await Promise.all([
      startTemporal(directory, WORKFLOW_QUEUE),
      startStateBackend(credentials),
      installTrialProvider(join(directory, 'provider')),
    ]);
    return new Ground(directory, { backend, temporal, cliConfigFile });
  }

  get upstream(): string {
    return this.#repository.directory;
  }

  get client(): Client {
    return this.#temporal.client;
  }

  /** A release of `configuration`, whose state is at `path` of the backend. */
  release(configuration: string, path: string, policy: Partial<TerraformPolicy> = {}): TerraformInput {
    this.#repository.git('rm', '-r', '--quiet', '--ignore-unmatch', 'terraform');
    const commit = this.#repository.commit({
      'terraform/main.tf': configuration,
      // A lock of a provider that the configuration does not need would be a change of the file.
      ...(usesTrialProvider(configuration) && { 'terraform/.terraform.lock.hcl': TRIAL_LOCK_FILE }),
    });
    return {
      target: TARGET,
      terraform: {
        directory: 'terraform',
        backend: this.backend.settings(path),
        variables: {},
        parameters: {},
        variableFiles: [],
        allowDestroy: false,
        ...policy,
      },
      release: { version: '1.0.0', commit },
    };
  }

  /** A host with no worker yet. Its workers take what is performed on `taskQueue`. */
  host(
    taskQueue: string,
    dependencies: Tuning = {},
    environment: Readonly<Record<string, string>> = {},
  ): Host {
    const host = new Host(
      join(this.directory, `host-${this.#hosts.length}`),
      { address: this.#temporal.address, taskQueue, upstream: this.upstream, dependencies },
      { ...this.environment, ...environment },
    );
    this.#hosts.push(host);
    return host;
  }

  /** Has an activity performed by whatever worker serves `taskQueue`. A lock's proof is added to the input. */
  async perform(taskQueue: string, activity: Performance['activity'], input: object): Promise<Performed> {
    const performed = await this.client.workflow.start<typeof perform>('perform', {
      taskQueue: WORKFLOW_QUEUE,
      workflowId: `${taskQueue}.${activity}.${randomUUID()}`,
      args: [{ activity, taskQueue, input: { ...input, lock: LOCK } }],
    });
    this.#performed.push(performed);
    return performed;
  }

  /** What the server was last told by the activity that `performed` waits for; '' when nothing was. */
  async heartbeat(performed: Performed): Promise<string> {
    const { raw } = await performed.describe();
    const [payload] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
    return Buffer.from(payload?.data ?? []).toString();
  }

  /** A directory with the configuration, initialised for the state at `path`: what a person at a terminal has. */
  async checkout(configuration: string, path: string): Promise<string> {
    const directory = join(this.directory, `checkout-${randomUUID()}`);
    await mkdir(directory);
    await writeFile(join(directory, 'main.tf'), configuration);
    await writeFile(join(directory, '.terraform.lock.hcl'), TRIAL_LOCK_FILE);
    const settings = Object.entries(this.backend.settings(path));
    const backend = settings.map(([name, value]) => `-backend-config=${name}=${value}`);
    await execa('terraform', ['init', '-input=false', '-lockfile=readonly', ...backend], {
      cwd: directory,
      env: this.environment,
      extendEnv: false,
    });
    return directory;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.lose()));
    // Whoever still waits for one is told, before the connection closes.
    await Promise.allSettled(this.#performed.map((each) => each.terminate()));
    await this.#temporal.stop();
    await this.backend.close();
  }
}
