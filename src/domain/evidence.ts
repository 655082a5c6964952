import type { ChangeSet } from './change-set.ts';
import type { Digest, Manifest } from './release.ts';

/** A declared setting of the release: its key and what stands for its value. */
export interface SettingPlan {
  readonly key: string;
  /** The SSM parameter, of the release's own, that it is written to. */
  readonly parameter: string;
  /** SHA-256 of the value (an HMAC for a sensitive one, or `sensitive`). */
  readonly value: Digest;
}

/** A parameter or secret that the task definitions refer to, pinned to the version they will read. */
export interface ReferencePlan {
  readonly kind: 'parameter' | 'secret';
  readonly name: string;
  readonly version: string;
}

export interface ServiceChange {
  readonly service: string;
  readonly image: Digest;
  /** SHA-256 of the task definition as rendered, Terraform outputs not yet known left as placeholders. */
  readonly taskDefinition: Digest;
  /** What runs now: task definition ARN; absent at a first deployment. */
  readonly current?: string;
}

/** All that an approver agrees to. Task counts, times and metrics are not in it. */
export interface Evidence {
  readonly manifest: Manifest;
  readonly environment: string;
  /** Absent when the environment has no Terraform. */
  readonly changeSet?: ChangeSet;
  readonly settings: readonly SettingPlan[];
  readonly references: readonly ReferencePlan[];
  readonly services: readonly ServiceChange[];
  readonly rollout: 'rolling';
  readonly policyDigest: Digest;
  /** The release that runs now; absent at a first deployment. */
  readonly running?: { readonly version: string; readonly commit: string };
}
