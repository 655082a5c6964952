import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ECS } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
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

interface Settings {
  readonly interval?: number;
  readonly memory?: number;
  readonly maximum?: number;
  readonly weights?: readonly [number, number];
  readonly breaker?: boolean;
}

/** A service behind a load balancer, written as for AWS. */
function aService({
  interval = 5,
  memory = 512,
  maximum = 200,
  weights = [100, 0],
  breaker = true,
}: Settings = {}): string {
  const group = (name: string, weight: number): string =>
    `target_group {\n arn = aws_lb_target_group.${name}.arn\n weight = ${weight}\n }`;
  return `
resource "aws_ecs_cluster" "main" {
  name = "writing"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_lb" "main" {
  name    = "editor"
  subnets = ["subnet-1", "subnet-2"]
}

resource "aws_lb_target_group" "blue" {
  name                 = "blue"
  port                 = 80
  protocol             = "HTTP"
  vpc_id               = "vpc-1"
  target_type          = "ip"
  deregistration_delay = 30
  health_check {
    path     = "/health"
    interval = ${interval}
    timeout  = 2
  }
}

resource "aws_lb_target_group" "green" {
  name     = "green"
  port     = 80
  protocol = "HTTP"
  vpc_id   = "vpc-1"
}

resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = ${port}
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "nothing here"
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
      ${group('blue', weights[0])}
      ${group('green', weights[1])}
    }
  }
  condition {
    path_pattern { values = ["/api/*", "/app/*"] }
  }
}

resource "aws_ecs_task_definition" "main" {
  family                   = "editor"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = ${memory}
  execution_role_arn       = "arn:aws:iam::000000000000:role/execution"
  container_definitions    = jsonencode([{
    name = "editor", image = "editor:1", essential = true, portMappings = [{ containerPort = 8080 }]
  }])
}

resource "aws_ecs_service" "main" {
  name                       = "editor"
  cluster                    = aws_ecs_cluster.main.id
  task_definition            = aws_ecs_task_definition.main.arn
  desired_count              = 0
  launch_type                = "FARGATE"
  deployment_maximum_percent = ${maximum}
  ${breaker ? 'deployment_circuit_breaker {\n enable = true\n rollback = true\n }' : ''}
  network_configuration {
    subnets = ["subnet-1"]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "editor"
    container_port   = 8080
  }
  depends_on = [aws_lb_listener_rule.main]
  lifecycle { ignore_changes = [task_definition, desired_count] }
}`;
}

const describeService = async (): Promise<Record<string, unknown>> => {
  const { services } = await ecs.describeServices({ cluster: 'writing', services: ['editor'] });
  return { ...services?.[0] };
};
const planned = async (): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries(
    (await workspace.plan()).changes.map(({ address, change }) => [address, change.actions]),
  );

describe('a service and what is before it', () => {
  test('comes up as written, and the next plan is empty', async () => {
    await workspace.write(aService());

    await workspace.apply();

    expect(await workspace.plan()).toMatchObject({ exitCode: 0, changes: [] });
    expect(await describeService()).toMatchObject({
      status: 'ACTIVE',
      launchType: 'FARGATE',
      deploymentConfiguration: {
        maximumPercent: 200,
        minimumHealthyPercent: 100,
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      loadBalancers: [{ containerName: 'editor', containerPort: 8080 }],
    });
    const balancer = await workspace.state('aws_lb.main');
    expect(balancer['dns_name']).toEqual(expect.any(String));
    expect(balancer['arn_suffix']).toMatch(/^app\/editor\/[0-9a-f]+$/);
    expect((await workspace.state('aws_lb_target_group.blue'))['arn_suffix']).toMatch(/^targetgroup\/blue\//);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  });

  test('what can change in place does', async () => {
    await workspace.write(aService({ interval: 10, maximum: 150, weights: [90, 10], breaker: false }));

    expect(await planned()).toEqual({
      'aws_ecs_service.main': ['update'],
      'aws_lb_listener_rule.main': ['update'],
      'aws_lb_target_group.blue': ['update'],
    });
    await workspace.apply();

    expect(await planned()).toEqual({});
    expect(await describeService()).toMatchObject({
      deploymentConfiguration: {
        maximumPercent: 150,
        deploymentCircuitBreaker: { enable: false, rollback: false },
      },
    });
    const { arn } = await workspace.state('aws_lb_listener_rule.main');
    const { Rules } = await elb.describeRules({ RuleArns: [String(arn)] });
    expect(Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight)).toEqual([
      90, 10,
    ]);
  });

  test('weights that were shifted elsewhere are drift', async () => {
    const { arn } = await workspace.state('aws_lb_listener_rule.main');
    const { Rules } = await elb.describeRules({ RuleArns: [String(arn)] });
    const groups = Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    const TargetGroups = groups.map((group, i) => ({ ...group, Weight: i === 0 ? 0 : 100 }));
    await elb.modifyRule({
      RuleArn: String(arn),
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
    });

    expect(await planned()).toEqual({ 'aws_lb_listener_rule.main': ['update'] });
    await workspace.apply();
    expect(await planned()).toEqual({});
  });

  test('a new task definition is a new revision; a service that ignores it stays on its own', async () => {
    const before = await describeService();
    await workspace.write(
      aService({ interval: 10, maximum: 150, weights: [90, 10], breaker: false, memory: 1024 }),
    );

    const { changes } = await workspace.plan();
    await workspace.apply();

    expect(changes).toMatchObject([
      {
        address: 'aws_ecs_task_definition.main',
        change: {
          actions: ['delete', 'create'],
          replace_paths: [['memory']],
          after_unknown: { arn: true, revision: true },
        },
      },
    ]);
    expect((await workspace.state('aws_ecs_task_definition.main'))['revision']).toBe(2);
    expect((await describeService())['taskDefinition']).toBe(before['taskDefinition']);
    expect(await planned()).toEqual({});
  });

  test('a service that is deleted elsewhere is created again', async () => {
    await ecs.deleteService({ cluster: 'writing', service: 'editor', force: true });

    expect(await planned()).toEqual({ 'aws_ecs_service.main': ['create'] });
    await workspace.apply();
    expect(await describeService()).toMatchObject({ status: 'ACTIVE' });
  });

  test('a service is imported by cluster and name', async () => {
    await workspace.run('state', 'rm', 'aws_ecs_service.main');

    const { exitCode, output } = await workspace.run(
      'import',
      '-no-color',
      'aws_ecs_service.main',
      'writing/editor',
    );

    expect([exitCode, output]).toEqual([0, expect.stringContaining('Import successful')]);
    expect(await planned()).toEqual({});
  });

  test('destroy takes all down in order', async () => {
    const { exitCode, output } = await workspace.run('destroy', '-auto-approve', '-no-color');

    expect([exitCode, output]).toEqual([0, expect.stringContaining('Destroy complete')]);
    await expect(describeService()).rejects.toMatchObject({ name: 'ClusterNotFoundException' });
    expect((await elb.describeLoadBalancers({})).LoadBalancers).toEqual([]);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  });
});
