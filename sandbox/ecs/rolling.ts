import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';
import { bakeTime } from './bake-time.ts';
import { replaceTasks } from './replace.ts';
import type { Circumstances, Stage, Strategy } from './strategy.ts';
import { isLive, othersOf, primaryIsWhole } from './view.ts';

/** How long the alarms are watched after a rolling deployment; AWS says no more than "less than 5 minutes". */
const ALARM_MINUTES = 5;

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

/** A rolling deployment's stages, forward and back. With alarms it ends only when they have been watched for a while. */
export function rolling(configuration: DeploymentConfiguration, given: Circumstances): Strategy['stages'] {
  if (configuration.alarms?.enable !== true || given.rollingBack) return [scaleUp, cleanUp];
  const bake = bakeTime(Math.max(configuration.bakeTimeInMinutes ?? 0, ALARM_MINUTES), given);
  return [scaleUp, cleanUp, { ...bake, work: (view) => [...replaceTasks(view), ...bake.work(view)] }];
}
