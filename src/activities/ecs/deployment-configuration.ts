import type {
  DeploymentConfiguration,
  DeploymentLifecycleHook,
  DeploymentStrategy,
  Service,
} from '@aws-sdk/client-ecs';
import { ApplicationFailure } from '@temporalio/common';
import type { RolloutKind } from '../../domain/evidence.ts';
import type { RolloutPolicy } from '../../domain/policy.ts';
import { trafficShift } from '../../domain/traffic-shift.ts';

/**
 * The deployment configuration of a rollout. All that decides how a service deployment goes is said, since ECS keeps what an
 * UpdateService leaves out: a rolling update would inherit an earlier canary's pauses and wait for days. The service's
 * AWS_LAMBDA hooks are its own and stay; PAUSE hooks are Slipway's, as are the alarms where the policy names any.
 * @param current what the service has now
 */
export function rolloutConfiguration(
  current: Service,
  rollout: RolloutPolicy,
  by: RolloutKind,
): DeploymentConfiguration {
  const alarms = alarmsOf(rollout, true);
  return by === 'rolling'
    ? { ...rolling(current, rollout), ...alarms }
    : { ...canary(current, rollout), ...alarms };
}

/**
 * The deployment configuration of the way back: nothing pauses, and the policy's alarms, which may be ringing because of what is
 * taken back, don't stop it.
 * @param underway ECS still works on a deployment. A service can't move to another strategy then (developer guide, "Updating the
 *   deployment strategy from blue/green to rolling update"), so one that isn't ROLLING shifts all traffic in one step.
 */
export function returnConfiguration(
  current: Service,
  rollout: RolloutPolicy,
  underway: boolean,
): DeploymentConfiguration {
  const { strategy = 'ROLLING' } = current.deploymentConfiguration ?? {};
  const way =
    underway && strategy !== 'ROLLING'
      ? { ...shifting(current, rollout), ...stepsOf(strategy, 100), lifecycleHooks: ownHooks(current) }
      : rolling(current, rollout);
  return { ...way, ...alarmsOf(rollout, false) };
}

/**
 * ECS supports ROLLING on a service that has an alternate target group: it goes on in the group that its tasks are in. It is the
 * only strategy that has the circuit breaker and that keeps to the policy's percentages.
 */
function rolling(current: Service, rollout: RolloutPolicy): DeploymentConfiguration {
  const {
    linearConfiguration: _linear,
    canaryConfiguration: _canary,
    bakeTimeInMinutes,
    strategy = 'ROLLING',
    ...kept
  } = current.deploymentConfiguration ?? {};
  return {
    ...kept,
    ...(strategy === 'ROLLING' && bakeTimeInMinutes !== undefined && { bakeTimeInMinutes }),
    strategy: 'ROLLING',
    deploymentCircuitBreaker: { enable: true, rollback: true },
    lifecycleHooks: ownHooks(current),
    ...percentages(rollout),
  };
}

function canary(current: Service, rollout: RolloutPolicy): DeploymentConfiguration {
  if (!rollout.canary) throw impossible('the policy has no canary');
  const { steps, deadMan } = rollout.canary;
  const shift = trafficShift(steps);
  if (shift.kind === 'impossible') throw impossible(shift.reason);
  return {
    ...shifting(current, rollout),
    ...stepsOf(shift.strategy, shift.percent),
    lifecycleHooks: [
      ...ownHooks(current),
      pauseAt('PRE_PRODUCTION_TRAFFIC_SHIFT', deadMan.stepMinutes),
      pauseAt('POST_PRODUCTION_TRAFFIC_SHIFT', deadMan.lastMinutes),
    ],
  };
}

/** ECS's own bake times are 0: how long a step lasts is decided by who releases its pause. */
function stepsOf(strategy: DeploymentStrategy, percent: number): DeploymentConfiguration {
  if (strategy === 'LINEAR')
    return { strategy, linearConfiguration: { stepPercent: percent, stepBakeTimeInMinutes: 0 } };
  if (strategy === 'CANARY')
    return { strategy, canaryConfiguration: { canaryPercent: percent, canaryBakeTimeInMinutes: 0 } };
  return { strategy };
}

/** What all strategies that shift traffic have in common. The circuit breaker is for ROLLING alone. */
function shifting(current: Service, rollout: RolloutPolicy): DeploymentConfiguration {
  const { alarms } = current.deploymentConfiguration ?? {};
  return {
    ...(alarms && { alarms }),
    bakeTimeInMinutes: 0,
    deploymentCircuitBreaker: { enable: false, rollback: false },
    ...percentages(rollout),
  };
}

function percentages({ minimumHealthyPercent, maximumPercent }: RolloutPolicy): DeploymentConfiguration {
  return { minimumHealthyPercent, maximumPercent };
}

/** A policy that names no alarms leaves the service's own as they are. */
function alarmsOf({ alarms }: RolloutPolicy, enable: boolean): DeploymentConfiguration {
  return alarms.length === 0 ? {} : { alarms: { alarmNames: [...alarms], enable, rollback: enable } };
}

function ownHooks({ deploymentConfiguration }: Service): DeploymentLifecycleHook[] {
  return (deploymentConfiguration?.lifecycleHooks ?? []).filter(({ targetType }) => targetType !== 'PAUSE');
}

/** Pauses where nobody acts on them go back: the dead man's switch. */
function pauseAt(
  stage: 'PRE_PRODUCTION_TRAFFIC_SHIFT' | 'POST_PRODUCTION_TRAFFIC_SHIFT',
  timeoutInMinutes: number,
): DeploymentLifecycleHook {
  return {
    targetType: 'PAUSE',
    lifecycleStages: [stage],
    timeoutConfiguration: { timeoutInMinutes, action: 'ROLLBACK' },
  };
}

function impossible(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The service can't be rolled out by canary: ${why}`,
    'CanaryImpossible',
  );
}
