import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';
import { bakeTime, trueMs } from './bake-time.ts';
import { replaceTasks } from './replace.ts';
import type { Circumstances, Stage, StageName, Strategy } from './strategy.ts';
import { trafficSteps } from './traffic-steps.ts';
import type { TrafficStep } from './traffic-steps.ts';
import { isLive, onlyDeployment, othersOf, primaryIsWhole, primaryOf } from './view.ts';
import type { Action, ServiceView, TaskView, Weights } from './view.ts';

/** "Each lifecycle stage can last up to 24 hours": then the deployment fails. Pauses have their own timeouts. */
const STAGE_MINUTES = 24 * 60;

/**
 * The stages of BLUE_GREEN, LINEAR and CANARY: a second set of tasks is started beside the first, the traffic goes
 * over in steps, and the first set stays until the end. See "Amazon ECS blue/green service deployments workflow" and
 * "Lifecycle hooks for Amazon ECS service deployments" in the ECS Developer Guide.
 */
export function shifting(configuration: DeploymentConfiguration, given: Circumstances): Strategy['stages'] {
  const all = [{ percent: 100, bakeMinutes: 0 }];
  // Without traffic to divide there is nothing to be seen at a part of it.
  const steps = given.sourced ? trafficSteps(configuration) : all;
  const limitMs = trueMs(STAGE_MINUTES, given);
  return [
    ...(given.reconciles ? [{ ...reconcile, limitMs }] : []),
    at('PRE_SCALE_UP', keepSource),
    { ...scaleUp, limitMs },
    at('POST_SCALE_UP', keepBoth),
    shift('TEST_TRAFFIC_SHIFT', { test: 100 }),
    at('POST_TEST_TRAFFIC_SHIFT', keepBoth),
    ...steps.flatMap((step, i) => trafficStages(step, i + 1, given)),
    at('POST_PRODUCTION_TRAFFIC_SHIFT', keepBoth),
    baking(configuration.bakeTimeInMinutes ?? 0, given),
    { ...cleanUp, limitMs },
  ];
}

/** The way back: the traffic first, then the tasks that had begun to take it over. */
export function shiftingBack(given: Circumstances): Strategy['stages'] {
  const limitMs = trueMs(STAGE_MINUTES, given);
  return [
    { ...scaleUpAgain, limitMs },
    shift('TEST_TRAFFIC_SHIFT', { test: 0 }),
    shift('PRODUCTION_TRAFFIC_SHIFT', { production: 0 }),
    { ...cleanUp, limitMs },
  ];
}

function trafficStages(step: TrafficStep, number: number, given: Circumstances): Stage[] {
  const shifted = shift('PRODUCTION_TRAFFIC_SHIFT', { production: step.percent });
  const bake = bakeTime(step.bakeMinutes, given);
  return [
    { ...at('PRE_PRODUCTION_TRAFFIC_SHIFT', keepBoth), step: number },
    {
      ...shifted,
      step: number,
      work: (view) => (shifted.isDone(view) ? [...keepBoth(view), ...bake.work(view)] : shifted.work(view)),
      isDone: (view) => shifted.isDone(view) && bake.isDone(view),
    },
  ];
}

/** A stage that is a point in time: what happens at it is its hooks. */
function at(name: StageName, work: Stage['work']): Stage {
  return { name, work, isDone: () => true };
}

/** Traffic is where it shall be when the record says so. */
function shift(name: StageName, wanted: Partial<Weights>): Stage {
  const reached = ({ rollout }: ServiceView): boolean =>
    rollout !== undefined &&
    Object.entries(wanted).every(([key, percent]) => rollout.weights[key as keyof Weights] === percent);
  return {
    name,
    work: (view) =>
      reached(view) || !view.rollout
        ? keepBoth(view)
        : [{ kind: 'shiftTraffic', weights: { ...view.rollout.weights, ...wanted } }],
    isDone: reached,
  };
}

function baking(minutes: number, given: Circumstances): Stage {
  const bake = bakeTime(minutes, given);
  return { ...bake, work: (view) => [...keepBoth(view), ...bake.work(view)] };
}

/** Tasks of revisions that are neither the old nor the new one are left over from a deployment that was overtaken. */
const reconcile: Stage = {
  name: 'RECONCILE_SERVICE',
  work: (view) => [...keepSource(view), ...stopAll(leftOver(view))],
  isDone: (view) => leftOver(view).length === 0,
};

function leftOver(view: ServiceView): TaskView[] {
  return othersOf(view).filter(({ deploymentId }) => deploymentId !== view.rollout?.source);
}

/** All the new tasks beside all the old ones. */
const scaleUp: Stage = { name: 'SCALE_UP', work: keepBoth, isDone: primaryIsWhole };

/** On the way back the old tasks are still there, unless their end had begun. */
const scaleUpAgain: Stage = {
  name: 'SCALE_UP',
  work: (view) => keep(view, primaryOf(view)?.id),
  isDone: (view) => stillServes(view) || primaryIsWhole(view),
};

function stillServes(view: ServiceView): boolean {
  return (
    view.rollout !== undefined &&
    view.rollout.interrupted !== 'CLEAN_UP' &&
    view.rollout.source === primaryOf(view)?.id
  );
}

const cleanUp: Stage = {
  name: 'CLEAN_UP',
  work: (view) => [...keep(view, primaryOf(view)?.id), ...stopAll(othersOf(view))],
  isDone: (view) => primaryIsWhole(view) && othersOf(view).length === 0,
};

/** Each revision has as many tasks as the service desires: a scaling in the middle changes both. */
function keepBoth(view: ServiceView): Action[] {
  return [...keepSource(view), ...keep(view, primaryOf(view)?.id)];
}

function keepSource(view: ServiceView): Action[] {
  const source = view.rollout?.source;
  return source === primaryOf(view)?.id ? [] : keep(view, source);
}

function keep(view: ServiceView, deploymentId: string | undefined): Action[] {
  return deploymentId === undefined ? [] : replaceTasks(onlyDeployment(view, deploymentId));
}

function stopAll(tasks: readonly TaskView[]): Action[] {
  return tasks.filter(isLive).map(({ taskArn }) => ({ kind: 'stopTask', taskArn, why: 'scaling' }));
}
