import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { JudgedApproval } from './approval.ts';
import type { CanaryStep } from './canary.ts';
import type { Outcome } from './outcome.ts';
import type { PlannedInfrastructure } from './planned-infrastructure.ts';
import type { Digest, Release } from './release.ts';
import type { Check, MetricJudgement } from './verdict.ts';

export type StepState = 'running' | 'waiting' | 'done' | 'failed';

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
  /** `left`: it stays, since there is no earlier state to go back to. */
  readonly outcome: 'undone' | 'nothing to undo' | 'left' | 'failed' | 'not possible';
  readonly detail: string;
  /** What did not come back although the step is undone, such as what a destroyed database held: a line each. */
  readonly beyondRecall?: readonly string[];
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
  /** Steps of the services that went by canary, in order; absent in a run whose environment has none. */
  readonly canary?: readonly CanaryStep[];
  /** What was planned of Terraform; absent in a run that ended before it had a plan. */
  readonly infrastructure?: PlannedInfrastructure;
  readonly undone: readonly UndoneStep[];
  /** Nothing ran here before this run. */
  readonly firstDeployment: boolean;
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
  const { outcome, environment, release, reason, undone } = report;
  const what = `${release.version} in ${environment}`;
  if (outcome === 'Completed')
    return `${what} is live and verified${reason === undefined ? '' : `; but ${reason}`}.`;
  const why = reason === undefined ? '' : `: ${reason.replace(/\.+$/, '')}`;
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
  const left = undone.filter((step) => step.outcome === 'left').map(({ step }) => step);
  const now = [left.length === 0 ? '' : `Left in place: ${left.join(', ')}.`, servesNow(report)]
    .filter(Boolean)
    .join(' ');
  const lost = undone.some(({ beyondRecall = [] }) => beyondRecall.length > 0)
    ? ', but not what was in the resources that it destroyed or replaced'
    : '';
  return `${SAID[outcome]} ${what}${why}. All changes were taken back${lost}. ${now}`;
}

function servesNow({ serving, firstDeployment }: Omit<DeploymentReport, 'summary'>): string {
  if (serving !== undefined) return `${serving.version} serves.`;
  return firstDeployment ? 'Nothing serves: desired count 0.' : 'What ran before serves again.';
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

/**
 * A report cut to at most `bytes` of JSON in UTF-8: the lists' last entries go first, checks that passed before those that
 * did not; a canary's steps that passed go all. A summary or a reason takes a fifth of the room at most.
 */
export function fitted(report: DeploymentReport, bytes = 4096): DeploymentReport {
  if (size(report) <= bytes) return report;
  let cut: DeploymentReport = {
    ...report,
    checks: failedFirst(report.checks),
    ...(report.canary && { canary: report.canary.filter(({ verdict }) => verdict !== 'pass') }),
  };
  for (const text of ['reason', 'summary', 'startedBy'] as const) {
    const whole = cut[text];
    if (whole !== undefined) cut = { ...cut, [text]: shortened(whole, bytes / 5) };
  }
  cut = withLessInfrastructure(cut, bytes);
  for (const list of ['ignored', 'checks', 'metrics', 'canary', 'steps', 'approvals', 'undone'] as const) {
    const whole = cut[list];
    if (whole === undefined) continue;
    cut = cutList<unknown>(whole, bytes, (kept) => ({ ...cut, [list]: kept }));
  }
  return cut;
}

/** The evidence has it all: what is left out here is counted, not lost. */
function withLessInfrastructure(report: DeploymentReport, bytes: number): DeploymentReport {
  const { infrastructure } = report;
  if (infrastructure === undefined) return report;
  const fewer = cutList(infrastructure.changes, bytes, (changes, left) => ({
    ...report,
    infrastructure: { ...infrastructure, changes, omitted: infrastructure.omitted + left },
  }));
  const { drift } = infrastructure;
  if (drift === undefined) return fewer;
  return cutList(drift.resources, bytes, (resources, left) => ({
    ...fewer,
    infrastructure: {
      ...(fewer.infrastructure ?? infrastructure),
      drift: { resources, omitted: drift.omitted + left },
    },
  }));
}

/** As many of the first `items` as a report of `bytes` takes. @param put makes the report with those kept and the number left out */
function cutList<T>(
  items: readonly T[],
  bytes: number,
  put: (kept: readonly T[], left: number) => DeploymentReport,
): DeploymentReport {
  const kept = items.slice(0, fitting(items, bytes - size(put([], items.length))));
  return put(kept, items.length - kept.length);
}

/** How many of the first `items` take at most `room` bytes, commas included. */
function fitting(items: readonly unknown[], room: number): number {
  let left = room;
  const over = items.findIndex((item) => (left -= size(item) + 1) < 0);
  return over < 0 ? items.length : over;
}

/** The longest beginning of `text` whose JSON takes at most `room` bytes more than the empty text's. */
function shortened(text: string, room: number): string {
  let left = room;
  let end = 0;
  for (const character of text) {
    left -= size(character) - 2;
    if (left < 0) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

function failedFirst(checks: readonly Check[]): readonly Check[] {
  return checks.toSorted((a, b) => Number(a.passed) - Number(b.passed));
}

/** Bytes of UTF-8 that the JSON takes. */
function size(value: unknown): number {
  return utf8ToBytes(JSON.stringify(value)).length;
}
