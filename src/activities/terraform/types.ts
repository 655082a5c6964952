import type { ChangeSet } from '../../domain/terraform/change-set.ts';
import type { TerraformPolicy, Target } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import type { LockProof } from '../lock.ts';

export interface TerraformInput {
  readonly target: Target;
  readonly terraform: TerraformPolicy;
  /** The configuration's commit; its version goes in as the variable `release_version` where the configuration declares it. */
  readonly release: Release;
}

export interface TerraformPlan {
  readonly changeSet: ChangeSet;
  /** Readable lines for the approver, sensitive values masked, at most 4 KB. */
  readonly rendering: string;
  /** What the guards refuse (destroys without consent, changes to what Slipway writes): one failing check each. */
  readonly refusals: readonly Check[];
}

/** Terraform's outputs that are strings and not sensitive. */
export type Outputs = Readonly<Record<string, string>>;

export interface TerraformApplied {
  readonly outputs: Outputs;
  readonly changed: boolean;
  readonly counts: ChangeSet['counts'];
}

export interface TerraformRestore extends TerraformInput {
  readonly lock: LockProof;
  /** The approved change set of the release that is undone: deleting what it created needs no `allowDestroy`. */
  readonly failed?: ChangeSet;
}

export interface TerraformActivities {
  /** `init` and `validate` of the directory at the commit. */
  checkTerraform(input: TerraformInput): Promise<Check>;
  /** Plans and reads; takes no state lock. Heartbeats. */
  planTerraform(input: TerraformInput): Promise<TerraformPlan>;
  /**
   * Re-plans, compares with `approved`, and applies: one activity on one host. Heartbeats; cancellable by one SIGINT.
   * The first apply must equal `approved`; one after an apply that began, and one that is `resuming`, may be a subset.
   * Every failure before any attempt began an apply has `started: false` in its first detail: there is nothing to undo.
   * It is absent where that isn't certain, and from what is `resuming`.
   * @throws non-retryable `ChangeSetDiffers`, `DestroyRefused`, `PlanRefused`, `LockLost` (nothing applied);
   *   `TerraformFailed` (its details' `reason` says how); `ApplyInterrupted` (killed half-way, or lost with its host: its
   *   details' `suspects` may exist without the state knowing of them, so ask before going on)
   */
  applyTerraform(
    input: TerraformInput & { approved: ChangeSet; lock: LockProof; resuming?: boolean },
  ): Promise<TerraformApplied>;
  /** Undo: plans `release`'s (the previous one's) configuration against the current state under the same guards, and applies. */
  restoreTerraform(input: TerraformRestore): Promise<TerraformApplied>;
  /** The outputs as the state has them now; `{}` when nothing was ever applied. */
  readOutputs(input: TerraformInput): Promise<Outputs>;
}
