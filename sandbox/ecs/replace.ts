import { isLive, primaryOf, tasksOf } from './view.ts';
import type { Action, DeploymentView, ServiceView, TaskView } from './view.ts';

/**
 * The rolling scheduler's step: brings the primary deployment to the desired count and takes the others down,
 * never below `minimumHealthyPercent` (rounded up) of healthy tasks nor above `maximumPercent` (rounded down) of
 * live ones. It also keeps a steady service steady: a task that died or fails its checks is replaced.
 */
export function replaceTasks(view: ServiceView): Action[] {
  const primary = primaryOf(view);
  if (!primary) return [];
  const stops = [...surplus(view, primary), ...unhealthy(view, primary), ...outdated(view, primary)];
  return stops.length > 0 ? stops : starts(view, primary);
}

function upperLimit({ desiredCount, maximumPercent }: ServiceView): number {
  return Math.floor((desiredCount * maximumPercent) / 100);
}

function lowerLimit({ desiredCount, minimumHealthyPercent }: ServiceView): number {
  return Math.ceil((desiredCount * minimumHealthyPercent) / 100);
}

function passing(tasks: readonly TaskView[]): number {
  return tasks.filter((task) => isLive(task) && task.health === 'passing').length;
}

/** How many tasks the primary deployment lacks, those to be replaced not counted. */
function missing(view: ServiceView, primary: DeploymentView): number {
  if (primary.rolloutState === 'FAILED') return 0;
  const serving = tasksOf(view, primary.id).filter((task) => isLive(task) && task.health !== 'failing');
  return Math.max(0, view.desiredCount - serving.length);
}

function room(view: ServiceView): number {
  return Math.max(0, upperLimit(view) - view.tasks.filter(isLive).length);
}

function starts(view: ServiceView, primary: DeploymentView): Action[] {
  const count = Math.min(missing(view, primary), room(view));
  if (count === 0) return [];
  if (view.now < primary.notBefore) return [{ kind: 'lookAgain', at: primary.notBefore }];
  return [{ kind: 'startTasks', deploymentId: primary.id, count }];
}

/** After scaling in: the primary deployment's tasks beyond the desired count, the least useful first. */
function surplus(view: ServiceView, primary: DeploymentView): Action[] {
  const live = tasksOf(view, primary.id).filter(isLive);
  const serving = live.filter(({ health }) => health !== 'failing');
  const excess = serving.length - view.desiredCount;
  return excess <= 0 ? [] : byUse(serving).slice(0, excess).map(scaledIn);
}

/** Failing tasks: once their replacements pass, or at once where no replacement could be started beside them. */
function unhealthy(view: ServiceView, primary: DeploymentView): Action[] {
  const live = tasksOf(view, primary.id).filter(isLive);
  const failing = live.filter(({ health }) => health === 'failing');
  if (failing.length === 0) return [];
  const crowded = room(view) === 0 && missing(view, primary) > 0;
  const replaced = passing(live) >= view.desiredCount || primary.rolloutState === 'FAILED';
  if (!crowded && !replaced) return [];
  return failing.map(({ taskArn, reason }) => ({
    kind: 'stopTask',
    taskArn,
    why: 'unhealthy',
    ...(reason === undefined ? {} : { reason }),
  }));
}

/**
 * Tasks of replaced deployments: those whose successors pass, and, where the upper limit leaves no room to start
 * successors, as many as the lower limit spares. What isn't healthy costs nothing and goes first.
 */
function outdated(view: ServiceView, primary: DeploymentView): Action[] {
  if (primary.rolloutState === 'FAILED') return [];
  const old = view.tasks.filter((task) => isLive(task) && task.deploymentId !== primary.id);
  if (old.length === 0) return [];
  const succeeded = Math.min(passing(tasksOf(view, primary.id)), view.desiredCount);
  const replaced = old.length - (view.desiredCount - succeeded);
  const needed = Math.max(0, missing(view, primary) - room(view));
  const wanted = Math.max(replaced, Math.min(needed, old.length));
  const spared = Math.max(0, passing(view.tasks) - lowerLimit(view));
  let healthyStops = 0;
  const stops: TaskView[] = [];
  for (const task of byUse(old)) {
    if (stops.length >= wanted) break;
    if (task.health === 'passing' && ++healthyStops > spared) break;
    stops.push(task);
  }
  return stops.map(scaledIn);
}

/** The least useful first: failing, then pending, then the youngest of the healthy. */
function byUse(tasks: readonly TaskView[]): TaskView[] {
  const rank = { failing: 0, pending: 1, passing: 2 };
  return tasks.toSorted((a, b) => rank[a.health] - rank[b.health] || b.createdAt - a.createdAt);
}

function scaledIn({ taskArn }: TaskView): Action {
  return { kind: 'stopTask', taskArn, why: 'scaling' };
}
