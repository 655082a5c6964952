import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { FAILED_OUTCOMES, type FailedOutcome, type Outcome } from '../domain/outcome.ts';
import type { DeploymentReport, PipelineReport } from '../domain/report.ts';

export type Report = DeploymentReport | PipelineReport;

/** How a run ended. */
export interface Ending {
  /** `Lost`: it was terminated, timed out, or failed without one of Slipway's outcomes. */
  readonly outcome: Outcome | 'Lost';
  /** One sentence for people. */
  readonly summary: string;
  /** Absent where the run had none: an input that is not valid, a run that was terminated. */
  readonly report?: Report;
  /** What the run handed back when it completed. */
  readonly result?: unknown;
}

/** Waits until the run has ended. */
export async function endingOf(run: WorkflowHandle): Promise<Ending> {
  try {
    return completed(await run.result());
  } catch (error) {
    if (error instanceof WorkflowFailedError) return failed(error);
    throw error;
  }
}

function completed(result: unknown): Ending {
  const report = isReport(result) ? result : undefined;
  return {
    outcome: 'Completed',
    summary: report?.summary ?? 'Completed.',
    result,
    ...(report && { report }),
  };
}

function failed({ cause }: WorkflowFailedError): Ending {
  if (cause instanceof ApplicationFailure && isFailedOutcome(cause.type)) {
    const details: unknown = cause.details?.[0];
    return { outcome: cause.type, summary: cause.message, ...(isReport(details) && { report: details }) };
  }
  if (cause instanceof CancelledFailure)
    return { outcome: 'Aborted', summary: 'The run was cancelled before it began.' };
  return { outcome: 'Lost', summary: lost(cause) };
}

function lost(cause: unknown): string {
  if (cause instanceof TerminatedFailure) {
    return `The run was terminated (${cause.message}): nothing was put back. \`slipway env\` shows what it left; roll back, or override after looking.`;
  }
  if (cause instanceof TimeoutFailure)
    return 'The run timed out: nothing was put back. `slipway env` shows what it left.';
  return `The run failed without a report: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function isFailedOutcome(type: string | null | undefined): type is FailedOutcome {
  return (FAILED_OUTCOMES as readonly unknown[]).includes(type);
}

function isReport(value: unknown): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    'outcome' in value &&
    'summary' in value &&
    'release' in value
  );
}
