import type { Evidence } from './evidence.ts';
import type { Digest, Release } from './release.ts';
import type { Drift } from './terraform/drift.ts';
import type { Check } from './verdict.ts';

/** Result of `planDeployment`. */
export interface DeploymentPlan {
  readonly evidence: Evidence;
  readonly digest: Digest;
  readonly checks: readonly Check[];
  /** Terraform's plan for people, sensitive values masked. */
  readonly terraform?: string;
  /** The same in Markdown. */
  readonly terraformMarkdown?: string;
}

/** Result of `detectDrift`. */
export interface DriftReport {
  readonly platform: string;
  readonly environment: string;
  /** What serves: its version, and the commit whose configuration was planned. */
  readonly release: Release;
  readonly drift: Drift;
  /** The run that held the environment: some of the drift may be its own change, which the state does not know yet. */
  readonly heldBy?: string;
}
