import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';

/** What ECS takes where a configuration says nothing. See LinearConfiguration and CanaryConfiguration. */
export const LINEAR_DEFAULTS = { stepPercent: 10, stepBakeTimeInMinutes: 6 };
export const CANARY_DEFAULTS = { canaryPercent: 5, canaryBakeTimeInMinutes: 10 };

/** One shift of production traffic. */
export interface TrafficStep {
  /** Of the traffic that goes to the new revision afterwards. */
  readonly percent: number;
  /** How long it stays so before the next step, in minutes of AWS's time. */
  readonly bakeMinutes: number;
}

/** The last step has no bake time of its own: the deployment's follows. */
const ALL: TrafficStep = { percent: 100, bakeMinutes: 0 };

/**
 * The steps in which a deployment strategy shifts production traffic; one for strategies that don't divide it.
 * A step of less than 100 % is a multiple of 0.1.
 */
export function trafficSteps(configuration: DeploymentConfiguration): readonly TrafficStep[] {
  if (configuration.strategy === 'CANARY') return canarySteps(configuration);
  return configuration.strategy === 'LINEAR' ? linearSteps(configuration) : [ALL];
}

function canarySteps({ canaryConfiguration: canary = {} }: DeploymentConfiguration): TrafficStep[] {
  const {
    canaryPercent: percent = CANARY_DEFAULTS.canaryPercent,
    canaryBakeTimeInMinutes: bakeMinutes = CANARY_DEFAULTS.canaryBakeTimeInMinutes,
  } = canary;
  return percent >= 100 ? [ALL] : [{ percent, bakeMinutes }, ALL];
}

function linearSteps({ linearConfiguration: linear = {} }: DeploymentConfiguration): TrafficStep[] {
  const {
    stepPercent = LINEAR_DEFAULTS.stepPercent,
    stepBakeTimeInMinutes: bakeMinutes = LINEAR_DEFAULTS.stepBakeTimeInMinutes,
  } = linear;
  // In tenths of a percent: sums of fractions wouldn't end at 100.
  const tenths = Math.round(stepPercent * 10);
  const steps = Array.from({ length: Math.ceil(1000 / tenths) - 1 }, (_, i) => ({
    percent: ((i + 1) * tenths) / 10,
    bakeMinutes,
  }));
  return [...steps, ALL];
}
