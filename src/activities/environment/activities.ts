import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { ENVIRONMENT_SIGNALS, INSPECT_UPDATE, workflowId } from '../../contract.ts';
import type { EnvironmentInput } from '../../contract.ts';
import type { EnvironmentStatus, LockRequest } from '../../domain/ledger.ts';
import type { Target } from '../../domain/policy.ts';
import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';
import { assertAccount } from '../ecs/check-identity.ts';
import { findStarter } from './find-starter.ts';
import { readLockRecord, writeLockRecord } from './lock-parameter.ts';
import type { EnvironmentActivities } from './types.ts';

/** `environment`'s own workflow, as the server knows it. */
type EnvironmentWorkflow = (input: EnvironmentInput) => Promise<void>;

export interface EnvironmentDeps {
  readonly client: Client;
  readonly aws: AwsClients;
  /** Where the environment's workflow runs. */
  readonly taskQueue: string;
  /** Where an environment lives, as the platform file says. @throws non-retryable `InvalidInput` for an unknown one */
  readonly targetOf: (environment: string) => Target | Promise<Target>;
}

export function createEnvironmentActivities({
  client,
  aws,
  taskQueue,
  targetOf,
}: EnvironmentDeps): EnvironmentActivities {
  const startOptions = ({ platform, environment }: EnvironmentInput) => ({
    workflowId: workflowId.environment(platform, environment),
    taskQueue,
    args: [{ platform, environment }] as [EnvironmentInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
  });
  /** The environment may have been started by anyone, before any run's checklist. */
  const meantTarget = async (environment: string): Promise<Target> => {
    const target = await targetOf(environment);
    await assertAccount(aws, target);
    return target;
  };
  return withNamedAwsErrors<EnvironmentActivities>({
    inspectEnvironment: (input) =>
      client.workflow.executeUpdateWithStart<EnvironmentWorkflow, EnvironmentStatus, []>(INSPECT_UPDATE, {
        startWorkflowOperation: new WithStartWorkflowOperation<EnvironmentWorkflow>(
          'environment',
          startOptions(input),
        ),
      }),
    findStarter: (input) => findStarter(client, input),
    async requestLock({ request, ...input }) {
      await client.workflow.signalWithStart<EnvironmentWorkflow, [LockRequest]>('environment', {
        ...startOptions(input),
        signal: ENVIRONMENT_SIGNALS.requestLock,
        signalArgs: [request],
      });
    },
    /** A repetition after a lost answer raises it once more, which does no harm: epochs only grow. */
    async raiseEpoch({ environment }) {
      const target = await meantTarget(environment);
      const { epoch, holder } = await readLockRecord(aws, target);
      await writeLockRecord(aws, target, { epoch: epoch + 1, ...(holder && { holder }) });
      return { epoch: epoch + 1, ...(holder && { lastHolder: holder }) };
    },
    async recordHolder({ environment, epoch, holder }) {
      const target = await meantTarget(environment);
      const recorded = await readLockRecord(aws, target);
      if (recorded.epoch > epoch) throw superseded(environment, epoch, recorded.epoch);
      await writeLockRecord(aws, target, { epoch, ...(holder && { holder }) });
    },
  });
}

function superseded(environment: string, epoch: number, newer: number): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The lock of ${environment} is kept by a newer environment workflow (epoch ${newer}, this one is ${epoch}): this one no longer decides.`,
    'EpochSuperseded',
    { environment, epoch, newer },
  );
}
