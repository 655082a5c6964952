import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

/** @returns the identity in the run's first event: what its starter said of itself */
export async function findStarter(
  client: Client,
  run: { workflowId: string; runId: string },
): Promise<string> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: run,
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (started?.identity) return started.identity;
  throw ApplicationFailure.nonRetryable(
    `The history of ${run.workflowId} does not say who started it. Give \`startedBy\` in the input.`,
    'StarterUnknown',
    run,
  );
}
