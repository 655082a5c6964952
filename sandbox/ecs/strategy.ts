import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';
import { rolling } from './rolling.ts';
import { shifting, shiftingBack } from './shifting.ts';
import type { Action, ServiceView } from './view.ts';

/** ECS's own names of the stages that a service deployment goes through. */
export type StageName =
  | 'RECONCILE_SERVICE'
  | 'PRE_SCALE_UP'
  | 'SCALE_UP'
  | 'POST_SCALE_UP'
  | 'TEST_TRAFFIC_SHIFT'
  | 'POST_TEST_TRAFFIC_SHIFT'
  | 'PRE_PRODUCTION_TRAFFIC_SHIFT'
  | 'PRODUCTION_TRAFFIC_SHIFT'
  | 'POST_PRODUCTION_TRAFFIC_SHIFT'
  | 'BAKE_TIME'
  | 'CLEAN_UP';

/** One stage of a rollout: what to do in it, and whether it has reached its end. */
export interface Stage {
  readonly name: StageName;
  /** Which of the traffic shift's steps it belongs to, from 1. */
  readonly step?: number;
  /** After so many milliseconds in it the deployment has failed. */
  readonly limitMs?: number;
  work(view: ServiceView): Action[];
  isDone(view: ServiceView): boolean;
}

/**
 * How a deployment strategy gets from the old revision to the new one: its stages, in order. The deployment is
 * complete at the end of the last. A stage is entered by an action of its own, so that it is on record before its work begins.
 */
export interface Strategy {
  readonly name: string;
  readonly stages: readonly Stage[];
}

/** What a strategy's stages depend on besides its configuration. */
export interface Circumstances {
  /** How many times faster AWS's waits go by. */
  readonly speed: number;
  readonly rollingBack: boolean;
  /** Whether another revision serves the traffic. */
  readonly sourced: boolean;
  /** Whether several revisions were active when the deployment began. */
  readonly reconciles: boolean;
}

export const STRATEGIES = ['ROLLING', 'BLUE_GREEN', 'LINEAR', 'CANARY'] as const;

/** Whether the strategy starts a second set of tasks and shifts the traffic to it. */
export function shiftsTraffic({ strategy = 'ROLLING' }: DeploymentConfiguration): boolean {
  return strategy !== 'ROLLING';
}

/** The way that a deployment of this configuration goes, or goes back. */
export function strategyOf(configuration: DeploymentConfiguration, given: Circumstances): Strategy {
  const { strategy: name = 'ROLLING' } = configuration;
  if (!shiftsTraffic(configuration)) return { name, stages: rolling(configuration, given) };
  return { name, stages: given.rollingBack ? shiftingBack(given) : shifting(configuration, given) };
}
