import { evidenceDigest, type Evidence } from './evidence.ts';
import type { Digest, Release } from './release.ts';
import type { Drift } from './terraform/drift.ts';
import type { Check } from './verdict.ts';

/** What approvers are asked about: the answer of a run's `evidence` query. Approvals are bound to the evidence alone. */
export interface Proposal {
  readonly evidence: Evidence;
  readonly digest: Digest;
  /** Terraform's plan for people, with values, sensitive ones masked; at most 4 KB. */
  readonly terraform?: string;
  /** The same in Markdown; at most 8 KB. */
  readonly terraformMarkdown?: string;
}

/** Result of `planDeployment`. */
export interface DeploymentPlan extends Proposal {
  readonly checks: readonly Check[];
}

interface Planned {
  readonly evidence: Evidence;
  readonly terraform?: { readonly rendering: string; readonly markdown: string };
}

export function proposalOf({ evidence, terraform }: Planned): Proposal {
  return {
    evidence,
    digest: evidenceDigest(evidence),
    ...(terraform && { terraform: terraform.rendering, terraformMarkdown: terraform.markdown }),
  };
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
