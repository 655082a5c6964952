import { isUnderway, isUnfinished } from './rollout.ts';
import type { ObservedDeployment } from './rollout.ts';

/** What a service shall be again. */
export interface RestoreGoal {
  /** Absent when the service did not exist before: only its tasks are taken away. */
  readonly taskDefinition?: string;
  readonly desiredCount: number;
}

export interface RestoreObservation {
  readonly exists: boolean;
  /** Task definition of the primary deployment. */
  readonly primary?: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  /** One deployment, COMPLETED, running = desired. */
  readonly settled: boolean;
  readonly newest?: ObservedDeployment;
  /** Running tasks that are not of the goal's task definition or not of its images, one line each. */
  readonly strangers: readonly string[];
  /** Running tasks whose image digests ECS does not tell yet. */
  readonly unidentified: number;
}

export type RestoreStep =
  | { readonly kind: 'done' }
  /** Have ECS roll this deployment back. */
  | { readonly kind: 'stop'; readonly serviceDeploymentArn: string }
  | { readonly kind: 'update' }
  | { readonly kind: 'wait'; readonly detail: string };

/** What was there before: a state that serves, or nothing, which is desired count 0. */
export function restoreGoal(previous: {
  readonly exists: boolean;
  readonly serving: boolean;
  readonly taskDefinition?: string;
  readonly desiredCount: number;
}): RestoreGoal {
  const known = previous.exists && previous.taskDefinition ? { taskDefinition: previous.taskDefinition } : {};
  return { ...known, desiredCount: previous.serving ? previous.desiredCount : 0 };
}

/**
 * The next step on the way back to `goal`.
 * @param stopRefused deployments that ECS would not stop: they are overruled by an update
 */
export function nextRestoreStep(
  goal: RestoreGoal,
  seen: RestoreObservation,
  stopRefused: ReadonlySet<string>,
): RestoreStep {
  if (!seen.exists) return { kind: 'done' };
  const { newest } = seen;
  if (
    goal.desiredCount > 0 &&
    newest &&
    isUnfinished(newest.status) &&
    newest.taskDefinition !== goal.taskDefinition
  ) {
    // ECS goes back faster by itself than by a new deployment: it still has what it needs.
    if (!isUnderway(newest.status))
      return { kind: 'wait', detail: `ECS takes ${newest.arn} back (${newest.status})` };
    if (!stopRefused.has(newest.arn)) return { kind: 'stop', serviceDeploymentArn: newest.arn };
  }
  if (differs(goal, seen)) return { kind: 'update' };
  if (!isThere(goal, seen)) return { kind: 'wait', detail: describe(goal, seen) };
  return { kind: 'done' };
}

function differs(goal: RestoreGoal, seen: RestoreObservation): boolean {
  const otherTaskDefinition = goal.taskDefinition !== undefined && seen.primary !== goal.taskDefinition;
  return otherTaskDefinition || seen.desiredCount !== goal.desiredCount;
}

function isThere(goal: RestoreGoal, seen: RestoreObservation): boolean {
  if (goal.desiredCount === 0) return seen.runningCount === 0 && seen.pendingCount === 0;
  return seen.settled && seen.unidentified === 0 && seen.strangers.length === 0;
}

function describe(goal: RestoreGoal, seen: RestoreObservation): string {
  const [stranger] = seen.strangers;
  return `${seen.runningCount} of ${goal.desiredCount} tasks run${stranger ? `; ${stranger}` : ''}`;
}
