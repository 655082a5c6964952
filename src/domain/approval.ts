import type { ApprovalPolicy } from './policy.ts';
import type { Digest } from './release.ts';

export interface Approval {
  readonly by: string;
  /** Digest, or a prefix of it, that the approver named. */
  readonly evidence?: string;
  readonly comment?: string;
  /** ISO 8601. */
  readonly at: string;
}

export type JudgedApproval = Approval &
  ({ readonly counts: true; readonly group: string } | { readonly counts: false; readonly reason: string });

export interface Tally {
  readonly satisfied: boolean;
  /** Approvals still wanted, per group. */
  readonly missing: readonly { readonly group: string; readonly count: number; readonly candidates: readonly string[] }[];
  readonly judged: readonly JudgedApproval[];
}

export interface ApprovalContext {
  readonly policy: ApprovalPolicy;
  /** Digest of the evidence as it stands now; absent while there is none yet. */
  readonly evidence?: Digest;
  readonly startedBy: string;
}
