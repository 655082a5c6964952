import type { CreateServiceRequest, DeploymentConfiguration, LoadBalancer } from '@aws-sdk/client-ecs';
import { invalid, unsupported } from './context.ts';
import type { EcsContext } from './context.ts';
import { checkDeployment } from './deployment-rules.ts';
import type { TaskDefinitionRecord } from './records.ts';
import { checkTags } from './tags.ts';

interface Checked {
  readonly desiredCount?: number | undefined;
  readonly loadBalancers?: LoadBalancer[] | undefined;
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?: readonly unknown[] | undefined;
  readonly deploymentConfiguration?: DeploymentConfiguration | undefined;
  readonly deploymentController?: { readonly type: string | undefined } | undefined;
  readonly schedulingStrategy?: string | undefined;
  readonly networkConfiguration?: unknown;
  readonly tags?: CreateServiceRequest['tags'];
  readonly healthCheckGracePeriodSeconds?: number | undefined;
  readonly serviceRegistries?: readonly unknown[] | undefined;
  readonly serviceConnectConfiguration?: { readonly enabled?: boolean | undefined } | undefined;
  readonly volumeConfigurations?: readonly unknown[] | undefined;
  readonly vpcLatticeConfigurations?: readonly unknown[] | undefined;
}

/** What ECS refuses of a service, and what the sandbox doesn't model. @throws AwsError */
export function checkService(ecs: EcsContext, input: Checked, definition: TaskDefinitionRecord): void {
  checkTags(input.tags ?? []);
  if ((input.desiredCount ?? 0) < 0) throw invalid('Desired count can not be negative.');
  if (input.launchType !== undefined && (input.capacityProviderStrategy?.length ?? 0) > 0) {
    throw invalid(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    );
  }
  checkModelled(input);
  checkLaunchType(input.launchType, definition);
  if (definition.networkMode === 'awsvpc' && !input.networkConfiguration) {
    throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  const balancers = input.loadBalancers ?? [];
  checkDeployment(input.deploymentConfiguration ?? {}, balancers);
  if (
    (input.healthCheckGracePeriodSeconds ?? 0) > 0 &&
    balancers.length === 0 &&
    !hasHealthCheck(definition)
  ) {
    throw invalid('Health check grace period is only valid for services configured to use load balancers');
  }
  for (const balancer of balancers) checkBalancer(ecs, balancer, definition);
}

/** @throws AwsError InvalidParameterException when the task definition isn't made for the launch type */
export function checkLaunchType(launchType: string | undefined, definition: TaskDefinitionRecord): void {
  if (launchType !== 'FARGATE' || definition.compatibilities?.includes('FARGATE')) return;
  throw invalid('Task definition does not support launch_type FARGATE.');
}

/** What would work differently here without anyone being told. */
function checkModelled(input: Checked): void {
  const controller = input.deploymentController?.type ?? 'ECS';
  if (controller !== 'ECS') throw unsupported(`The deployment controller ${controller}`);
  if ((input.schedulingStrategy ?? 'REPLICA') !== 'REPLICA')
    throw unsupported('The scheduling strategy DAEMON');
  if ((input.serviceRegistries ?? []).length > 0) throw unsupported('Service discovery');
  if (input.serviceConnectConfiguration?.enabled === true) throw unsupported('Service Connect');
  if ((input.volumeConfigurations ?? []).length > 0)
    throw unsupported('A volume that is configured at launch');
  if ((input.vpcLatticeConfigurations ?? []).length > 0) throw unsupported('VPC Lattice');
}

function hasHealthCheck({ containerDefinitions = [] }: TaskDefinitionRecord): boolean {
  return containerDefinitions.some(({ healthCheck }) => healthCheck);
}

function checkBalancer(ecs: EcsContext, balancer: LoadBalancer, definition: TaskDefinitionRecord): void {
  const { targetGroupArn, containerName, containerPort } = balancer;
  if (balancer.loadBalancerName !== undefined) throw unsupported('A Classic Load Balancer');
  if (targetGroupArn === undefined) throw invalid('targetGroupArn must be specified.');
  const container = (definition.containerDefinitions ?? []).find(({ name }) => name === containerName);
  if (!container) throw invalid(`The container ${containerName} does not exist in the task definition.`);
  if (!(container.portMappings ?? []).some((mapping) => mapping.containerPort === containerPort)) {
    throw invalid(`The container ${containerName} did not have a container port ${containerPort} defined.`);
  }
  if (ecs.targets.loadBalancers(targetGroupArn).length === 0) {
    throw invalid(
      `The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`,
    );
  }
  checkAdvanced(ecs, balancer);
}

/** That the rules forward to both groups is seen when a deployment starts, and fails that. */
function checkAdvanced(
  ecs: EcsContext,
  { targetGroupArn, advancedConfiguration: advanced }: LoadBalancer,
): void {
  if (!advanced) return;
  const { alternateTargetGroupArn, productionListenerRule, testListenerRule, roleArn } = advanced;
  const needed = { alternateTargetGroupArn, productionListenerRule, roleArn };
  for (const [name, value] of Object.entries(needed)) {
    if (value === undefined) throw invalid(`${name} must be specified in advancedConfiguration.`);
  }
  if (alternateTargetGroupArn === targetGroupArn) {
    throw invalid('alternateTargetGroupArn must be another target group than targetGroupArn.');
  }
  for (const rule of [productionListenerRule, testListenerRule]) {
    if (rule !== undefined && ecs.targets.forwardedBy(rule) === undefined) {
      throw invalid(`The listener rule ${rule} does not exist or has other actions than forward.`);
    }
  }
}
