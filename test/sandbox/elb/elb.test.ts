import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyListenerCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
  RegisterTargetsCommand,
  RemoveTagsCommand,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type {
  Action,
  CreateRuleCommandInput,
  CreateTargetGroupCommandInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { aLoadBalancer } from './aLoadBalancer.ts';
import type { TestLoadBalancer } from './aLoadBalancer.ts';
import { aTarget, freePort } from './aTarget.ts';

let sandbox: TestSandbox;
let lb: TestLoadBalancer;
beforeAll(async () => {
  sandbox = await aSandbox();
  lb = await aLoadBalancer(sandbox);
});
afterAll(() => sandbox.close());

const Subnets = ['subnet-1', 'subnet-2'];
const fixed = (MessageBody: string): Action[] => [
  {
    Type: 'fixed-response',
    FixedResponseConfig: { StatusCode: '200', ContentType: 'text/plain', MessageBody },
  },
];
const createRule = (more: Partial<CreateRuleCommandInput>) =>
  lb.elb.send(
    new CreateRuleCommand({
      ListenerArn: lb.listenerArn,
      Priority: 900,
      Conditions: [{ Field: 'path-pattern', Values: ['/x'] }],
      Actions: fixed('x'),
      ...more,
    }),
  );
const createGroup = (Name: string, more: Partial<CreateTargetGroupCommandInput> = {}) =>
  lb.elb.send(
    new CreateTargetGroupCommand({
      Name,
      Protocol: 'HTTP',
      Port: 80,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      ...more,
    }),
  );

test('a load balancer is active at once, and found by name and ARN', async () => {
  const created = await lb.elb.send(new CreateLoadBalancerCommand({ Name: 'found', Subnets }));
  const [balancer] = created.LoadBalancers ?? [];
  expect(balancer).toMatchObject({
    DNSName: '127.0.0.1',
    State: { Code: 'active' },
    Type: 'application',
    Scheme: 'internet-facing',
  });
  expect(balancer?.LoadBalancerArn).toMatch(
    /^arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer\/app\/found\/[0-9a-f]{16}$/,
  );
  const byName = await lb.elb.send(new DescribeLoadBalancersCommand({ Names: ['found'] }));
  expect(byName.LoadBalancers?.[0]).toEqual(balancer);
  const unknown = lb.elb.send(new DescribeLoadBalancersCommand({ Names: ['lost'] }));
  await expect(unknown).rejects.toMatchObject({ name: 'LoadBalancerNotFoundException' });
});

test('the same request twice makes one thing; the same name with other settings is refused', async () => {
  const one = await lb.elb.send(new CreateLoadBalancerCommand({ Name: 'twice', Subnets }));
  const two = await lb.elb.send(new CreateLoadBalancerCommand({ Name: 'twice', Subnets }));
  expect(two.LoadBalancers?.[0]?.LoadBalancerArn).toBe(one.LoadBalancers?.[0]?.LoadBalancerArn);
  const other = lb.elb.send(new CreateLoadBalancerCommand({ Name: 'twice', Subnets, Scheme: 'internal' }));
  await expect(other).rejects.toMatchObject({ name: 'DuplicateLoadBalancerNameException' });

  const group = await createGroup('twice');
  const again = await createGroup('twice');
  expect(again.TargetGroups?.[0]?.TargetGroupArn).toBe(group.TargetGroups?.[0]?.TargetGroupArn);
  await expect(createGroup('twice', { Port: 81 })).rejects.toMatchObject({
    name: 'DuplicateTargetGroupNameException',
  });
});

test('a target group has AWS’s defaults, and its health check and attributes change', async () => {
  const { TargetGroups } = await createGroup('defaults');
  const [group] = TargetGroups ?? [];
  const TargetGroupArn = group?.TargetGroupArn;
  expect(group).toMatchObject({
    HealthCheckPath: '/',
    HealthCheckIntervalSeconds: 30,
    HealthCheckTimeoutSeconds: 5,
    HealthyThresholdCount: 5,
    UnhealthyThresholdCount: 2,
    Matcher: { HttpCode: '200' },
    LoadBalancerArns: [],
  });
  const modified = await lb.elb.send(
    new ModifyTargetGroupCommand({
      TargetGroupArn,
      HealthCheckPath: '/up',
      Matcher: { HttpCode: '200-299' },
    }),
  );
  expect(modified.TargetGroups?.[0]).toMatchObject({
    HealthCheckPath: '/up',
    HealthCheckIntervalSeconds: 30,
  });
  const { Attributes } = await lb.elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
  expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '300' });
  const set = (Key: string, Value: string) =>
    lb.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes: [{ Key, Value }] }));
  await expect(set('deregistration_delay.timeout_seconds', '3601')).rejects.toMatchObject({
    name: 'InvalidConfigurationRequestException',
  });
  await expect(set('no.such.attribute', '1')).rejects.toMatchObject({ name: 'ValidationError' });
});

test('a listener’s actions come back in AWS’s form, and its default rule is a rule', async () => {
  const { Listeners } = await lb.elb.send(
    new DescribeListenersCommand({ LoadBalancerArn: lb.loadBalancerArn }),
  );
  const [TargetGroupArn] = lb.groups;
  expect(Listeners?.[0]?.DefaultActions).toEqual([
    {
      Type: 'forward',
      Order: 1,
      TargetGroupArn,
      ForwardConfig: {
        TargetGroups: [{ TargetGroupArn, Weight: 1 }],
        TargetGroupStickinessConfig: { Enabled: false },
      },
    },
  ]);
  const { Rules } = await lb.elb.send(new DescribeRulesCommand({ ListenerArn: lb.listenerArn }));
  expect(Rules?.at(-1)).toMatchObject({ Priority: 'default', IsDefault: true, Conditions: [] });
  const RuleArn = Rules?.at(-1)?.RuleArn;
  await expect(lb.elb.send(new DeleteRuleCommand({ RuleArn }))).rejects.toMatchObject({
    name: 'OperationNotPermittedException',
  });
});

test('rules are modified in part and swap their priorities', async () => {
  const first = await createRule({ Priority: 11, Actions: fixed('first') });
  const second = await createRule({ Priority: 12, Actions: fixed('second') });
  const [a, b] = [first.Rules?.[0]?.RuleArn, second.Rules?.[0]?.RuleArn];
  const ask = async (): Promise<string> => (await fetch(`${lb.url}/x`)).text();
  expect(await ask()).toBe('first');
  await expect(createRule({ Priority: 11 })).rejects.toMatchObject({ name: 'PriorityInUseException' });
  await lb.elb.send(
    new SetRulePrioritiesCommand({
      RulePriorities: [
        { RuleArn: a, Priority: 12 },
        { RuleArn: b, Priority: 11 },
      ],
    }),
  );
  expect(await ask()).toBe('second');
  const changed = await lb.elb.send(new ModifyRuleCommand({ RuleArn: b, Actions: fixed('changed') }));
  expect(changed.Rules?.[0]).toMatchObject({
    Priority: '11',
    Conditions: [{ Field: 'path-pattern', Values: ['/x'] }],
  });
  expect(await ask()).toBe('changed');
  await lb.elb.send(new DeleteRuleCommand({ RuleArn: a }));
  await lb.elb.send(new DeleteRuleCommand({ RuleArn: b }));
  expect((await fetch(`${lb.url}/x`)).status).toBe(503);
});

test('a listener moves to another port, and leaves with its load balancer', async () => {
  const mine = await aLoadBalancer(sandbox);
  await mine.elb.send(
    new ModifyListenerCommand({ ListenerArn: mine.listenerArn, DefaultActions: fixed('here') }),
  );
  const port = await freePort();
  await mine.elb.send(new ModifyListenerCommand({ ListenerArn: mine.listenerArn, Port: port }));
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('here');
  await expect(fetch(mine.url)).rejects.toThrow('fetch failed');

  await mine.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: mine.loadBalancerArn }));
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
  const gone = mine.elb.send(new DeleteListenerCommand({ ListenerArn: mine.listenerArn }));
  await expect(gone).rejects.toMatchObject({ name: 'ListenerNotFoundException' });
  await mine.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: mine.loadBalancerArn }));
});

test('a port that something else has is a clear error, and no listener is left behind', async () => {
  const other = await aTarget('other');
  const { LoadBalancers } = await lb.elb.send(new CreateLoadBalancerCommand({ Name: 'taken', Subnets }));
  const LoadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn;
  const created = lb.elb.send(
    new CreateListenerCommand({
      LoadBalancerArn,
      Protocol: 'HTTP',
      Port: other.port,
      DefaultActions: fixed('x'),
    }),
  );
  await expect(created).rejects.toMatchObject({
    name: 'InvalidConfigurationRequestException',
    message: expect.stringContaining(`Port ${other.port} of 127.0.0.1 can't be listened on`),
  });
  const { Listeners } = await lb.elb.send(new DescribeListenersCommand({ LoadBalancerArn }));
  expect(Listeners).toEqual([]);
  await other.close();
});

test('targets without a listener are unused, unknown ones not registered', async () => {
  const { TargetGroups } = await createGroup('idle');
  const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn;
  await lb.elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '10.0.0.1', Port: 9 }] }));
  const health = async (Port: number) => {
    const found = await lb.elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn, Targets: [{ Id: '10.0.0.1', Port }] }),
    );
    return found.TargetHealthDescriptions?.[0]?.TargetHealth;
  };
  expect(await health(9)).toMatchObject({ State: 'unused', Reason: 'Target.NotInUse' });
  expect(await health(10)).toMatchObject({ State: 'unused', Reason: 'Target.NotRegistered' });
  const bad = lb.elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: 'host' }] }));
  await expect(bad).rejects.toMatchObject({ name: 'ValidationError' });
});

test('tags are set, changed and removed on every kind of resource', async () => {
  const ResourceArns = [lb.loadBalancerArn, lb.groups[0], lb.listenerArn];
  await lb.elb.send(
    new AddTagsCommand({
      ResourceArns,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    }),
  );
  await lb.elb.send(new RemoveTagsCommand({ ResourceArns, TagKeys: ['a'] }));
  const { TagDescriptions } = await lb.elb.send(new DescribeTagsCommand({ ResourceArns }));
  expect(TagDescriptions).toEqual(
    ResourceArns.map((ResourceArn) => ({ ResourceArn, Tags: [{ Key: 'b', Value: '2' }] })),
  );
});

test('what is protected or in use stays', async () => {
  const protect = (Value: string) =>
    lb.elb.send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: lb.loadBalancerArn,
        Attributes: [{ Key: 'deletion_protection.enabled', Value }],
      }),
    );
  await protect('true');
  const deleted = lb.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: lb.loadBalancerArn }));
  await expect(deleted).rejects.toMatchObject({ name: 'OperationNotPermittedException' });
  await protect('false');
  const used = lb.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: lb.groups[0] }));
  await expect(used).rejects.toMatchObject({ name: 'ResourceInUseException' });
  const { TargetGroups } = await lb.elb.send(
    new DescribeTargetGroupsCommand({ LoadBalancerArn: lb.loadBalancerArn }),
  );
  expect(TargetGroups?.map(({ TargetGroupArn }) => TargetGroupArn)).toEqual([lb.groups[0]]);
});

describe('what is refused', () => {
  const group = 'arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/none/0000000000000000';
  const rules: [string, Partial<CreateRuleCommandInput>, string][] = [
    [
      'a group that isn’t there',
      { Actions: [{ Type: 'forward', TargetGroupArn: group }] },
      'TargetGroupNotFoundException',
    ],
    ['no action', { Actions: [] }, 'ValidationError'],
    ['no condition', { Conditions: [] }, 'ValidationError'],
    ['an unknown field', { Conditions: [{ Field: 'cookie', Values: ['a'] }] }, 'ValidationError'],
    [
      'six values',
      { Conditions: [{ Field: 'path-pattern', Values: ['/1', '/2', '/3', '/4', '/5', '/6'] }] },
      'ValidationError',
    ],
    [
      'a source that is no range',
      { Conditions: [{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0'] } }] },
      'ValidationError',
    ],
    ['priority 0', { Priority: 0 }, 'ValidationError'],
    [
      'a redirect to itself',
      { Actions: [{ Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_302' } }] },
      'InvalidLoadBalancerActionException',
    ],
    ['a listener that isn’t there', { ListenerArn: 'arn:aws:none' }, 'ListenerNotFoundException'],
  ];
  test.each(rules)('a rule with %s', async (_, more, error) => {
    await expect(createRule(more)).rejects.toMatchObject({ name: error });
  });

  const groups: [string, Partial<CreateTargetGroupCommandInput>, string][] = [
    ['another protocol', { Protocol: 'TCP' }, 'InvalidConfigurationRequestException'],
    [
      'a timeout beyond the interval',
      { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 6 },
      'ValidationError',
    ],
    ['a matcher that is none', { Matcher: { HttpCode: 'ok' } }, 'ValidationError'],
    ['a health path without a slash', { HealthCheckPath: 'health' }, 'ValidationError'],
    ['an interval that the model forbids', { HealthCheckIntervalSeconds: 1 }, 'ValidationError'],
  ];
  test.each(groups)('a target group with %s', async (_, more, error) => {
    await expect(createGroup('bad', more)).rejects.toMatchObject({ name: error });
  });

  test('weights out of range, and the same group twice', async () => {
    const [blue, green] = lb.groups;
    const forward = (...TargetGroups: { TargetGroupArn: string; Weight: number }[]) =>
      createRule({ Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }] });
    await expect(forward({ TargetGroupArn: green, Weight: 1000 })).rejects.toMatchObject({
      name: 'ValidationError',
    });
    const twice = forward({ TargetGroupArn: blue, Weight: 1 }, { TargetGroupArn: blue, Weight: 2 });
    await expect(twice).rejects.toMatchObject({ name: 'ValidationError' });
  });

  test('a target group for a second load balancer', async () => {
    const other = await aLoadBalancer(sandbox);
    const shared = other.elb.send(
      new ModifyListenerCommand({
        ListenerArn: other.listenerArn,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: lb.groups[0] }],
      }),
    );
    await expect(shared).rejects.toMatchObject({ name: 'TargetGroupAssociationLimitException' });
  });
});

test('the AWS CLI drives it, and after a restart everything serves again', async () => {
  const behind = await aTarget('still here');
  await lb.register(lb.groups[0], behind.port);
  await lb.untilHealth(lb.groups[0], { [behind.port]: 'healthy' });
  const waited = await sandbox.aws(
    'elbv2',
    'wait',
    'load-balancer-available',
    '--load-balancer-arns',
    lb.loadBalancerArn,
  );
  expect(waited).toEqual({});
  sandbox = await sandbox.restarted();
  const wait = ['wait', 'target-in-service', '--target-group-arn', lb.groups[0]];
  expect(await sandbox.aws('elbv2', ...wait)).toEqual({});
  expect(await (await fetch(lb.url)).text()).toBe('still here');
  await behind.close();
});

test('a port that is taken while it was away is waited for, and the load balancer says so', async () => {
  const mine = await aLoadBalancer(sandbox);
  await mine.elb.send(
    new ModifyListenerCommand({ ListenerArn: mine.listenerArn, DefaultActions: fixed('mine again') }),
  );
  const squatter = createServer((_request, response) => response.end('not yours'));
  sandbox = await sandbox.restarted(
    () => new Promise((resolve) => void squatter.listen(mine.port, '127.0.0.1', resolve)),
  );
  const elb = new ElasticLoadBalancingV2Client(sandbox.client);
  const state = async () => {
    const found = await elb.send(
      new DescribeLoadBalancersCommand({ LoadBalancerArns: [mine.loadBalancerArn] }),
    );
    return found.LoadBalancers?.[0]?.State;
  };
  expect(await state()).toMatchObject({
    Code: 'active_impaired',
    Reason: expect.stringContaining(`Port ${mine.port} of 127.0.0.1`),
  });
  expect(await (await fetch(mine.url)).text()).toBe('not yours');
  await new Promise((resolve) => {
    squatter.close(resolve);
    squatter.closeAllConnections();
  });
  const deadline = Date.now() + 5000;
  while ((await state())?.Code !== 'active') if (Date.now() > deadline) throw new Error('Still impaired');
  expect(await (await fetch(mine.url)).text()).toBe('mine again');
});
