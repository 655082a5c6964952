import { proxyActivities } from '@temporalio/workflow';
import type { TerraformActivities } from '../../../src/activities/terraform/types.ts';

export interface Performance {
  readonly activity: keyof TerraformActivities;
  readonly input: unknown;
  /** Of the workers that have the activities. */
  readonly taskQueue: string;
}

/** Runs one activity, with attempts for workers that are lost. */
export async function perform({ activity, input, taskQueue }: Performance): Promise<unknown> {
  const activities = proxyActivities<Record<string, (of: unknown) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: '5 seconds',
    retry: { initialInterval: '100 ms', backoffCoefficient: 1, maximumAttempts: 5 },
  });
  return await activities[activity]?.(input);
}
