import { join } from 'node:path';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { createTerraformActivities } from '../../../src/activities/terraform/activities.ts';
import type { TerraformDependencies } from '../../../src/activities/terraform/dependencies.ts';
import type {
  Outputs,
  TerraformActivities,
  TerraformApplied,
  TerraformInput,
  TerraformPlan,
} from '../../../src/activities/terraform/types.ts';
import type { ChangeSet } from '../../../src/domain/terraform/change-set.ts';
import type { TerraformPolicy } from '../../../src/domain/policy.ts';
import type { Check } from '../../../src/domain/verdict.ts';
import { TestRepository } from '../source/support.ts';

export const LOCK = {
  environmentWorkflowId: 'writing.environment.production',
  requestId: 'r1',
  token: { epoch: 1, counter: 1 },
};
export const TARGET = {
  platform: 'writing',
  environment: 'production',
  account: '000000000000',
  region: 'eu-west-1',
  cluster: 'writing-production',
};
/** What the tests run: `terraform` by default; SLIPWAY_TERRAFORM names another, of an older version or OpenTofu. */
export const BINARY = process.env['SLIPWAY_TERRAFORM'] ?? 'terraform';
/** What a worker's environment has, secrets that terraform must not see among it. */
const ENVIRONMENT = {
  ...process.env,
  AWS_SECRET_ACCESS_KEY: 'the-worker-key',
  TEMPORAL_API_KEY: 'not-for-terraform',
};

export interface Fixture {
  readonly base: string;
  readonly dataDirectory: string;
  readonly repository: TestRepository;
  readonly state: string;
  readonly dependencies: TerraformDependencies;
  readonly activities: TerraformActivities;
  readonly check: (input: TerraformInput) => Promise<Check>;
  /** Applies whatever is planned, with no plan before it: the shortest way to a state. */
  readonly restore: (input: TerraformInput & { failed?: ChangeSet }) => Promise<TerraformApplied>;
  readonly outputs: (input: TerraformInput) => Promise<Outputs>;
  readonly plan: (input: TerraformInput) => Promise<TerraformPlan>;
  /** Applies `approved`, or whatever is planned now. */
  readonly apply: (
    input: TerraformInput & { approved?: ChangeSet; resuming?: boolean },
    environment?: MockActivityEnvironment,
  ) => Promise<TerraformApplied>;
  /** Commits `terraform/main.tf` and says how to deploy it. */
  release(
    configuration: string,
    policy?: Partial<TerraformPolicy>,
    version?: string,
    backend?: string,
  ): TerraformInput;
}

export function aTerraform(base: string, more: Partial<TerraformDependencies> = {}): Fixture {
  const repository = new TestRepository(join(base, 'upstream'));
  const dataDirectory = join(base, 'data');
  const state = join(base, 'state.tfstate');
  const dependencies: TerraformDependencies = {
    source: createSourceRepository({
      repository: repository.directory,
      dataDirectory,
      environment: process.env,
    }),
    dataDirectory,
    environment: ENVIRONMENT,
    assertHolder: () => Promise.resolve(),
    grace: 20_000,
    binary: BINARY,
    ...more,
  };
  const activities = createTerraformActivities(dependencies);
  const plan = (input: TerraformInput) => perform(inActivity('plan'), () => activities.planTerraform(input));
  const policy = {
    directory: 'terraform',
    backend: { path: state },
    variables: {},
    parameters: {},
    variableFiles: [],
    allowDestroy: false,
  };
  return {
    base,
    dataDirectory,
    repository,
    state,
    dependencies,
    activities,
    plan,
    check: (input) => perform(inActivity(), () => activities.checkTerraform(input)),
    restore: (input) => perform(inActivity(), () => activities.restoreTerraform({ ...input, lock: LOCK })),
    outputs: (input) => perform(inActivity(), () => activities.readOutputs(input)),
    async apply(input, environment = inActivity()) {
      const approved = input.approved ?? (await plan(input)).changeSet;
      return perform(environment, () => activities.applyTerraform({ ...input, approved, lock: LOCK }));
    },
    release(configuration, changed = {}, version = '1.0.0', backend = 'local') {
      const commit = repository.commit({
        'terraform/main.tf': `terraform {\n  backend "${backend}" {}\n}\n${configuration}`,
        version,
      });
      return { target: TARGET, terraform: { ...policy, ...changed }, release: { version, commit } };
    },
  };
}

/** Runs an activity as attempt `attempt` of the activity `activityId`. */
export function inActivity(
  activityId = '1',
  attempt = 1,
  heartbeatDetails?: unknown,
): MockActivityEnvironment {
  const info = { activityId, attempt, heartbeatDetails };
  return new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
}

/** The details of the last heartbeat in `environment`: what the server hands to the next attempt. */
export function lastHeartbeat(environment: MockActivityEnvironment): () => unknown {
  let last: unknown;
  environment.on('heartbeat', (details: unknown) => (last = details));
  return () => last;
}

/** `run` keeps the result's type only for a function that takes nothing. */
export function perform<T>(environment: MockActivityEnvironment, activity: () => Promise<T>): Promise<T> {
  return environment.run<[], T, () => Promise<T>>(activity);
}

export const asCancelled = new ActivityCancellationDetails({ cancelRequested: true });
export const asShutdown = new ActivityCancellationDetails({ workerShutdown: true });

/** The failure that `promise` ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await promise.then(
    (value) => new Error(`It ended well: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw error;
}
