import type { Tally } from './approval.ts';
import type { CanaryStep } from './canary.ts';
import type { Outcome } from './outcome.ts';
import type { Digest, Release } from './release.ts';
import type { IgnoredSignal, StepRecord } from './report.ts';
import type { DecidePayload, HumanSignal } from './requests.ts';

/** What a run waits for, and the commands that answer it. */
export interface Waiting {
  readonly what: string;
  /** ISO 8601. */
  readonly since: string;
  readonly until?: string;
  readonly commands: readonly string[];
  /** The signal that answers. */
  readonly signal: HumanSignal;
  /** Answers that the question takes, the first the most likely: of a `decide`. */
  readonly actions?: readonly DecidePayload['action'][];
  /** What Terraform would do, where that is asked: readable lines, at most 4 KB, sensitive values masked. */
  readonly terraform?: string;
}

/** Canaries that wait at a pause. */
export interface Paused {
  readonly services: readonly string[];
  /** Percent of the traffic that the release has. */
  readonly weight: number;
  /** When ECS puts the old version back by itself, the first of them: ISO 8601. */
  readonly expiresAt: string;
}

/** Who froze the canary where it is. */
export interface Held {
  readonly by: string;
  /** ISO 8601. */
  readonly since: string;
  readonly reason?: string;
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
  /** Steps of the services that go by canary, in order. */
  readonly canary?: readonly CanaryStep[];
  readonly paused?: Paused;
  readonly held?: Held;
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
