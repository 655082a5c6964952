import type { Digest } from './release.ts';

/** Where an environment lives. `role` is the IAM role that Slipway assumes there, if any. */
export interface Target {
  readonly platform: string;
  readonly environment: string;
  /** AWS account number, 12 digits: the caller's identity must match it before any write. */
  readonly account: string;
  readonly region: string;
  readonly role?: string;
  readonly cluster: string;
}

export interface ServicePolicy {
  readonly name: string;
  /** ECS service name in the environment's cluster. */
  readonly ecsService: string;
  /** ECR repository. */
  readonly repository: string;
  /** The container of the task definition that gets the release's image. */
  readonly container: string;
  /** Path, in the repository at the commit, of the task definition's template. */
  readonly taskDefinition: string;
  readonly dependsOn: readonly string[];
  /** Tasks wanted in this environment. */
  readonly desiredCount: number;
  /** Base URL, may hold `${output:NAME}`; without it the served version and latency are not checked. */
  readonly url?: string;
  /** Path that answers with the served version: JSON `{version}` or plain text. */
  readonly versionPath: string;
}

export interface RegistryPolicy {
  /** Host (and port) in image references, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com`. */
  readonly host: string;
  readonly account: string;
  readonly region: string;
  /** The most findings of each severity that a release may have; a missing severity is not gated. `undefined`: no scan gate. */
  readonly scanGate?: Readonly<Partial<Record<Severity, number>>>;
}
export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW';

export interface TerraformPolicy {
  /** Directory in the repository at the commit. */
  readonly directory: string;
  /** `-backend-config` values; the `local` backend's `path` is absolute here. */
  readonly backend: Readonly<Record<string, string>>;
  /** For `-var`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variable to the SSM parameter that has its value, which reaches terraform through its environment alone. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Paths in `directory`, for `-var-file`. */
  readonly variableFiles: readonly string[];
  /** What may be deleted, replaced or forgotten: anything, nothing, or what has an address like one of these; `*` is any text. */
  readonly allowDestroy: boolean | readonly string[];
  /** Resource types that may be changed at all, `*` being any text; absent: every type. */
  readonly allowedTypes?: readonly string[];
}

export interface ApprovalPolicy {
  /** How many approvals of each group; the groups' members are in `groups`. */
  readonly required: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly starterMayApprove: boolean;
  /** An approval must name the evidence's digest. */
  readonly evidenceRequired: boolean;
  readonly expiresAfterSeconds: number;
  readonly remindEverySeconds?: number;
}

/** Who may send each human signal: names of groups. A signal without an entry is open to any named person. */
export interface SignalPolicy {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly allowed: Readonly<Record<string, readonly string[]>>;
}

/** Thresholds over the judged window; a metric without a threshold is reported, not judged. */
export interface MetricPolicy {
  readonly windowSeconds: number;
  /** Below it a service's traffic metrics are 'not judged'. Gates only where it is set. */
  readonly minimumRequests?: number;
  /** Share of bad requests, 0 to 1. */
  readonly maximumErrorRate?: number;
  readonly latency?: {
    readonly thresholdSeconds: number;
    /** share of requests at or under it, 0 to 1 */ readonly minimumShare: number;
  };
  /** Percent of the task's reservation. */
  readonly maximumCpu?: number;
  readonly maximumMemory?: number;
}

export interface TestSuite {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Declared environment of the command; values may hold `${output:NAME}` and `${version}`. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface VerificationPolicy {
  readonly metrics: MetricPolicy;
  readonly tests: readonly TestSuite[];
  readonly manualTest?: {
    readonly group?: string;
    readonly instructions: string;
    readonly expiresAfterSeconds: number;
  };
  /** How long to watch the same signals after the verification. */
  readonly soakSeconds: number;
}

export interface MigrationPolicy {
  readonly service: string;
  readonly command: readonly string[];
  /** The command that takes it back; without it the migration is declared irreversible. */
  readonly undo?: readonly string[];
  readonly timeoutSeconds: number;
}

export interface RolloutPolicy {
  /** No rollout lasts longer, a canary's pauses not counted. */
  readonly timeoutSeconds: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  /** Tasks of a service that may die (an essential container exited) before its release has failed. */
  readonly allowedTaskDeaths: number;
  /** CloudWatch alarms, by name: ECS takes a rollout back when one is in ALARM. */
  readonly alarms: readonly string[];
  readonly canary?: CanaryPolicy;
}

/** How traffic is shifted to a release in steps, each judged before the next. */
export interface CanaryPolicy {
  /** Services that go by canary where they have a load balancer; the others roll. */
  readonly services: readonly string[];
  /** Percent of the traffic after each step, ascending, the last 100: see `trafficShift` for those that ECS can do. */
  readonly steps: readonly number[];
  /** How long each step is judged. */
  readonly bakeSeconds: number;
  readonly deadMan: DeadManPolicy;
  readonly judge: JudgePolicy;
  /** What becomes of a step that is neither good nor bad at its end. */
  readonly onInconclusive: 'ask' | 'rollback';
  /** Suites that run when the new tasks are up and have no traffic yet. */
  readonly smoke: readonly TestSuite[];
}

/** ECS puts the old version back by itself when nobody acts on a pause for so long. */
export interface DeadManPolicy {
  /** At each step. */
  readonly stepMinutes: number;
  /** At 100 %, where the old tasks are kept through the later waves, the verification and the deployment window. */
  readonly lastMinutes: number;
}

/** Thresholds of one canary step; what the policy leaves out is not judged. */
export interface JudgePolicy {
  /** Requests that the release must have had in the step: nothing passes, and no share fails, on less. */
  readonly minimumRequests: number;
  /** Hard guards, whatever the baseline does. Shares, 0 to 1. */
  readonly maximumErrorRate?: number;
  readonly latency?: {
    readonly thresholdSeconds: number;
    /** Share of requests at or under it. */
    readonly minimumShare?: number;
    /** How much smaller that share may be than the baseline's. */
    readonly maximumDecrease?: number;
  };
  /** How much larger the share of bad requests may be than the baseline's. */
  readonly maximumErrorRateIncrease?: number;
}

/** All of `slipway.yaml` that one environment's run needs, snapshotted at its start. */
export interface EnvironmentPolicy {
  readonly target: Target;
  /** SHA-256 of this policy's canonical JSON, less this field. */
  readonly digest: Digest;
  /** In dependency order. */
  readonly services: readonly ServicePolicy[];
  readonly registry: RegistryPolicy;
  readonly terraform?: TerraformPolicy;
  /** Path, in the repository at the commit, of the release's settings for this environment: JSON, key to value. */
  readonly settings?: string;
  /** Names of SSM parameters and Secrets Manager secrets that must exist. */
  readonly requiredParameters: readonly string[];
  readonly requiredSecrets: readonly string[];
  readonly migration?: MigrationPolicy;
  readonly approval?: ApprovalPolicy;
  readonly signals: SignalPolicy;
  readonly rollout: RolloutPolicy;
  readonly verification: VerificationPolicy;
  /** Deployment records that the ledger keeps, and so the releases that a rollback can reach. */
  readonly keepReleases: number;
}

/** What `deploymentPipeline` reads at its start. */
export interface PipelinePolicy {
  readonly platform: string;
  /** In the order in which a release passes them. */
  readonly environments: readonly string[];
  /** Those of `environments` that ask for an approval. */
  readonly approvals: readonly string[];
  readonly registry: RegistryPolicy;
  readonly services: readonly { readonly name: string; readonly repository: string }[];
}
