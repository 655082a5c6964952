import type { DeploymentConfiguration, DeploymentLifecycleHook, LoadBalancer } from '@aws-sdk/client-ecs';
import { invalid, unsupported } from './context.ts';
import { shiftsTraffic, STRATEGIES } from './strategy.ts';

/** Minutes: a day. */
const LONGEST_BAKE = 1440;
const MOST_PAUSE_HOOKS = 10;
/** Stages that ECS goes through on the way back too: a pause there would hold up a rollback. */
const NO_PAUSE = ['TEST_TRAFFIC_SHIFT', 'PRODUCTION_TRAFFIC_SHIFT'];

/** What ECS refuses of a deployment configuration. @throws AwsError */
export function checkDeployment(
  configuration: DeploymentConfiguration,
  loadBalancers: readonly LoadBalancer[],
): void {
  const { strategy = 'ROLLING' } = configuration;
  if (!STRATEGIES.some((known) => known === strategy))
    throw unsupported(`The deployment strategy ${strategy}`);
  checkPercents(configuration);
  checkTimes(configuration);
  checkSteps(configuration);
  checkHooks(configuration);
  checkAlarms(configuration);
  if (shiftsTraffic(configuration)) checkRouting(strategy, loadBalancers);
}

function checkPercents({ minimumHealthyPercent = 100, maximumPercent = 200 }: DeploymentConfiguration): void {
  if (minimumHealthyPercent < 0) throw invalid('minimumHealthyPercent must be greater than or equal to 0');
  if (maximumPercent < 100) throw invalid('maximumPercent must be greater than or equal to 100');
  if (minimumHealthyPercent > maximumPercent)
    throw invalid('maximumPercent must be at least minimumHealthyPercent');
  if (minimumHealthyPercent >= 100 && maximumPercent === 100) {
    throw invalid(
      'Both minimumHealthyPercent and maximumPercent cannot be 100 as this will block deployments.',
    );
  }
}

function checkTimes(configuration: DeploymentConfiguration): void {
  const { bakeTimeInMinutes, linearConfiguration: linear, canaryConfiguration: canary } = configuration;
  // AWS's references contradict each other about what it would be without.
  if (bakeTimeInMinutes === undefined && shiftsTraffic(configuration)) {
    throw invalid(
      `bakeTimeInMinutes must be specified with the deployment strategy ${configuration.strategy}.`,
    );
  }
  checkMinutes('bakeTimeInMinutes', bakeTimeInMinutes);
  checkMinutes('stepBakeTimeInMinutes', linear?.stepBakeTimeInMinutes);
  checkMinutes('canaryBakeTimeInMinutes', canary?.canaryBakeTimeInMinutes);
}

function checkMinutes(name: string, value = 0): void {
  if (value < 0 || value > LONGEST_BAKE) throw invalid(`${name} must be between 0 and ${LONGEST_BAKE}.`);
}

function checkSteps({ strategy, linearConfiguration, canaryConfiguration }: DeploymentConfiguration): void {
  if (linearConfiguration) {
    if (strategy !== 'LINEAR')
      throw invalid('linearConfiguration is only valid with the deployment strategy LINEAR.');
    checkPercent('stepPercent', linearConfiguration.stepPercent, 3);
  }
  if (canaryConfiguration) {
    if (strategy !== 'CANARY')
      throw invalid('canaryConfiguration is only valid with the deployment strategy CANARY.');
    checkPercent('canaryPercent', canaryConfiguration.canaryPercent, 0.1);
  }
}

function checkPercent(name: string, value = 100, min: number): void {
  const tenths = value * 10;
  const isTenths = Math.abs(tenths - Math.round(tenths)) < 1e-9;
  if (value < min || value > 100 || !isTenths) {
    throw invalid(`${name} must be a multiple of 0.1 between ${min.toFixed(1)} and 100.0.`);
  }
}

function checkHooks(configuration: DeploymentConfiguration): void {
  const { lifecycleHooks = [] } = configuration;
  if (lifecycleHooks.length === 0) return;
  for (const hook of lifecycleHooks) checkHook(hook);
  if (lifecycleHooks.length > MOST_PAUSE_HOOKS) {
    throw invalid(`A service can have ${MOST_PAUSE_HOOKS} pause lifecycle hooks at most.`);
  }
  if (!shiftsTraffic(configuration)) throw unsupported('A lifecycle hook of a rolling deployment');
}

function checkHook({
  targetType = 'AWS_LAMBDA',
  hookTargetArn,
  roleArn,
  lifecycleStages = [],
}: DeploymentLifecycleHook): void {
  if (targetType !== 'PAUSE') throw unsupported(`A lifecycle hook of type ${targetType}`);
  if (hookTargetArn !== undefined || roleArn !== undefined) {
    throw invalid('hookTargetArn and roleArn are not applicable for PAUSE lifecycle hooks.');
  }
  if (lifecycleStages.length === 0) throw invalid('lifecycleStages must be specified for a lifecycle hook.');
  const refused = lifecycleStages.find((stage) => NO_PAUSE.includes(stage));
  if (refused !== undefined) throw invalid(`PAUSE lifecycle hooks cannot be configured at ${refused}.`);
}

function checkAlarms({ alarms }: DeploymentConfiguration): void {
  if (alarms?.enable === true && (alarms.alarmNames ?? []).length === 0) {
    throw invalid('alarmNames must be specified when deployment alarms are enabled.');
  }
}

/** Without a load balancer ECS shifts no traffic: BLUE_GREEN alone makes sense then. */
function checkRouting(strategy: string, loadBalancers: readonly LoadBalancer[]): void {
  if (loadBalancers.length === 0 && strategy !== 'BLUE_GREEN') {
    throw invalid(`The deployment strategy ${strategy} needs a load balancer.`);
  }
  for (const { advancedConfiguration } of loadBalancers) {
    if (advancedConfiguration) continue;
    throw invalid(
      `advancedConfiguration must be specified for load balancers with the deployment strategy ${strategy}.`,
    );
  }
}
