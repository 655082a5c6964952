import { replaceTasks } from './replace.ts';
import { isLive, primaryOf, tasksOf } from './view.ts';
import type { Action, ServiceView } from './view.ts';

/** ECS's own names of the stages that a service deployment goes through. */
export type StageName =
  | 'RECONCILE_SERVICE'
  | 'PRE_SCALE_UP'
  | 'SCALE_UP'
  | 'POST_SCALE_UP'
  | 'TEST_TRAFFIC_SHIFT'
  | 'POST_TEST_TRAFFIC_SHIFT'
  | 'PRODUCTION_TRAFFIC_SHIFT'
  | 'POST_PRODUCTION_TRAFFIC_SHIFT'
  | 'BAKE_TIME'
  | 'CLEAN_UP';

/** One stage of a rollout: what to do in it, and whether it has reached its end. */
export interface Stage {
  readonly name: StageName;
  work(view: ServiceView): Action[];
  isDone(view: ServiceView): boolean;
}

/**
 * How a deployment strategy gets from the old revision to the new one: its stages, in order. The deployment is
 * complete at the end of the last. A stage is entered by an action of its own, so that it is on record before its work begins.
 */
export interface Strategy {
  readonly name: string;
  readonly stages: readonly [Stage, ...Stage[]];
}

/** New tasks start beside the old ones, and replace them in batches. */
const scaleUp: Stage = {
  name: 'SCALE_UP',
  work: replaceTasks,
  isDone: (view) => primaryIsWhole(view) && othersOf(view).every((task) => !isLive(task)),
};

/** The last replaced tasks drain and stop. */
const cleanUp: Stage = {
  name: 'CLEAN_UP',
  work: replaceTasks,
  isDone: (view) => primaryIsWhole(view) && othersOf(view).length === 0,
};

const rolling: Strategy = { name: 'ROLLING', stages: [scaleUp, cleanUp] };

const STRATEGIES: Readonly<Record<string, Strategy>> = { ROLLING: rolling };

/** The strategy of that name; undefined when the sandbox doesn't model it. */
export function strategyNamed(name: string): Strategy | undefined {
  return STRATEGIES[name];
}

/** A rollback goes the rolling way, whatever way the deployment came. */
export const rollbackStrategy = rolling;

/** As many tasks as desired run, pass their checks, and none is on its way. */
export function primaryIsWhole(view: ServiceView): boolean {
  const primary = primaryOf(view);
  if (!primary) return false;
  const live = tasksOf(view, primary.id).filter(isLive);
  return (
    live.length === view.desiredCount &&
    live.every(({ phase, health }) => phase === 'running' && health === 'passing')
  );
}

function othersOf(view: ServiceView): ServiceView['tasks'] {
  const primary = primaryOf(view);
  return view.tasks.filter(({ deploymentId }) => deploymentId !== primary?.id);
}
