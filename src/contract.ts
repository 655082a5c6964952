/**
 * Names and types that people and processes share. They are a public contract: people type them into
 * `temporal workflow start`, `temporal workflow signal` and `temporal workflow query`.
 */

export type { DeploymentPlan, DriftReport } from './domain/deployment-plan.ts';
export { DECISIONS, HUMAN_SIGNALS, ROLLBACK_STRATEGIES } from './domain/requests.ts';
export type {
  ApprovePayload,
  DecidePayload,
  DeployInput,
  DeployToEnvironmentInput,
  DriftInput,
  HoldPayload,
  HumanSignal,
  ManualTestPayload,
  PipelineInput,
  ReasonPayload,
  RollbackInput,
  RollbackStrategy,
} from './domain/requests.ts';

export const DEFAULT_TASK_QUEUE = 'slipway';
export const DEFAULT_NAMESPACE = 'default';

/** Workflow types that may be started by name. */
export const WORKFLOW_TYPES = [
  'deploymentPipeline',
  'deployToDevelopment',
  'deployToStaging',
  'deployToProduction',
  'deployToEnvironment',
  'planDeployment',
  'detectDrift',
  'rollbackDeployment',
  'environment',
] as const;
export type WorkflowType = (typeof WORKFLOW_TYPES)[number];

/** Input of `environment`, which Slipway starts by itself; `state` is what continue-as-new carries over. */
export interface EnvironmentInput {
  readonly platform: string;
  readonly environment: string;
  readonly state?: unknown;
}

/** Queries of a deployment's run; `history` and `holder` are those of `environment`. */
export const QUERIES = {
  status: 'status',
  evidence: 'evidence',
  history: 'history',
  holder: 'holder',
} as const;

/** Messages between a deployment's run and its `environment`. */
export const ENVIRONMENT_SIGNALS = {
  requestLock: 'requestLock',
  withdrawRequest: 'withdrawRequest',
  holderPong: 'holderPong',
  recordUndo: 'recordUndo',
  releaseLock: 'releaseLock',
  freeze: 'freeze',
  unfreeze: 'unfreeze',
  overrideDirty: 'overrideDirty',
} as const;
/** Update of `environment`: looks for its holder and answers with an `EnvironmentStatus`. */
export const INSPECT_UPDATE = 'inspect';
/** What `environment` signals back to the run that asked for the lock. */
export const HOLDER_SIGNALS = {
  lockAnswer: 'lockAnswer',
  lockReleased: 'lockReleased',
  holderPing: 'holderPing',
} as const;

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
  deploy: (platform: string, environment: string, version: string) =>
    `${platform}.deploy.${environment}.${version}`,
  rollback: (platform: string, environment: string, version: string) =>
    `${platform}.rollback.${environment}.${version}`,
  environment: (platform: string, environment: string) => `${platform}.environment.${environment}`,
} as const;
