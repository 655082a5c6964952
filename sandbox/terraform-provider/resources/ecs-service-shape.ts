import type {
  AdvancedConfiguration,
  CreateServiceCommandInput,
  DeploymentConfiguration,
  LoadBalancer,
  NetworkConfiguration,
  PropagateTags,
  Service,
} from '@aws-sdk/client-ecs';
import { block, blocks, flag, number, required, text, texts } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { fromAlarms, fromStrategy, toAlarms, toStrategy } from './ecs-deployment-configuration.ts';
import { fromLowerTags } from './ecs-tags.ts';

/** The members that CreateService and UpdateService have in common, out of a service's state or plan. */
export function toService(state: State): Omit<CreateServiceCommandInput, 'serviceName'> {
  return {
    cluster: text(state, 'cluster'),
    taskDefinition: text(state, 'task_definition'),
    desiredCount:
      text(state, 'scheduling_strategy') === 'DAEMON' ? undefined : number(state, 'desired_count'),
    deploymentConfiguration: toDeploymentConfiguration(state),
    networkConfiguration: toNetworkConfiguration(state),
    loadBalancers: blocks(state, 'load_balancer').map(toLoadBalancer),
    healthCheckGracePeriodSeconds: number(state, 'health_check_grace_period_seconds'),
    enableECSManagedTags: flag(state, 'enable_ecs_managed_tags'),
    enableExecuteCommand: flag(state, 'enable_execute_command'),
    propagateTags: (text(state, 'propagate_tags') ?? 'NONE') as PropagateTags,
  };
}

function toDeploymentConfiguration(state: State): DeploymentConfiguration {
  const breaker = block(state, 'deployment_circuit_breaker');
  return {
    minimumHealthyPercent: number(state, 'deployment_minimum_healthy_percent'),
    maximumPercent: number(state, 'deployment_maximum_percent'),
    deploymentCircuitBreaker: {
      enable: (breaker && flag(breaker, 'enable')) ?? false,
      rollback: (breaker && flag(breaker, 'rollback')) ?? false,
    },
    ...toStrategy(state),
    alarms: toAlarms(state),
  };
}

function toNetworkConfiguration(state: State): NetworkConfiguration | undefined {
  const network = block(state, 'network_configuration');
  if (network === undefined) return undefined;
  return {
    awsvpcConfiguration: {
      subnets: texts(network, 'subnets'),
      securityGroups: texts(network, 'security_groups'),
      assignPublicIp: flag(network, 'assign_public_ip') === true ? 'ENABLED' : 'DISABLED',
    },
  };
}

function toLoadBalancer(declared: State): LoadBalancer {
  const advanced = block(declared, 'advanced_configuration');
  return {
    targetGroupArn: text(declared, 'target_group_arn'),
    containerName: required(declared, 'container_name'),
    containerPort: number(declared, 'container_port'),
    ...(advanced && {
      advancedConfiguration: {
        alternateTargetGroupArn: text(advanced, 'alternate_target_group_arn'),
        productionListenerRule: text(advanced, 'production_listener_rule'),
        testListenerRule: text(advanced, 'test_listener_rule'),
        roleArn: text(advanced, 'role_arn'),
      },
    }),
  };
}

/** A service as ECS describes it, with names and ARNs in the form that `before` has. */
export function fromService(live: Service, before: State): State {
  const { deploymentConfiguration: deployment = {} } = live;
  const network = live.networkConfiguration?.awsvpcConfiguration;
  return {
    ...before,
    id: live.serviceArn ?? null,
    name: live.serviceName ?? null,
    // An import names the service and its cluster, which is no word of a configuration yet.
    cluster: inFormOf(text(before, 'name') && text(before, 'cluster'), live.clusterArn),
    task_definition: inFormOf(text(before, 'task_definition'), live.taskDefinition),
    desired_count: live.desiredCount ?? null,
    launch_type: live.launchType ?? null,
    scheduling_strategy: live.schedulingStrategy ?? 'REPLICA',
    deployment_minimum_healthy_percent: deployment.minimumHealthyPercent ?? null,
    deployment_maximum_percent: deployment.maximumPercent ?? null,
    health_check_grace_period_seconds: live.healthCheckGracePeriodSeconds ?? null,
    enable_ecs_managed_tags: live.enableECSManagedTags ?? false,
    enable_execute_command: live.enableExecuteCommand ?? false,
    propagate_tags: live.propagateTags ?? null,
    wait_for_steady_state: flag(before, 'wait_for_steady_state') ?? false,
    tags: fromLowerTags(live.tags),
    load_balancer: (live.loadBalancers ?? []).map(fromLoadBalancer),
    network_configuration: network
      ? [
          {
            subnets: network.subnets ?? [],
            security_groups: network.securityGroups ?? null,
            assign_public_ip: network.assignPublicIp === 'ENABLED',
          },
        ]
      : [],
    deployment_circuit_breaker: fromBreaker(deployment, before),
    deployment_configuration: fromStrategy(deployment, before),
    alarms: fromAlarms(deployment, before),
    deployment_controller:
      block(before, 'deployment_controller') === undefined
        ? []
        : [{ type: live.deploymentController?.type ?? 'ECS' }],
  };
}

function fromLoadBalancer(live: LoadBalancer): State {
  return {
    target_group_arn: live.targetGroupArn ?? null,
    container_name: live.containerName ?? null,
    container_port: live.containerPort ?? null,
    advanced_configuration: live.advancedConfiguration ? [fromAdvanced(live.advancedConfiguration)] : [],
  };
}

function fromAdvanced(live: AdvancedConfiguration): State {
  return {
    alternate_target_group_arn: live.alternateTargetGroupArn ?? null,
    production_listener_rule: live.productionListenerRule ?? null,
    test_listener_rule: live.testListenerRule ?? null,
    role_arn: live.roleArn ?? null,
  };
}

/** No block and a breaker that is off are the same. */
function fromBreaker({ deploymentCircuitBreaker: live }: DeploymentConfiguration, before: State): State[] {
  const { enable = false, rollback = false } = live ?? {};
  const declared = block(before, 'deployment_circuit_breaker') !== undefined;
  return declared || enable || rollback ? [{ enable, rollback }] : [];
}

/** An ARN as it is, or as the name (with a task definition's revision) that the configuration uses for it. */
function inFormOf(before: string | undefined, arn: string | undefined): string | null {
  if (arn === undefined) return null;
  if (before === undefined || before.startsWith('arn:')) return arn;
  return arn.slice(arn.indexOf('/') + 1);
}
