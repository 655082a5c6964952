import { isUnderway, isUnfinished, pauseOf } from './rollout.ts';
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
  /** When the primary deployment began: milliseconds since the epoch. */
  readonly primarySince?: number;
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
  /** Have ECS go back from the pause that this deployment waits at. */
  | { readonly kind: 'turn back'; readonly serviceDeploymentArn: string; readonly hookId: string }
  /** Have ECS roll this deployment back. */
  | { readonly kind: 'stop'; readonly serviceDeploymentArn: string }
  | { readonly kind: 'update' }
  /** Somebody else deployed: it is theirs, and stays. */
  | ({ readonly kind: 'replaced' } & Replacement)
  | { readonly kind: 'wait'; readonly detail: string };

/** What somebody else deployed. */
export interface Replacement {
  readonly taskDefinition: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly serviceDeploymentArn?: string;
}

/**
 * What was there before: a state that serves, or nothing, which is desired count 0.
 *
 * A state that serves has the number of tasks that it had, but only where the present number is of the release's making, which
 * is the policy's where that is more than there were: see `taskCount`. Any other was set by autoscaling or a person, for the
 * traffic that there is now. Going back is about the version, and must not take away the capacity that the traffic needs. No
 * tasks at all is no scaling: what is gone back to serves.
 * @param asked the number of tasks that the release's policy asks for
 * @param present the service's desired count now
 */
export function restoreGoal(
  previous: {
    readonly exists: boolean;
    readonly serving: boolean;
    readonly taskDefinition?: string;
    readonly desiredCount: number;
  },
  asked: number,
  present: number,
): RestoreGoal {
  const known = previous.exists && previous.taskDefinition ? { taskDefinition: previous.taskDefinition } : {};
  if (!previous.serving) return { ...known, desiredCount: 0 };
  const raised = present === asked && asked > previous.desiredCount;
  return { ...known, desiredCount: raised || present === 0 ? previous.desiredCount : present };
}

/**
 * The next step on the way back to `goal`.
 * @param refused deployments that ECS would not stop, and pauses that it would not go back from: the next way is tried, which is
 *   to stop the deployment, and then to overrule it by an update
 * @param ours the task definition whose rollout is undone; without it the service goes back whatever it runs
 */
export function nextRestoreStep(
  goal: RestoreGoal,
  seen: RestoreObservation,
  refused: ReadonlySet<string>,
  ours?: string,
): RestoreStep {
  if (!seen.exists) return { kind: 'done' };
  const other = ours === undefined ? undefined : replacement(goal, seen, ours);
  if (other) return { kind: 'replaced', ...other };
  const { newest } = seen;
  if (goal.desiredCount > 0 && newest && isUnfinished(newest.status) && !leadsTo(goal, newest)) {
    // ECS goes back faster by itself than by a new deployment: it still has what it needs.
    if (!isUnderway(newest.status))
      return { kind: 'wait', detail: `ECS takes ${newest.arn} back (${newest.status})` };
    const pause = pauseOf(newest);
    if (pause && !refused.has(pause.id))
      return { kind: 'turn back', serviceDeploymentArn: newest.arn, hookId: pause.id };
    if (!refused.has(newest.arn)) return { kind: 'stop', serviceDeploymentArn: newest.arn };
  }
  if (differs(goal, seen)) return { kind: 'update' };
  if (!isThere(goal, seen)) return { kind: 'wait', detail: describe(goal, seen) };
  return { kind: 'done' };
}

/** A deployment of what served before gets there, unless it pauses: then it is not the way back, which never does. */
function leadsTo(goal: RestoreGoal, newest: ObservedDeployment): boolean {
  return newest.taskDefinition === goal.taskDefinition && pauseOf(newest) === undefined;
}

/** Where no task definition was before, nothing tells somebody else's from the one that the service was made with. */
function replacement(goal: RestoreGoal, seen: RestoreObservation, ours: string): Replacement | undefined {
  if (goal.taskDefinition === undefined) return undefined;
  const known = [goal.taskDefinition, ours];
  const { newest, primary, primarySince: since } = seen;
  if (newest?.taskDefinition !== undefined && !known.includes(newest.taskDefinition)) {
    const { taskDefinition, createdAt, arn } = newest;
    return { taskDefinition, since: createdAt, serviceDeploymentArn: arn };
  }
  if (primary === undefined || known.includes(primary)) return undefined;
  return { taskDefinition: primary, ...(since !== undefined && { since }) };
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
