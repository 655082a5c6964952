import type { ReferencePlan, RolloutKind, ServiceChange } from '../../domain/evidence.ts';
import type {
  MigrationPolicy,
  RegistryPolicy,
  RolloutPolicy,
  ServicePolicy,
  Target,
} from '../../domain/policy.ts';
import type { Manifest } from '../../domain/release.ts';
import type { Check, Verdict } from '../../domain/verdict.ts';
import type { LockProof } from '../lock.ts';
import type { Outputs } from '../terraform/types.ts';

/** What an ECS service runs now. */
export interface ServiceState {
  readonly service: string;
  readonly exists: boolean;
  /** Task definition ARN of the primary deployment. */
  readonly taskDefinition?: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  /** One deployment, COMPLETED, running = desired. */
  readonly stable: boolean;
  /** Stable and desired count above 0: a state that a rollback can go back to. */
  readonly serving: boolean;
  readonly detail: string;
}

export interface ServicePlanInput {
  readonly target: Target;
  readonly registry: RegistryPolicy;
  readonly services: readonly ServicePolicy[];
  readonly manifest: Manifest;
  /** Parameters that the release's settings go to, key to name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Known Terraform outputs; a placeholder without one stays a placeholder in the plan's digest. */
  readonly outputs: Outputs;
}

export interface ServicePlan {
  readonly services: readonly ServiceChange[];
  readonly references: readonly ReferencePlan[];
  /** Hardening and template problems, one check per service; one per service that shall go by canary; one of the alarms. */
  readonly checks: readonly Check[];
  readonly states: readonly ServiceState[];
}

/** One rollout: an ECS service deployment that this release asked for. */
export interface Rollout {
  readonly service: string;
  readonly taskDefinition: string;
  /** What the service was asked to have: the policy's number, or what it had where that was more. */
  readonly desiredCount: number;
  /** Absent when the service already ran this task definition and no deployment was needed. */
  readonly serviceDeploymentArn?: string;
}

export interface RestoreInput {
  readonly target: Target;
  /** By its `desiredCount` is known whether the release has raised the number of tasks: any other was set by somebody, and stays. */
  readonly service: ServicePolicy;
  /** What ran before; `serving: false` or `exists: false`: a first deployment, whose undo is desired count 0. */
  readonly previous: ServiceState;
  readonly rollout: RolloutPolicy;
  /**
   * Task definition ARN that this run rolled out, or was about to. With it, a service that somebody has deployed something
   * else to is left as it is. Without it the service goes back whatever it runs: a rollback that a person orders.
   */
  readonly ours?: string;
  readonly lock: LockProof;
}

export interface EcsActivities {
  /** The caller's identity must be the target's account. */
  checkIdentity(input: { target: Target }): Promise<Check>;
  describeServices(input: { target: Target; services: readonly ServicePolicy[] }): Promise<ServiceState[]>;
  /** Each must be ACTIVE, or ECS would not go back to it: one check per service. @param input.taskDefinitions ARNs by service */
  checkTaskDefinitions(input: {
    target: Target;
    taskDefinitions: Readonly<Record<string, string>>;
  }): Promise<Check[]>;
  /** Renders the task definitions, reads what runs, checks hardening and how each service can be rolled out; changes nothing. */
  planServices(input: ServicePlanInput & { rollout: RolloutPolicy }): Promise<ServicePlan>;
  /** Registers the service's task definition, or finds the revision that has the same content (by a content-hash tag). @returns its ARN */
  registerTaskDefinition(
    input: Omit<ServicePlanInput, 'services'> & { service: ServicePolicy; lock: LockProof },
  ): Promise<string>;
  /** Runs the migration as a one-off task of `taskDefinition` and waits for its exit; finds the one that an earlier attempt started. Heartbeats. */
  runMigration(input: {
    target: Target;
    service: ServicePolicy;
    taskDefinition: string;
    migration: MigrationPolicy;
    direction: 'do' | 'undo';
    /** Names the run and step: the task's `startedBy`, at most 36 characters. */
    startedBy: string;
    /**
     * Of an undo: `startedBy` of the migration that it takes back. When no task of it, running or stopped, is known to ECS,
     * nothing is run. ECS forgets a stopped task after about an hour: without `lookFor` the undo always runs.
     */
    lookFor?: string;
    lock: LockProof;
  }): Promise<{ exitCode: number; detail: string; /** A task ran. */ ran?: boolean }>;
  /**
   * Starts the rollout, or finds the one that an earlier attempt started: rolling, with the circuit breaker and its rollback on; or by
   * canary, which pauses before any traffic, at each step and at 100 %.
   */
  startRollout(input: {
    target: Target;
    service: ServicePolicy;
    taskDefinition: string;
    rollout: RolloutPolicy;
    by: RolloutKind;
    lock: LockProof;
  }): Promise<Rollout>;
  /** Follows the rollout to its end, by identity; its time counts from when this was scheduled. A breaker's rollback is a fail at once. Heartbeats. */
  followRollout(input: {
    target: Target;
    service: ServicePolicy;
    rollout: Rollout;
    policy: RolloutPolicy;
  }): Promise<Verdict>;
  /** Undo of a rollout: looks first; goes back from a pause, stops what else is in progress, goes back to `previous`, waits until it serves. Heartbeats. @throws non-retryable `ReplacedByOther`, `RestoreFailed`, `RestoreTimedOut` */
  restoreService(input: RestoreInput): Promise<{ outcome: 'undone' | 'nothing to undo'; detail: string }>;
}
