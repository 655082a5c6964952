import type { Digest } from '../release.ts';

/** One resource change of a Terraform plan, with no value of it. */
export interface ResourceChange {
  /** Terraform's address; `output.NAME` for an output. A deposed object's ends with ` (deposed KEY)`. Secrets in it are masked. */
  readonly address: string;
  /**
   * Terraform's own action list: `create`, `update`, `delete`, `read`, `forget`, or a pair for a replacement;
   * and `import` or `move` before it, or instead of `no-op`, where the plan does that. `invoke` for a provider's action.
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

/** Which configuration was planned, and against which state. */
export interface Origin {
  /** In the repository. */
  readonly directory: string;
  /** The backend's type, such as `s3`. */
  readonly backend: string;
  readonly workspace: string;
  /** SHA-256 over the backend's settings, without those of secret names. */
  readonly location: Digest;
}

/** What a large change set does not list. */
export interface Unlisted {
  readonly count: number;
  /** Base64 of the changes' seals, 7 KB a thousand where there are thousands: see `seal.ts`. Absent when there are too many to keep. */
  readonly seals?: string;
  /** The distinct lists of `unknown` paths of these changes; empty where there are no seals. */
  readonly unknown: readonly (readonly string[])[];
}

/** A Terraform plan normalised for comparing. Its JSON stays under 45 KB, however much is planned. */
export interface ChangeSet {
  /** Sorted by address. Of a large change set only some: those that take something away before the others. */
  readonly changes: readonly ResourceChange[];
  readonly unlisted?: Unlisted;
  readonly origin: Origin;
  /** SHA-256 over the origin and all changes, listed or not; the changed outputs are among them. */
  readonly digest: Digest;
  /** Resources, not outputs. A resource that Terraform would forget counts as deleted. */
  readonly counts: {
    readonly create: number;
    readonly update: number;
    readonly replace: number;
    readonly delete: number;
  };
}
