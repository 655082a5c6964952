import { workflowInfo } from '@temporalio/workflow';
import { activities } from './activities.ts';

/** Who started this run: as the input says, or else the identity recorded at its start. */
export async function starterOf({ startedBy }: { readonly startedBy?: string }): Promise<string> {
  if (startedBy !== undefined) return startedBy;
  const { workflowId, runId } = workflowInfo();
  return await activities('read', 'who started this run?').findStarter({ workflowId, runId });
}
