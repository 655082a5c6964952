import type { Tally } from './approval.ts';
import type { Outcome } from './outcome.ts';
import type { Digest, Release } from './release.ts';
import type { IgnoredSignal, StepRecord } from './report.ts';

/** What a run waits for, and the commands that answer it. */
export interface Waiting {
  readonly what: string;
  /** ISO 8601. */
  readonly since: string;
  readonly until?: string;
  readonly commands: readonly string[];
}

/** Answer of the `status` query of a deployment's run. */
export interface RunStatus {
  readonly platform: string;
  readonly environment: string;
  readonly release: Release;
  readonly phase: string;
  readonly steps: readonly StepRecord[];
  readonly waiting?: Waiting;
  readonly evidence?: Digest;
  readonly approvals?: Tally;
  readonly ignored: readonly IgnoredSignal[];
  readonly outcome?: Outcome;
}

/** Answer of the `status` query of a pipeline. */
export interface PipelineStatus {
  readonly platform: string;
  readonly release: Release;
  readonly environments: readonly {
    readonly environment: string;
    readonly state: 'pending' | 'running' | 'done' | 'failed';
    readonly workflowId?: string;
  }[];
  readonly outcome?: Outcome;
}
