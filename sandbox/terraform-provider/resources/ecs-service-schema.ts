import type { Schema } from '../plugin/schema.ts';
import { between, id, oneOf, tags } from './common.ts';
import { alarmsBlock, deploymentConfigurationBlock } from './ecs-deployment-configuration.ts';

/** aws_ecs_service. */
export const serviceSchema: Schema = {
  attributes: {
    name: { type: 'string', required: true, forceNew: true },
    /** Name or ARN; AWS's `default` cluster when left out. */
    cluster: { type: 'string', optional: true, computed: true, forceNew: true },
    task_definition: { type: 'string', optional: true },
    desired_count: { type: 'number', optional: true, default: 0, check: between(0, 5000) },
    launch_type: {
      type: 'string',
      optional: true,
      computed: true,
      forceNew: true,
      check: oneOf('FARGATE', 'EC2', 'EXTERNAL'),
    },
    scheduling_strategy: {
      type: 'string',
      optional: true,
      default: 'REPLICA',
      forceNew: true,
      check: oneOf('REPLICA', 'DAEMON'),
    },
    deployment_minimum_healthy_percent: {
      type: 'number',
      optional: true,
      default: 100,
      check: between(0, 100),
    },
    deployment_maximum_percent: { type: 'number', optional: true, default: 200, check: between(0, 1000) },
    health_check_grace_period_seconds: {
      type: 'number',
      optional: true,
      absent: 0,
      check: between(0, 2_147_483_647),
    },
    enable_ecs_managed_tags: { type: 'bool', optional: true, default: false },
    enable_execute_command: { type: 'bool', optional: true, default: false },
    propagate_tags: {
      type: 'string',
      optional: true,
      absent: 'NONE',
      check: oneOf('SERVICE', 'TASK_DEFINITION', 'NONE'),
    },
    /** Has apply wait until the deployment is done. */
    wait_for_steady_state: { type: 'bool', optional: true, default: false },
    tags,
    id,
  },
  blocks: {
    load_balancer: {
      nesting: 'set',
      attributes: {
        target_group_arn: { type: 'string', optional: true },
        container_name: { type: 'string', required: true },
        container_port: { type: 'number', required: true, check: between(0, 65_535) },
      },
      blocks: {
        advanced_configuration: {
          nesting: 'list',
          max: 1,
          attributes: {
            alternate_target_group_arn: { type: 'string', required: true },
            production_listener_rule: { type: 'string', required: true },
            test_listener_rule: { type: 'string', optional: true },
            role_arn: { type: 'string', required: true },
          },
        },
      },
    },
    network_configuration: {
      nesting: 'list',
      max: 1,
      attributes: {
        subnets: { type: ['set', 'string'], required: true },
        security_groups: { type: ['set', 'string'], optional: true },
        assign_public_ip: { type: 'bool', optional: true, default: false },
      },
    },
    deployment_circuit_breaker: {
      nesting: 'list',
      max: 1,
      attributes: { enable: { type: 'bool', required: true }, rollback: { type: 'bool', required: true } },
    },
    deployment_configuration: deploymentConfigurationBlock,
    alarms: alarmsBlock,
    deployment_controller: {
      nesting: 'list',
      max: 1,
      forceNew: true,
      attributes: { type: { type: 'string', optional: true, default: 'ECS', check: oneOf('ECS') } },
    },
  },
};
