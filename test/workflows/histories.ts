import type { Client, WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** A run and its history so far. */
export interface PlayedRun {
  readonly workflowId: string;
  readonly history: History;
}

/**
 * The histories of `handles`' runs, of their children and of the runs that they continue. Those that still go on are
 * terminated, so that no timer of theirs fires in a later test.
 */
export async function finishedRuns(client: Client, handles: readonly WorkflowHandle[]): Promise<PlayedRun[]> {
  const runs: PlayedRun[] = [];
  const seen = new Set<string>();
  const open = [...handles];
  for (let handle = open.shift(); handle !== undefined; handle = open.shift()) {
    const history = await handle.fetchHistory();
    const key = runKey(history);
    if (seen.has(key)) continue;
    seen.add(key);
    await handle.terminate('the test is over').catch(() => undefined);
    runs.push({ workflowId: handle.workflowId, history });
    for (const [id, runId] of relatives(handle.workflowId, history)) {
      open.push(client.workflow.getHandle(id, runId));
    }
  }
  return runs;
}

function runKey({ events }: History): string {
  return events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
}

/** Children, and the run that this one continues. */
function relatives(workflowId: string, { events }: History): [string, string][] {
  return (events ?? []).flatMap((event): [string, string][] => {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId && child.runId) return [[child.workflowId, child.runId]];
    const before = event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    return before ? [[workflowId, before]] : [];
  });
}
