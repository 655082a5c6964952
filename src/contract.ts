/**
 * Names and types that people and processes share. They are a public contract: people type them into
 * `temporal workflow start`, `temporal workflow signal` and `temporal workflow query`.
 */

export const DEFAULT_TASK_QUEUE = 'slipway';
export const DEFAULT_NAMESPACE = 'default';

/** Workflow types that may be started by name. */
export const WORKFLOW_TYPES = [
  'deploymentPipeline',
  'deployToDevelopment',
  'deployToStaging',
  'deployToProduction',
  'deployToEnvironment',
  'rollbackDeployment',
  'environment',
] as const;
export type WorkflowType = (typeof WORKFLOW_TYPES)[number];

export interface DeployInput {
  /** Semantic version, such as `1.4.0`; also the tag of the images. */
  readonly versionTag: string;
  /** The full commit hash, 40 or 64 hexadecimal digits. */
  readonly commitHash: string;
  /** Who starts the run. Without it the identity recorded at the start counts. */
  readonly startedBy?: string;
}

export interface DeployToEnvironmentInput extends DeployInput {
  readonly environment: string;
}

export interface PipelineInput extends DeployInput {
  /** The last environment to deploy to; the platform's last one when left out. */
  readonly through?: string;
}

export const ROLLBACK_STRATEGIES = ['revert', 'redeploy', 'disable-features'] as const;
export type RollbackStrategy = (typeof ROLLBACK_STRATEGIES)[number];

export interface RollbackInput {
  readonly environment: string;
  readonly failedVersion: string;
  readonly targetVersion: string;
  readonly strategy?: RollbackStrategy;
  readonly reason?: string;
  readonly startedBy?: string;
}

/** Input of `environment`, which Slipway starts by itself; `state` is what continue-as-new carries over. */
export interface EnvironmentInput {
  readonly platform: string;
  readonly environment: string;
  readonly state?: unknown;
}

/** Signals that people send to a deployment's run (the pipeline's or its environment's alike). */
export const HUMAN_SIGNALS = [
  'approve',
  'reject',
  'abort',
  'hold',
  'resume',
  'promote',
  'recordManualTest',
  'decide',
] as const;
export type HumanSignal = (typeof HUMAN_SIGNALS)[number];

export interface ApprovePayload {
  readonly by: string;
  readonly comment?: string;
  /** The evidence's digest, or 8 or more of its first characters. */
  readonly evidence?: string;
  readonly signature?: string;
}
export interface ReasonPayload {
  readonly by: string;
  readonly reason: string;
}
export interface HoldPayload {
  readonly by: string;
  readonly reason?: string;
}
export interface ManualTestPayload {
  readonly by: string;
  readonly passed: boolean;
  readonly notes?: string;
}
export const DECISIONS = ['continue', 'retry', 'rollback'] as const;
export interface DecidePayload {
  readonly by: string;
  readonly action: (typeof DECISIONS)[number];
  readonly reason?: string;
}

/** Queries of a deployment's run; `history` and `holder` are those of `environment`. */
export const QUERIES = { status: 'status', evidence: 'evidence', history: 'history', holder: 'holder' } as const;

/** Messages between a deployment's run and its `environment`. */
export const ENVIRONMENT_SIGNALS = {
  requestLock: 'requestLock',
  withdrawRequest: 'withdrawRequest',
  recordUndo: 'recordUndo',
  releaseLock: 'releaseLock',
  freeze: 'freeze',
  unfreeze: 'unfreeze',
  overrideDirty: 'overrideDirty',
} as const;
/** Update of `environment`: looks for its holder and answers with an `EnvironmentStatus`. */
export const INSPECT_UPDATE = 'inspect';
/** What `environment` signals back to the run that asked for the lock. */
export const HOLDER_SIGNALS = { lockAnswer: 'lockAnswer', lockReleased: 'lockReleased', holderPing: 'holderPing' } as const;

/** Search attributes, by name and Temporal type. */
export const SEARCH_ATTRIBUTES = {
  SlipwayPlatform: 'KEYWORD',
  SlipwayEnvironment: 'KEYWORD',
  SlipwayVersion: 'KEYWORD',
  SlipwayPhase: 'KEYWORD',
  SlipwayOutcome: 'KEYWORD',
} as const;

export { FAILED_OUTCOMES } from './domain/outcome.ts';
export type { FailedOutcome, Outcome } from './domain/outcome.ts';

/** Ids of the runs that Slipway starts itself. Only the environment's id is relied upon. */
export const workflowId = {
  release: (platform: string, version: string) => `${platform}.release.${version}`,
  deploy: (platform: string, environment: string, version: string) => `${platform}.deploy.${environment}.${version}`,
  rollback: (platform: string, environment: string, version: string) =>
    `${platform}.rollback.${environment}.${version}`,
  environment: (platform: string, environment: string) => `${platform}.environment.${environment}`,
} as const;
