import type { Digest } from './release.ts';

/** One resource change of a Terraform plan, with no value of it. */
export interface ResourceChange {
  readonly address: string;
  /** Terraform's own action list: `create`, `update`, `delete`, `read`, `forget`, or a pair for a replacement. */
  readonly actions: readonly string[];
  /** Paths of the changed attributes, sorted, such as `container_definitions` or `tags.owner`. */
  readonly attributes: readonly string[];
  /** Hash over the values before and after; sensitive ones enter by an HMAC, unknown ones as unknown. */
  readonly hash: Digest;
}

/** A Terraform plan normalised for comparing. */
export interface ChangeSet {
  /** Sorted by address. */
  readonly changes: readonly ResourceChange[];
  /** SHA-256 over `changes` and the changed outputs. */
  readonly digest: Digest;
  readonly counts: {
    readonly create: number;
    readonly update: number;
    readonly replace: number;
    readonly delete: number;
  };
}
