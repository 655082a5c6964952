import { workflowInfo } from '@temporalio/workflow';
import type { EnvironmentPolicy } from '../domain/policy.ts';
import { activities } from './activities.ts';
import { beforehand } from './failures.ts';

/** Who started this run: as the input says, or else the identity recorded at its start. */
export async function starterOf({ startedBy }: { readonly startedBy?: string }): Promise<string> {
  if (startedBy !== undefined) return startedBy;
  const { workflowId, runId } = workflowInfo();
  return await activities('read', 'who started this run?').findStarter({ workflowId, runId });
}

/** What a run of `environment` reads before it begins. */
export async function whatItTakes(
  environment: string,
  by: { readonly startedBy?: string },
): Promise<{ policy: EnvironmentPolicy; startedBy: string }> {
  return await beforehand(async () => ({
    policy: await activities('read', `read the policy of ${environment}`).loadEnvironmentPolicy({
      environment,
    }),
    startedBy: await starterOf(by),
  }));
}
