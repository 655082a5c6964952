/** What the scheduler sees of one task. */
export interface TaskView {
  readonly taskArn: string;
  readonly deploymentId: string;
  /** Starting until it is RUNNING; stopping from when its end was decided until it is STOPPED. */
  readonly phase: 'starting' | 'running' | 'stopping';
  /**
   * By its own and its load balancer's checks: `passing` counts towards the minimum healthy percent; `failing` is
   * to be replaced (never within the grace period); `pending` is neither yet.
   */
  readonly health: 'pending' | 'passing' | 'failing';
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Why it is failing, for the task's stopped reason. */
  readonly reason?: string;
}

export interface DeploymentView {
  readonly id: string;
  readonly primary: boolean;
  readonly rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly failedTasks: number;
  /** No task is started before this time, in milliseconds since the epoch. */
  readonly notBefore: number;
}

/** What the rollout in progress is at: a service deployment that hasn't ended. */
export interface RolloutView {
  readonly stage: string;
  readonly rollingBack: boolean;
  /** Someone has asked for the rollback, or the circuit breaker has. */
  readonly rollbackRequested: boolean;
}

/** A service at one moment: all that a decision may depend on. */
export interface ServiceView {
  readonly now: number;
  readonly desiredCount: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly breaker: { readonly enable: boolean; readonly rollback: boolean };
  readonly deployments: readonly DeploymentView[];
  readonly tasks: readonly TaskView[];
  readonly rollout?: RolloutView;
  /** The deployment that last completed, when a rollback could go back to it. */
  readonly rollbackTo?: string;
  readonly draining: boolean;
  /** Whether the last event said that the service is steady. */
  readonly steady: boolean;
}

/** What the scheduler does next. Each is carried out at once, then the service is looked at again. */
export type Action =
  | { readonly kind: 'startTasks'; readonly deploymentId: string; readonly count: number }
  | {
      readonly kind: 'stopTask';
      readonly taskArn: string;
      readonly why: 'scaling' | 'unhealthy';
      readonly reason?: string;
    }
  | { readonly kind: 'enterStage'; readonly stage: string }
  | { readonly kind: 'complete'; readonly deploymentId: string }
  | { readonly kind: 'tripBreaker'; readonly deploymentId: string }
  | { readonly kind: 'rollBack'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'giveUp';
      readonly deploymentId: string;
      readonly because: 'noRollback' | 'noCandidate' | 'rollbackFailed';
    }
  | { readonly kind: 'dropDeployment'; readonly deploymentId: string }
  | { readonly kind: 'sayMarked'; readonly steady: boolean }
  | { readonly kind: 'inactivate' }
  | { readonly kind: 'lookAgain'; readonly at: number };

export function tasksOf(view: ServiceView, deploymentId: string): TaskView[] {
  return view.tasks.filter((task) => task.deploymentId === deploymentId);
}

/** Not on its way out. */
export function isLive(task: TaskView): boolean {
  return task.phase !== 'stopping';
}

export function primaryOf(view: ServiceView): DeploymentView | undefined {
  return view.deployments.find(({ primary }) => primary);
}

/**
 * The circuit breaker's threshold: half the desired count, at least 3, at most 200.
 * See "How the Amazon ECS deployment circuit breaker detects failures" in the ECS Developer Guide.
 */
export function breakerThreshold(desiredCount: number): number {
  return Math.min(Math.max(Math.ceil(desiredCount / 2), 3), 200);
}
