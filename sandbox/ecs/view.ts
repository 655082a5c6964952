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

/** A pause that was reached in the stage that a rollout is in. */
export interface HookView {
  readonly hookId: string;
  readonly awaiting: boolean;
  /** When its timeout acts, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Percentages of the traffic that go to the revision that is rolled out. */
export interface Weights {
  readonly production: number;
  readonly test: number;
}

/** What the rollout in progress is at: a service deployment that hasn't ended. */
export interface RolloutView {
  /** Undefined before the first stage. */
  readonly stage?: string;
  /** Which of the traffic shift's steps, from 1, where the stage is one of them. */
  readonly step?: number;
  /** When that stage began, in milliseconds since the epoch. */
  readonly since: number;
  readonly rollingBack: boolean;
  /** Someone has asked for the rollback, or what watches the deployment has. */
  readonly rollbackRequested: boolean;
  /** The deployment that the traffic comes from; undefined when nothing served before. */
  readonly source?: string;
  readonly weights: Weights;
  /** The stage in which the rollback began. */
  readonly interrupted?: string;
  readonly hooks: readonly HookView[];
  /** Why the traffic can't be shifted. */
  readonly networking?: string;
  /** The deployment's alarms that are in ALARM, and whether that rolls it back. */
  readonly alarms: { readonly triggered: readonly string[]; readonly rollback: boolean };
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

/** Why a deployment fails by itself, besides its tasks. */
export type FailureCause = 'alarm' | 'networking' | 'timeout';

/** What the scheduler does next. Each is carried out at once, then the service is looked at again. */
export type Action =
  | { readonly kind: 'startTasks'; readonly deploymentId: string; readonly count: number }
  | {
      readonly kind: 'stopTask';
      readonly taskArn: string;
      readonly why: 'scaling' | 'unhealthy';
      readonly reason?: string;
    }
  | { readonly kind: 'enterStage'; readonly stage: string; readonly step?: number }
  | { readonly kind: 'shiftTraffic'; readonly weights: Weights }
  | { readonly kind: 'timeOutHook'; readonly hookId: string }
  | { readonly kind: 'complete'; readonly deploymentId: string }
  | { readonly kind: 'tripBreaker'; readonly deploymentId: string }
  /** The rollback is asked for; `reason` is what the service deployment says. */
  | { readonly kind: 'fail'; readonly cause: FailureCause; readonly reason: string }
  | { readonly kind: 'rollBack'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'giveUp';
      readonly deploymentId: string;
      readonly because: 'noRollback' | 'noCandidate' | 'rollbackFailed' | 'alarm';
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

/** The same service as if it had that deployment alone: what is decided of it leaves the others be. */
export function onlyDeployment(view: ServiceView, id: string): ServiceView {
  return {
    ...view,
    deployments: view.deployments
      .filter((each) => each.id === id)
      .map((each) => ({ ...each, primary: true })),
    tasks: tasksOf(view, id),
  };
}

/** As many of the primary deployment's tasks as desired run, pass their checks, and none is on its way. */
export function primaryIsWhole(view: ServiceView): boolean {
  const primary = primaryOf(view);
  if (!primary) return false;
  const live = tasksOf(view, primary.id).filter(isLive);
  return (
    live.length === view.desiredCount &&
    live.every(({ phase, health }) => phase === 'running' && health === 'passing')
  );
}

/** Tasks of replaced deployments. */
export function othersOf(view: ServiceView): TaskView[] {
  const primary = primaryOf(view);
  return view.tasks.filter(({ deploymentId }) => deploymentId !== primary?.id);
}

/**
 * The circuit breaker's threshold: half the desired count, at least 3, at most 200.
 * See "How the Amazon ECS deployment circuit breaker detects failures" in the ECS Developer Guide.
 */
export function breakerThreshold(desiredCount: number): number {
  return Math.min(Math.max(Math.ceil(desiredCount / 2), 3), 200);
}
