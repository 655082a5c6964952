import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';
import { given } from './context.ts';
import { CANARY_DEFAULTS, LINEAR_DEFAULTS } from './traffic-steps.ts';

/**
 * What an update leaves out stays as it was; what was never said has ECS's defaults. What belongs to a strategy goes
 * with it.
 */
export function configurationOf(
  wanted: DeploymentConfiguration | undefined,
  before: DeploymentConfiguration = {},
): DeploymentConfiguration {
  const { linearConfiguration, canaryConfiguration, ...kept } = before;
  const strategy = wanted?.strategy ?? before.strategy ?? 'ROLLING';
  const linear =
    wanted?.linearConfiguration ?? (strategy === 'LINEAR' ? (linearConfiguration ?? {}) : undefined);
  const canary =
    wanted?.canaryConfiguration ?? (strategy === 'CANARY' ? (canaryConfiguration ?? {}) : undefined);
  return {
    deploymentCircuitBreaker: { enable: false, rollback: false },
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    ...kept,
    ...given(wanted ?? {}),
    strategy,
    ...(linear ? { linearConfiguration: { ...LINEAR_DEFAULTS, ...given(linear) } } : {}),
    ...(canary ? { canaryConfiguration: { ...CANARY_DEFAULTS, ...given(canary) } } : {}),
  };
}
