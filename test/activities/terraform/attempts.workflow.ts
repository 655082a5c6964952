import { proxyActivities } from '@temporalio/workflow';

interface Attempts {
  attempt(): Promise<string>;
}

/** Runs an activity that has a second attempt. */
export async function attempts(): Promise<string> {
  const { attempt } = proxyActivities<Attempts>({
    startToCloseTimeout: '1 minute',
    heartbeatTimeout: '3 seconds',
    retry: { initialInterval: '10 ms', maximumAttempts: 2 },
  });
  return await attempt();
}
