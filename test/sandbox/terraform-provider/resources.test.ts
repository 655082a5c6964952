import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ECR } from '@aws-sdk/client-ecr';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { aWorkspace, freePort } from './aWorkspace.ts';
import type { Workspace } from './aWorkspace.ts';

let workspace: Workspace;
let ecr: ECR;
let elb: ElasticLoadBalancingV2;
let secrets: SecretsManager;
beforeAll(async () => {
  workspace = await aWorkspace();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const settings = { endpoint: workspace.sandbox.url, region: 'eu-west-1', credentials };
  ecr = new ECR(settings);
  elb = new ElasticLoadBalancingV2(settings);
  secrets = new SecretsManager(settings);
});
afterAll(async () => {
  ecr.destroy();
  elb.destroy();
  secrets.destroy();
  await workspace.close();
});

const actions = async (): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries(
    (await workspace.plan()).changes.map(({ address, change }) => [address, change.actions]),
  );

test('a repository is created, changed in place and imported', async () => {
  const repository = (attributes: string): string => `
resource "aws_ecr_repository" "it" {
  name = "editor"
  ${attributes}
}`;
  await workspace.write(repository('tags = { team = "x" }'));
  await workspace.apply();
  await workspace.write(
    repository(
      'image_tag_mutability = "IMMUTABLE"\n image_scanning_configuration {\n scan_on_push = true\n }',
    ),
  );

  expect(await actions()).toEqual({ 'aws_ecr_repository.it': ['update'] });
  await workspace.apply();

  expect(await actions()).toEqual({});
  const { repositories } = await ecr.describeRepositories({ repositoryNames: ['editor'] });
  expect(repositories).toMatchObject([
    { imageTagMutability: 'IMMUTABLE', imageScanningConfiguration: { scanOnPush: true } },
  ]);
  expect((await workspace.state('aws_ecr_repository.it'))['repository_url']).toBe(
    repositories?.[0]?.repositoryUri,
  );
  await workspace.run('state', 'rm', 'aws_ecr_repository.it');
  expect((await workspace.run('import', 'aws_ecr_repository.it', 'editor')).exitCode).toBe(0);
  expect(await actions()).toEqual({});
});

test("a secret's value is replaced by a new version, and shown nowhere", async () => {
  const secret = (value: string): string => `
resource "aws_secretsmanager_secret" "it" {
  name                    = "writing/key"
  description             = "Of the model"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "it" {
  secret_id     = aws_secretsmanager_secret.it.id
  secret_string = "${value}"
}`;
  await workspace.write(secret('first-value'));
  await workspace.apply();
  expect(await actions()).toEqual({});
  await workspace.write(secret('second-value'));

  const { output } = await workspace.run('apply', '-auto-approve', '-no-color');

  expect(output).toContain('1 added, 0 changed, 1 destroyed');
  expect(output).not.toMatch(/first-value|second-value/);
  expect(await actions()).toEqual({});
  expect((await secrets.getSecretValue({ SecretId: 'writing/key' })).SecretString).toBe('second-value');
  await workspace.write('');
  await workspace.apply();
  await expect(secrets.describeSecret({ SecretId: 'writing/key' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('listeners and rules of every kind match what was written, after an import too', async () => {
  const port = await freePort();
  await workspace.write(`
resource "aws_lb" "it" {
  name         = "it"
  idle_timeout = 30
  internal     = true
  subnets      = ["subnet-2", "subnet-1"]
  tags         = { a = "b" }
}
resource "aws_lb_target_group" "it" {
  name     = "it"
  port     = 80
  protocol = "HTTP"
  vpc_id   = "vpc-1"
  health_check {
    path    = "/health"
    matcher = "200-299"
  }
}
resource "aws_lb_listener" "it" {
  load_balancer_arn = aws_lb.it.arn
  port              = ${port}
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.it.arn
  }
}
resource "aws_lb_listener_rule" "sticky" {
  listener_arn = aws_lb_listener.it.arn
  action {
    type = "forward"
    forward {
      target_group {
        arn = aws_lb_target_group.it.arn
      }
      stickiness {
        enabled  = true
        duration = 60
      }
    }
  }
  condition {
    host_header { values = ["b.example.com", "a.example.com"] }
  }
  condition {
    http_header {
      http_header_name = "x-canary"
      values           = ["yes"]
    }
  }
}
resource "aws_lb_listener_rule" "redirect" {
  listener_arn = aws_lb_listener.it.arn
  priority     = 50
  action {
    type = "redirect"
    redirect {
      path        = "/new"
      status_code = "HTTP_301"
    }
  }
  condition {
    path_pattern { values = ["/old"] }
  }
  condition {
    http_request_method { values = ["GET"] }
  }
}
`);
  await workspace.apply();
  expect(await actions()).toEqual({});

  for (const address of [
    'aws_lb.it',
    'aws_lb_target_group.it',
    'aws_lb_listener.it',
    'aws_lb_listener_rule.sticky',
    'aws_lb_listener_rule.redirect',
  ]) {
    const { arn } = await workspace.state(address);
    await workspace.run('state', 'rm', address);
    const { exitCode, output } = await workspace.run('import', '-no-color', address, String(arn));
    expect([exitCode, output]).toEqual([0, expect.stringContaining('Import successful')]);
  }
  expect(await actions()).toEqual({});
}, 90_000);

test('a load balancer that was deleted elsewhere is planned anew with all that is on it', async () => {
  const { arn: LoadBalancerArn } = await workspace.state('aws_lb.it');
  await elb.deleteLoadBalancer({ LoadBalancerArn: String(LoadBalancerArn) });
  const { arn: TargetGroupArn } = await workspace.state('aws_lb_target_group.it');
  await elb.deleteTargetGroup({ TargetGroupArn: String(TargetGroupArn) });

  expect(await actions()).toEqual({
    'aws_lb.it': ['create'],
    'aws_lb_listener.it': ['create'],
    'aws_lb_listener_rule.redirect': ['create'],
    'aws_lb_listener_rule.sticky': ['create'],
    'aws_lb_target_group.it': ['create'],
  });
});

test('a target group is destroyed after the listeners that use it, and the load balancer stays', async () => {
  await workspace.apply();
  const { arn } = await workspace.state('aws_lb_target_group.it');
  const { arn: LoadBalancerArn } = await workspace.state('aws_lb.it');

  const target = '-target=aws_lb_target_group.it';
  const { exitCode, output } = await workspace.run('destroy', '-auto-approve', '-no-color', target);

  expect([exitCode, output]).toEqual([0, expect.stringContaining('Destroy complete')]);
  await expect(elb.describeTargetGroups({ TargetGroupArns: [String(arn)] })).rejects.toMatchObject({
    name: 'TargetGroupNotFoundException',
  });
  expect(
    (await elb.describeLoadBalancers({ LoadBalancerArns: [String(LoadBalancerArn)] })).LoadBalancers,
  ).toHaveLength(1);
});
