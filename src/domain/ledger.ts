import type { JudgedApproval } from './approval.ts';
import type { Outcome } from './outcome.ts';
import type { Digest, Manifest } from './release.ts';
import type { Origin } from './terraform/change-set.ts';

/** A release in an environment. What a rollback restores. */
export interface DeploymentRecord {
  readonly manifest: Manifest;
  /** Task definition ARN per service. */
  readonly taskDefinitions: Readonly<Record<string, string>>;
  /** Tasks wanted per service, as deployed. */
  readonly desiredCounts: Readonly<Record<string, number>>;
  /** Names of the SSM parameters written for this release. */
  readonly settings: readonly string[];
  /** Commit whose Terraform configuration was applied; absent without Terraform. */
  readonly terraformCommit?: string;
  /** The state that it was, or was to be, applied to. */
  readonly terraformOrigin?: Origin;
  /** What going back from this release does not bring back: a few lines, and how many more. */
  readonly beyondRecall?: readonly string[];
  readonly evidence?: Digest;
  readonly approvals: readonly JudgedApproval[];
  readonly startedBy: string;
  readonly workflowId: string;
  readonly runId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: Outcome;
  readonly reason?: string;
}

/** The right to change an environment, growing with every grant. */
export interface LockToken {
  readonly epoch: number;
  readonly counter: number;
}

/** What a holder shows: its request and the token that it was granted. */
export interface LockProof {
  readonly requestId: string;
  readonly token: LockToken;
}

export interface LockRequest {
  readonly requestId: string;
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
  /** For people: what asks, such as `deploy 1.4.0`. */
  readonly purpose: string;
  /** Queue at the front: a rollback, or a run whose evidence changed while it waited. */
  readonly front?: boolean;
  /** A rollback may take a dirty environment. */
  readonly mayTakeDirty?: boolean;
}

/** A run's answer to the question whether it holds the lock. */
export interface HolderPong {
  readonly requestId: string;
  /** Absent: this run does not hold it. */
  readonly holder?: Holder;
}

/** What a holder would take back: recorded before its first change. */
export interface UndoRecord {
  readonly version: string;
  readonly previousVersion?: string;
  readonly recordedAt: string;
}

export interface Holder extends LockRequest {
  readonly token: LockToken;
  readonly grantedAt: string;
  readonly undo?: UndoRecord;
}

export interface Dirty {
  /** What was under way when the run was lost. */
  readonly version: string;
  readonly previousVersion?: string;
  readonly workflowId: string;
  readonly since: string;
  readonly reason: string;
}

export interface Freeze {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
}

/** A dirty environment declared right as it is, by a person. */
export interface Override {
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** An environment as its own workflow knows it. */
export interface EnvironmentStatus {
  readonly platform: string;
  readonly environment: string;
  readonly holder?: Holder;
  readonly queue: readonly LockRequest[];
  readonly dirty?: Dirty;
  readonly frozen?: Freeze;
  readonly lastOverride?: Override;
  /** The release that serves, as last recorded. */
  readonly current?: DeploymentRecord;
  /** Newest first. */
  readonly history: readonly DeploymentRecord[];
}

/** The answer to a lock request. */
export type LockAnswer =
  | {
      readonly kind: 'granted';
      readonly requestId: string;
      readonly token: LockToken;
      readonly grantedAt: string;
    }
  | { readonly kind: 'refused'; readonly requestId: string; readonly reason: string };

/** Given back with the lock: how the holder ended. `record` is written to the ledger. */
export interface LockRelease extends LockProof {
  /** The run that is told whether it was accepted. */
  readonly workflowId: string;
  readonly record?: DeploymentRecord;
  /** The record's release is what serves now. */
  readonly current?: boolean;
  readonly dirty?: string;
  /** Completed releases that the ledger keeps. */
  readonly keep?: number;
}

/** The environment's word on a release. */
export interface LockReleased {
  readonly requestId: string;
  readonly accepted: boolean;
  readonly reason?: string;
}
