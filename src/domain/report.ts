import type { JudgedApproval } from './approval.ts';
import type { Outcome } from './outcome.ts';
import type { Digest, Release } from './release.ts';
import type { Check, MetricJudgement } from './verdict.ts';

export type StepState = 'running' | 'waiting' | 'done' | 'failed' | 'skipped';

export interface StepRecord {
  readonly name: string;
  readonly state: StepState;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** What was done or found, for people. */
  readonly detail?: string;
}

/** What became of a step's undo. */
export interface UndoneStep {
  readonly step: string;
  readonly outcome: 'undone' | 'nothing to undo' | 'failed' | 'not possible';
  readonly detail: string;
}

/** A signal that had no effect, and why. */
export interface IgnoredSignal {
  readonly signal: string;
  readonly at: string;
  readonly by?: string;
  readonly reason: string;
}

/** How a run ended: details of its failure, or its result. */
export interface DeploymentReport {
  readonly outcome: Outcome;
  readonly platform: string;
  readonly environment: string;
  readonly release: Release;
  readonly previous?: Release;
  /** One sentence: what happened and what serves now. */
  readonly summary: string;
  readonly reason?: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly evidence?: Digest;
  readonly approvals: readonly JudgedApproval[];
  readonly ignored: readonly IgnoredSignal[];
  readonly steps: readonly StepRecord[];
  readonly checks: readonly Check[];
  readonly metrics: readonly MetricJudgement[];
  readonly undone: readonly UndoneStep[];
  /** The release that serves now, as far as the run knows. */
  readonly serving?: Release;
}

/** How a pipeline ended. */
export interface PipelineReport {
  readonly outcome: Outcome;
  readonly platform: string;
  readonly release: Release;
  readonly summary: string;
  /** Environments that stay on the new release. */
  readonly deployed: readonly string[];
  /** The environment whose run failed, and its own report. */
  readonly failed?: { readonly environment: string; readonly report: DeploymentReport };
}

/** One sentence: what happened, why, and what serves now. */
export function summarise(report: Omit<DeploymentReport, 'summary'>): string {
  const { outcome, environment, release, reason, serving, undone } = report;
  const what = `${release.version} in ${environment}`;
  if (outcome === 'Completed')
    return `${what} is live and verified${reason === undefined ? '' : `; but ${reason}`}.`;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (undone.length === 0) {
    const left =
      outcome === 'RollbackIncomplete'
        ? 'The environment is left as it stood and is dirty.'
        : 'Nothing was changed.';
    return `${SAID[outcome]} ${what}${why}. ${left}`;
  }
  const open = undone.filter((step) => step.outcome === 'failed' || step.outcome === 'not possible');
  if (open.length > 0) {
    return `${SAID[outcome]} ${what}${why}. Not taken back: ${open.map(({ step }) => step).join(', ')}. The environment is dirty.`;
  }
  const now = serving === undefined ? 'Nothing serves: desired count 0.' : `${serving.version} serves.`;
  return `${SAID[outcome]} ${what}${why}. All changes were taken back. ${now}`;
}

const SAID: Readonly<Record<Exclude<Outcome, 'Completed'>, string>> = {
  RolledBack: 'Rolled back',
  RollbackIncomplete: 'Rollback incomplete:',
  Rejected: 'Rejected',
  Expired: 'Approval expired:',
  Aborted: 'Aborted',
  Superseded: 'Superseded',
  PreflightFailed: 'Not started:',
  ReleaseNotBuilt: 'Not built:',
  InvalidInput: 'Invalid input:',
  UnknownWorkflowType: 'Unknown workflow type:',
};

/** A report cut to fit into another one: at most `bytes` of JSON, the lists' last entries first to go. */
export function fitted(report: DeploymentReport, bytes = 4096): DeploymentReport {
  const lists = ['ignored', 'checks', 'metrics', 'steps', 'approvals', 'undone'] as const;
  let cut = report;
  for (const list of lists) {
    while (JSON.stringify(cut).length > bytes && cut[list].length > 0) {
      cut = { ...cut, [list]: list === 'checks' ? lessOneCheck(cut.checks) : cut[list].slice(0, -1) };
    }
  }
  return JSON.stringify(cut).length <= bytes
    ? cut
    : { ...cut, summary: cut.summary.slice(0, 1000), reason: (cut.reason ?? '').slice(0, 1000) };
}

/** Checks that passed go first: what failed is what a reader looks for. */
function lessOneCheck(checks: readonly Check[]): readonly Check[] {
  const passed = checks.findLastIndex((check) => check.passed);
  return checks.toSpliced(passed < 0 ? checks.length - 1 : passed, 1);
}
