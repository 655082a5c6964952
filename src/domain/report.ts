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
