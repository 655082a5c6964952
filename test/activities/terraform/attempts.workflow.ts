import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';

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

const stop = defineSignal('stop');

/** Runs an activity that is cancelled when `stop` comes. @returns the type of its failure and its first detail */
export async function stopped(): Promise<{ type: string | null | undefined; detail: unknown }> {
  const { attempt } = proxyActivities<Attempts>({
    startToCloseTimeout: '1 minute',
    heartbeatTimeout: '20 seconds',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { maximumAttempts: 2 },
  });
  const scope = new CancellationScope();
  setHandler(stop, () => scope.cancel());
  try {
    return { type: await scope.run(attempt), detail: undefined };
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure)) throw error;
    return { type: cause.type, detail: cause.details?.[0] };
  }
}
