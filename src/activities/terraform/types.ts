import type { ChangeSet, Origin } from '../../domain/terraform/change-set.ts';
import type { Drift } from '../../domain/terraform/drift.ts';
import type { TerraformPolicy, Target } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import type { LockProof } from '../lock.ts';

export interface TerraformInput {
  readonly target: Target;
  readonly terraform: TerraformPolicy;
  /** The configuration's commit; its version and hash go in as the variables `release_version` and `release_commit` where it declares them. */
  readonly release: Release;
  /**
   * The release may be older than `terraform`: variables that its configuration does not declare, and variable files that
   * its commit does not have, are left out. So it is of every restore, and where drift is looked for.
   */
  readonly older?: boolean;
}

export interface TerraformPlan {
  readonly changeSet: ChangeSet;
  /** Readable lines for the approver, sensitive values masked, at most 4 KB. */
  readonly rendering: string;
  /** The same in Markdown, for a pull request or a chat; at most 8 KB. */
  readonly markdown: string;
  /** What others changed since the last apply. */
  readonly drift: Drift;
  /** What the guards refuse (destroys without consent, changes to what Slipway writes): one failing check each. */
  readonly refusals: readonly Check[];
}

/** Terraform's outputs that are strings and not sensitive. */
export type Outputs = Readonly<Record<string, string>>;

export interface TerraformApplied {
  readonly outputs: Outputs;
  /** Whether any attempt applied something. */
  readonly changed: boolean;
  /** Of the last attempt's plan. */
  readonly counts: ChangeSet['counts'];
}

/** An apply that was begun and whose end nobody has seen. */
export interface UnfinishedApply {
  /** Addresses that it makes anew. */
  readonly created: readonly string[];
  /** Those of `created` that take the place of an object, which the state has at the same address. */
  readonly replaced: readonly string[];
  /** Some of what it was seen to have made. */
  readonly made: readonly string[];
  /** The state lock that it held. */
  readonly lock?: StateLock;
  /** Where it ran. */
  readonly host?: string;
  /** It isn't even known whether it was begun. */
  readonly perhaps?: true;
}

export interface TerraformRestore extends TerraformInput {
  readonly lock: LockProof;
  /** The approved change set of the release that is undone: deleting what it created needs no `allowDestroy`. */
  readonly failed?: ChangeSet;
  /** Addresses that a person agreed to have destroyed on the way back, beside what the policy allows. */
  readonly mayDestroy?: readonly string[];
  /** The configuration and state of what is left; that of `failed` when absent. The way back must be planned for the same state. */
  readonly from?: Origin;
  /** The apply that is undone was lost half-way: nothing is planned before it has ended, or a person was asked. */
  readonly unfinished?: UnfinishedApply;
}

/** The first detail of `DestroyRefused`. */
export interface DestroyRefusedDetail {
  readonly environment: string;
  readonly refusals: readonly Check[];
  /** Addresses of all that would go without consent; none where it is more than 200, to which nobody can agree by name. */
  readonly destroys: readonly string[];
}

/** A state lock as Terraform tells of it. */
export interface StateLock {
  readonly id: string;
  /** `user@host`. */
  readonly who: string;
  /** Such as `OperationTypeApply`. */
  readonly operation: string;
  /** As Terraform writes it. */
  readonly created: string;
}

/** The first detail of `ApplyInterrupted`. */
export interface ApplyInterruptedDetail {
  readonly environment: string;
  /** Addresses that may exist without the state knowing of them; at most 2,000. */
  readonly suspects: readonly string[];
  /** The lock on the state, the dead apply's or another's; absent when there is none, or when it isn't known which. */
  readonly stateLock?: StateLock & {
    /** Its id was the recorded one and its process is provably gone, so that it was released. */
    readonly released: boolean;
  };
  /** Where the state was put that could not be saved, on the worker's host. */
  readonly erroredState?: string;
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
   * It is absent where that isn't certain, and from what is `resuming`. Where an apply was begun whose end nobody has seen,
   * the first detail has it as `unfinished`, for `restoreTerraform`; so has the last heartbeat, of which `apply` is `begun`.
   * @throws non-retryable `ChangeSetDiffers`, `DestroyRefused`, `PlanRefused` (its details' `reason` is `PlanTampered` when
   *   the plan's file was changed after it was judged), `LockLost` (nothing applied);
   *   `TerraformFailed` (its details' `reason` says how); `ApplyInterrupted` (killed half-way, lost with its host, or its
   *   state could not be saved: see `ApplyInterruptedDetail`, and ask before going on)
   */
  applyTerraform(
    input: TerraformInput & { approved: ChangeSet; lock: LockProof; resuming?: boolean },
  ): Promise<TerraformApplied>;
  /**
   * Undo: plans `release`'s (the previous one's) configuration against the current state under the same guards, and applies.
   * @throws as `applyTerraform`; `DestroyRefused` has a `DestroyRefusedDetail`
   */
  restoreTerraform(input: TerraformRestore): Promise<TerraformApplied>;
  /** What others changed since the last apply: plans, takes no state lock, changes nothing. Heartbeats. For monitoring. */
  detectDrift(input: TerraformInput): Promise<Drift>;
  /** The outputs as the state has them now; `{}` when nothing was ever applied. */
  readOutputs(input: TerraformInput): Promise<Outputs>;
}
