import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  DeleteServiceCommand,
  DescribeServiceDeploymentsCommand,
  StopServiceDeploymentCommand,
} from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  DescribeRulesCommand,
  ModifyListenerCommand,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AdvancedConfiguration, DeploymentConfiguration, ServiceDeployment } from '@aws-sdk/client-ecs';
import {
  answer,
  answers,
  aShiftingService,
  balancersOf,
  canary,
  ended,
  groupOf,
  hookOf,
  paused,
} from './shifting-service.ts';
import { CLUSTER, dyingApp, goodApp, sickApp, until, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const pauseAt = (...lifecycleStages: string[]): DeploymentConfiguration['lifecycleHooks'] =>
  [{ targetType: 'PAUSE', lifecycleStages }] as DeploymentConfiguration['lifecycleHooks'];

/** The service's tasks that are to run, by their task definition. */
async function running(name: string): Promise<Record<string, number>> {
  const tasks = (await world.tasks('RUNNING')).filter(({ group }) => group === `service:${name}`);
  const counts: Record<string, number> = {};
  for (const { taskDefinitionArn = '' } of tasks)
    counts[taskDefinitionArn] = (counts[taskDefinitionArn] ?? 0) + 1;
  return counts;
}

test('a linear deployment goes up in steps by itself, each for its bake time, and loses no request', async () => {
  // At this speed a minute is 1.2 s.
  const { name, url, rule, groups, second } = await aShiftingService(world, 'linear', {
    strategy: 'LINEAR',
    bakeTimeInMinutes: 1,
    linearConfiguration: { stepPercent: 40, stepBakeTimeInMinutes: 1 },
  });
  const seen: (number | undefined)[] = [];
  const counted: Record<string, number> = {};
  await world.update(name, { taskDefinition: second });

  const rollout = await until(
    async () => {
      for (const [who, count] of Object.entries(await answers(url, 5)))
        counted[who] = (counted[who] ?? 0) + count;
      const weight = (await world.weights(rule))[groups[1]];
      if (seen.at(-1) !== weight) seen.push(weight);
      return world.rollout(name);
    },
    ({ finishedAt }) => finishedAt !== undefined,
  );

  expect(rollout.status).toBe('SUCCESSFUL');
  expect(seen).toEqual([0, 40, 80, 100]);
  expect(new Set(Object.keys(counted))).toEqual(new Set(['one', 'two']));
  const took = (rollout.finishedAt?.getTime() ?? 0) - (rollout.startedAt?.getTime() ?? 0);
  expect(took).toBeGreaterThanOrEqual(3 * 1200);
});

test('the test rule reaches the new version before production traffic does; the rules stay sticky', async () => {
  const configuration: DeploymentConfiguration = {
    strategy: 'BLUE_GREEN',
    bakeTimeInMinutes: 0,
    lifecycleHooks: pauseAt('POST_SCALE_UP', 'POST_TEST_TRAFFIC_SHIFT'),
  };
  const options = { withTest: true, sticky: true };
  const { name, url, rule, second } = await aShiftingService(world, 'tested', configuration, options);
  await world.update(name, { taskDefinition: second });

  const scaled = await paused(world, name);
  expect(scaled).toMatchObject({
    lifecycleStage: 'POST_SCALE_UP',
    targetServiceRevision: { requestedTestTrafficWeight: 0, requestedProductionTrafficWeight: 0 },
  });
  expect(await answers(`${url}/test`, 5)).toEqual({ one: 5 });
  await answer(world, scaled);
  const tested = await paused(world, name, hookOf(scaled));
  expect(tested).toMatchObject({
    lifecycleStage: 'POST_TEST_TRAFFIC_SHIFT',
    targetServiceRevision: { requestedTestTrafficWeight: 100, requestedProductionTrafficWeight: 0 },
    sourceServiceRevisions: [{ requestedTestTrafficWeight: 0, requestedProductionTrafficWeight: 100 }],
  });
  expect(await answers(`${url}/test`, 5)).toEqual({ two: 5 });
  expect(await answers(url, 5)).toEqual({ one: 5 });
  await answer(world, tested);
  expect(await ended(world, name)).toMatchObject({ status: 'SUCCESSFUL' });
  expect(await answers(url, 5)).toEqual({ two: 5 });

  const { Rules } = await world.elb.send(new DescribeRulesCommand({ RuleArns: [rule] }));
  expect(Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroupStickinessConfig).toEqual({
    Enabled: true,
    DurationSeconds: 3600,
  });
});

test('scaling in the middle changes both revisions and starts no deployment; new hooks are for the next', async () => {
  const { name, first, second } = await aShiftingService(world, 'scaled', canary, { desiredCount: 1 });
  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);

  await world.update(name, { desiredCount: 2 });
  await until(
    () => running(name),
    (counts) => counts[first] === 2 && counts[second] === 2,
  );
  await world.update(name, { desiredCount: 1 });
  await until(
    () => running(name),
    (counts) => counts[first] === 1 && counts[second] === 1,
  );

  const after = await world.rollout(name);
  expect(after).toMatchObject({ serviceDeploymentArn: before.serviceDeploymentArn, status: 'IN_PROGRESS' });
  expect(hookOf(after)).toBe(hookOf(before));
  await world.update(name, { deploymentConfiguration: { lifecycleHooks: [] } });
  await answer(world, after);
  const still = await paused(world, name, hookOf(after));
  expect(still.serviceDeploymentArn).toBe(before.serviceDeploymentArn);
  await answer(world, still, 'ROLLBACK');
  await ended(world, name);
});

test('a new update overtakes a paused deployment: its traffic and tasks go first, then the new one begins', async () => {
  const { name, url, groups, rule, first, second } = await aShiftingService(world, 'overtaken', canary);
  const third = await world.define(name, await world.push(name, goodApp('three')));
  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);
  await answer(world, before);
  const { serviceDeploymentArn: overtaken, targetServiceRevision } = await paused(
    world,
    name,
    hookOf(before),
  );

  const strategyChange = world.update(name, {
    deploymentConfiguration: { strategy: 'ROLLING', lifecycleHooks: [] },
  });
  await expect(strategyChange).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await world.update(name, { taskDefinition: third });

  const next = await paused(world, name);
  expect(next.serviceDeploymentArn).not.toBe(overtaken);
  const weights = next.sourceServiceRevisions?.map((each) => each.requestedProductionTrafficWeight);
  expect(new Set(weights)).toEqual(new Set([0, 100]));
  expect(next.sourceServiceRevisions?.map(({ arn }) => arn)).toContain(targetServiceRevision?.arn);
  expect(await world.weights(rule)).toEqual({ [groups[0]]: 100, [groups[1]]: 0 });
  expect(await answers(url, 10)).toEqual({ one: 10 });
  expect(await running(name)).toEqual({ [first]: 2, [third]: 2 });
  expect(await groupOf(world, next.targetServiceRevision?.arn)).toBe(groups[1]);
  await answer(world, next, 'ROLLBACK');
  expect(await ended(world, name)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
  expect((await world.steady(name)).taskDefinition).toBe(first);
});

test('new tasks that die hold the deployment in SCALE_UP, without any traffic, until someone stops it', async () => {
  const { name, url, first } = await aShiftingService(world, 'dying', {
    ...canary,
    deploymentCircuitBreaker: { enable: true, rollback: true },
  });
  const dying = await world.define(name, await world.push(name, dyingApp));
  await world.update(name, { taskDefinition: dying });

  const rollout = await until(
    () => world.rollout(name),
    ({ deploymentCircuitBreaker }) => (deploymentCircuitBreaker?.failureCount ?? 0) > 3,
  );
  expect(rollout).toMatchObject({
    status: 'IN_PROGRESS',
    lifecycleStage: 'SCALE_UP',
    deploymentCircuitBreaker: { status: 'DISABLED' },
  });
  expect(await answers(url, 5)).toEqual({ one: 5 });
  const { serviceDeploymentArn } = rollout;
  await world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn }));
  expect(await ended(world, name)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
  expect((await world.steady(name)).taskDefinition).toBe(first);
});

test('rules that lack one of the two groups fail the deployment in AWS’s words', async () => {
  const { name, rule, groups, second, first } = await aShiftingService(world, 'unruly', canary, {
    desiredCount: 1,
  });
  const Actions = [{ Type: 'forward' as const, TargetGroupArn: groups[0] }];
  await world.elb.send(new ModifyRuleCommand({ RuleArn: rule, Actions }));

  await world.update(name, { taskDefinition: second });

  expect(await ended(world, name)).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason:
      'Service deployment rolled back because of invalid networking configuration. Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule or testListenerRule.',
  });
  expect((await world.steady(name)).taskDefinition).toBe(first);
});

test('an alarm takes the deployment back at 100 %; one that is in ALARM before is not watched', async () => {
  const alarms = { alarmNames: ['errors'], enable: true, rollback: true };
  const { name, url, first, second } = await aShiftingService(world, 'alarmed', { ...canary, alarms });
  await world.putAlarm('errors');
  await world.setAlarm('errors', 'ALARM');
  await world.update(name, { taskDefinition: second });
  const unwatched = await paused(world, name);
  expect(unwatched).toMatchObject({ status: 'IN_PROGRESS', alarms: { status: 'DISABLED' } });
  await answer(world, unwatched, 'ROLLBACK');
  await ended(world, name);
  await world.setAlarm('errors', 'OK');

  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);
  expect(before).toMatchObject({
    alarms: { status: 'MONITORING', alarmNames: ['errors'], triggeredAlarmNames: [] },
  });
  await answer(world, before);
  const at20 = await paused(world, name, hookOf(before));
  await answer(world, at20);
  await paused(world, name, hookOf(at20));
  await world.setAlarm('errors', 'ALARM');

  const rollout = await ended(world, name);
  expect(rollout).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back because an alarm was triggered: errors.',
    alarms: { status: 'TRIGGERED', triggeredAlarmNames: ['errors'] },
  });
  expect(await answers(url, 5)).toEqual({ one: 5 });
  expect((await world.steady(name)).taskDefinition).toBe(first);
});

test('a service that begins as a canary has nothing to divide: one step to all of the traffic', async () => {
  const balanced = await world.balanceTwo('newborn');
  const taskDefinition = await world.define('newborn', await world.push('newborn', goodApp('one')));
  await world.create('newborn', {
    taskDefinition,
    loadBalancers: balancersOf(balanced),
    deploymentConfiguration: { ...canary, lifecycleHooks: pauseAt('PRE_PRODUCTION_TRAFFIC_SHIFT') },
  });

  const only = await paused(world, 'newborn');
  expect(only).toMatchObject({ sourceServiceRevisions: [], targetServiceRevision: { runningTaskCount: 1 } });
  await answer(world, only);

  expect(await ended(world, 'newborn')).toMatchObject({
    status: 'SUCCESSFUL',
    targetServiceRevision: { requestedProductionTrafficWeight: 100 },
  });
  expect(await answers(balanced.url, 5)).toEqual({ one: 5 });
});

test('a service scaled up from nothing gives its traffic to the new version at once, and rolls on as ROLLING where it is', async () => {
  const { name, url, groups, second, first } = await aShiftingService(
    world,
    'empty',
    { ...canary, lifecycleHooks: [] },
    { desiredCount: 0 },
  );

  await world.update(name, { taskDefinition: second, desiredCount: 1 });
  const rollout = await ended(world, name);

  expect(rollout.status).toBe('SUCCESSFUL');
  expect(await running(name)).toEqual({ [second]: 1 });
  expect(await groupOf(world, rollout.targetServiceRevision?.arn)).toBe(groups[1]);
  expect(await answers(url, 5)).toEqual({ two: 5 });

  await world.update(name, { deploymentConfiguration: { strategy: 'ROLLING' }, taskDefinition: first });
  const rolled: ServiceDeployment = await ended(world, name);
  expect(rolled.status).toBe('SUCCESSFUL');
  expect(await groupOf(world, rolled.targetServiceRevision?.arn)).toBe(groups[1]);
  expect(await answers(url, 5)).toEqual({ one: 5 });
});

test('an alarm without rollback stops a rolling deployment where it is', async () => {
  const first = await world.define('halted', await world.push('halted', goodApp('one')));
  const second = await world.define('halted', await world.push('halted', sickApp));
  const { targetGroupArn } = await world.balance('halted');
  const loadBalancers = [{ targetGroupArn, containerName: 'web', containerPort: 80 }];
  await world.create('halted', { taskDefinition: first, loadBalancers });
  await world.steady('halted');
  await world.putAlarm('halting');
  const alarms = { alarmNames: ['halting'], enable: true, rollback: false };
  await world.update('halted', { taskDefinition: second, deploymentConfiguration: { alarms } });

  await world.setAlarm('halting', 'ALARM');

  expect(await ended(world, 'halted')).toMatchObject({
    status: 'STOPPED',
    alarms: { status: 'TRIGGERED', triggeredAlarmNames: ['halting'] },
  });
  expect((await world.service('halted')).deployments?.[0]).toMatchObject({
    taskDefinition: second,
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment failed: alarm detected.',
  });
});

test('a service without a load balancer has its tasks replaced as a whole', async () => {
  const deploymentConfiguration: DeploymentConfiguration = {
    strategy: 'BLUE_GREEN',
    bakeTimeInMinutes: 0,
    lifecycleHooks: pauseAt('POST_PRODUCTION_TRAFFIC_SHIFT'),
  };
  const first = await world.define('headless', await world.push('headless', goodApp('one')));
  const second = await world.define('headless', await world.push('headless', goodApp('two')));
  await world.create('headless', { taskDefinition: first });
  await world.steady('headless');
  await world.update('headless', { deploymentConfiguration });
  await world.update('headless', { taskDefinition: second });

  const both = await paused(world, 'headless');
  expect(both.targetServiceRevision).not.toHaveProperty('requestedProductionTrafficWeight');
  expect(await running('headless')).toEqual({ [first]: 1, [second]: 1 });
  await answer(world, both);
  expect(await ended(world, 'headless')).toMatchObject({ status: 'SUCCESSFUL' });
  expect(await running('headless')).toEqual({ [second]: 1 });
});

test('the deployments of a service that is deleted are gone with it', async () => {
  const { name, second } = await aShiftingService(world, 'deleted', canary, { desiredCount: 1 });
  await world.update(name, { taskDefinition: second });
  const { serviceDeploymentArn = '' } = await paused(world, name);

  await world.ecs.send(new DeleteServiceCommand({ cluster: CLUSTER, service: name, force: true }));

  await until(
    () => world.service(name),
    ({ status }) => status === 'INACTIVE',
  );
  const asked = { serviceDeploymentArns: [serviceDeploymentArn] };
  expect(await world.ecs.send(new DescribeServiceDeploymentsCommand(asked))).toMatchObject({
    serviceDeployments: [],
    failures: [{ arn: serviceDeploymentArn, reason: 'MISSING' }],
  });
});

test('a listener’s default rule can be the production rule', async () => {
  const { groups, listenerArn, rule: other, url } = await world.balanceTwo('default');
  await world.elb.send(new DeleteRuleCommand({ RuleArn: other }));
  const TargetGroups = groups.map((TargetGroupArn, i) => ({ TargetGroupArn, Weight: 1 - i }));
  const DefaultActions = [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }];
  await world.elb.send(new ModifyListenerCommand({ ListenerArn: listenerArn, DefaultActions }));
  const { Rules } = await world.elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
  const rule = Rules?.find(({ IsDefault }) => IsDefault)?.RuleArn ?? '';
  const first = await world.define('default', await world.push('default', goodApp('one')));
  const second = await world.define('default', await world.push('default', goodApp('two')));
  await world.create('default', {
    taskDefinition: first,
    loadBalancers: balancersOf({ groups, listenerArn, rule, testRule: '', url }),
    deploymentConfiguration: { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 0 },
  });
  await world.steady('default');

  await world.update('default', { taskDefinition: second });

  await until(
    () => world.weights(rule),
    (weights) => weights[groups[0]] === 0 && weights[groups[1]] === 100,
  );
  expect(await ended(world, 'default')).toMatchObject({ status: 'SUCCESSFUL' });
  expect(await answers(url, 5)).toEqual({ two: 5 });
});

test('a load balancer that can’t be shifted is refused when it is given', async () => {
  const balanced = await world.balanceTwo('refused');
  const taskDefinition = await world.define('refused', await world.push('refused', goodApp('one')));
  const [balancer = {}] = balancersOf(balanced);
  const gone = `${balanced.rule}0`;
  const create = (advanced: AdvancedConfiguration): Promise<unknown> => {
    const advancedConfiguration = { ...balancer.advancedConfiguration, ...advanced };
    const loadBalancers = [{ ...balancer, advancedConfiguration }];
    const deploymentConfiguration = { ...canary, lifecycleHooks: [] };
    return world.create('refused', { taskDefinition, loadBalancers, deploymentConfiguration });
  };

  await expect(create({ productionListenerRule: gone })).rejects.toThrow(
    `The listener rule ${gone} does not exist`,
  );
  await expect(create({ testListenerRule: gone })).rejects.toThrow(
    `The listener rule ${gone} does not exist`,
  );
  await expect(create({ roleArn: undefined })).rejects.toThrow('roleArn must be specified');
  await expect(create({ alternateTargetGroupArn: balanced.groups[0] })).rejects.toThrow(
    'alternateTargetGroupArn must be another target group',
  );
});
