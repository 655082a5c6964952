import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ECS } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { until } from '../ecs/world.ts';
import { aWorkspace, freePort } from './aWorkspace.ts';
import type { Workspace } from './aWorkspace.ts';

let workspace: Workspace;
let ecs: ECS;
let elb: ElasticLoadBalancingV2;
let port: number;
beforeAll(async () => {
  workspace = await aWorkspace();
  port = await freePort();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const settings = { endpoint: workspace.sandbox.url, region: 'eu-west-1', credentials };
  ecs = new ECS(settings);
  elb = new ElasticLoadBalancingV2(settings);
});
afterAll(async () => {
  ecs.destroy();
  elb.destroy();
  await workspace.close();
});

const linear = `
    strategy             = "LINEAR"
    bake_time_in_minutes = 0
    linear_configuration {
      step_percent              = 33.3
      step_bake_time_in_minutes = 0
    }`;
const canary = `
    strategy             = "CANARY"
    bake_time_in_minutes = 5
    canary_configuration {
      canary_percent = 10
    }
    lifecycle_hook {
      target_type      = "PAUSE"
      lifecycle_stages = ["PRE_PRODUCTION_TRAFFIC_SHIFT"]
      timeout_configuration {
        timeout_in_minutes = 30
        action             = "ROLLBACK"
      }
    }`;

/** A service whose deployments shift traffic, as for AWS: what deployments change is left to them. */
const aService = (configuration: string, ignored: readonly string[] = [], alarms = ''): string => `
resource "aws_ecs_cluster" "main" {
  name = "writing"
}
resource "aws_lb" "main" {
  name    = "editor"
  subnets = ["subnet-1", "subnet-2"]
}
resource "aws_lb_target_group" "main" {
  for_each    = toset(["blue", "green"])
  name        = each.key
  port        = 80
  protocol    = "HTTP"
  vpc_id      = "vpc-1"
  target_type = "ip"
}
resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = ${port}
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}
resource "aws_lb_listener_rule" "main" {
  listener_arn = aws_lb_listener.main.arn
  priority     = 10
  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.main["blue"].arn
        weight = 1
      }
      target_group {
        arn    = aws_lb_target_group.main["green"].arn
        weight = 0
      }
    }
  }
  condition {
    path_pattern { values = ["*"] }
  }
  lifecycle { ignore_changes = [action] }
}
resource "aws_ecs_task_definition" "main" {
  family                   = "editor"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{
    name = "editor", image = "editor:1", essential = true, portMappings = [{ containerPort = 8080 }]
  }])
}
resource "aws_ecs_service" "main" {
  name            = "editor"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.main.arn
  desired_count   = 0
  launch_type     = "FARGATE"
  network_configuration {
    subnets = ["subnet-1"]
  }
  deployment_configuration {
    ${configuration}
  }
  ${alarms}
  load_balancer {
    target_group_arn = aws_lb_target_group.main["blue"].arn
    container_name   = "editor"
    container_port   = 8080
    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.main["green"].arn
      production_listener_rule   = aws_lb_listener_rule.main.arn
      role_arn                   = "arn:aws:iam::000000000000:role/ecs-load-balancers"
    }
  }
  lifecycle { ignore_changes = [${ignored.join(', ')}] }
}`;

const deploymentConfiguration = async (): Promise<unknown> => {
  const { services } = await ecs.describeServices({ cluster: 'writing', services: ['editor'] });
  return services?.[0]?.deploymentConfiguration;
};

test('a linear service comes up as written, and becomes a canary in place', async () => {
  await workspace.write(aService(linear));
  await workspace.apply();
  expect(await workspace.plan()).toMatchObject({ exitCode: 0, changes: [] });
  expect(await deploymentConfiguration()).toMatchObject({
    strategy: 'LINEAR',
    bakeTimeInMinutes: 0,
    linearConfiguration: { stepPercent: 33.3, stepBakeTimeInMinutes: 0 },
  });

  const alarms = 'alarms {\n alarm_names = ["errors"]\n enable = true\n rollback = true\n }';
  await workspace.write(aService(canary, [], alarms));
  expect((await workspace.plan()).changes).toMatchObject([
    { address: 'aws_ecs_service.main', change: { actions: ['update'] } },
  ]);
  await workspace.apply();

  expect(await workspace.plan()).toMatchObject({ exitCode: 0, changes: [] });
  const live = await deploymentConfiguration();
  expect(live).toMatchObject({
    strategy: 'CANARY',
    bakeTimeInMinutes: 5,
    canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 10 },
    lifecycleHooks: [
      {
        targetType: 'PAUSE',
        lifecycleStages: ['PRE_PRODUCTION_TRAFFIC_SHIFT'],
        timeoutConfiguration: { timeoutInMinutes: 30, action: 'ROLLBACK' },
      },
    ],
    alarms: { alarmNames: ['errors'], enable: true, rollback: true },
  });
  expect(live).not.toHaveProperty('linearConfiguration');
});

test('what ECS and those who deploy change afterwards is no drift where it is ignored', async () => {
  const ignored = ['task_definition', 'desired_count', 'load_balancer', 'deployment_configuration', 'alarms'];
  await workspace.write(aService(linear, ignored));
  expect(await workspace.plan()).toMatchObject({ exitCode: 0, changes: [] });

  await ecs.updateService({
    cluster: 'writing',
    service: 'editor',
    forceNewDeployment: true,
    deploymentConfiguration: { bakeTimeInMinutes: 0, lifecycleHooks: [] },
  });
  const rule = String((await workspace.state('aws_lb_listener_rule.main'))['arn']);
  await until(
    async () => (await elb.describeRules({ RuleArns: [rule] })).Rules?.[0]?.Actions?.[0]?.ForwardConfig,
    (forward) => forward?.TargetGroups?.map(({ Weight }) => Weight).join() === '0,100',
  );

  expect(await workspace.plan()).toMatchObject({ exitCode: 0, changes: [] });
});

test.each([
  ['bake_time_in_minutes = 1441', 'expected whole minutes from 0 to 1440'],
  ['strategy = "RANDOM"', 'expected one of ROLLING, BLUE_GREEN, LINEAR, CANARY'],
  ['linear_configuration {\n step_percent = 2\n }', 'expected a number from 3 to 100'],
])('%s is refused before anything is asked of AWS', async (configuration, message) => {
  await workspace.write(aService(configuration));
  const { exitCode, output } = await workspace.run('validate', '-no-color');
  expect([exitCode, output]).toEqual([1, expect.stringContaining(message)]);
});
