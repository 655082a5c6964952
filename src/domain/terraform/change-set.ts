import type { Digest } from '../release.ts';

/** One resource change of a Terraform plan, with no value of it. */
export interface ResourceChange {
  /** Terraform's address; `output.NAME` for an output. A deposed object's ends with ` (deposed KEY)`. */
  readonly address: string;
  /**
   * Terraform's own action list: `create`, `update`, `delete`, `read`, `forget`, or a pair for a replacement;
   * and `import` or `move` before it, or instead of `no-op`, where the plan does that.
   */
  readonly actions: readonly string[];
  /**
   * Paths of the changed attributes, sorted, such as `container_definitions` or `tags.owner`.
   * Empty for what is created, deleted or read as a whole.
   */
  readonly attributes: readonly string[];
  /** Paths, sorted, whose value after the change was not known when it was planned; absent when all were known. */
  readonly unknown?: readonly string[];
  /** Hash over the values before and after; sensitive ones enter by an HMAC, unknown ones as unknown. */
  readonly hash: Digest;
}

/** A Terraform plan normalised for comparing. */
export interface ChangeSet {
  /** Sorted by address. */
  readonly changes: readonly ResourceChange[];
  /** SHA-256 over `changes`, which hold the changed outputs too. */
  readonly digest: Digest;
  /** Resources, not outputs. A resource that Terraform would forget counts as deleted. */
  readonly counts: {
    readonly create: number;
    readonly update: number;
    readonly replace: number;
    readonly delete: number;
  };
}
