import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ContinueServiceDeploymentCommand, StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import type { DeploymentLifecycleHook } from '@aws-sdk/client-ecs';
import {
  answer,
  answers,
  aShiftingService,
  canary,
  ended,
  groupOf,
  hookOf,
  paused,
  traffic,
} from './shifting-service.ts';
import { until, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

test('a canary gets its share of the traffic, then all of it, and the groups alternate', async () => {
  const { name, url, rule, groups, first, second } = await aShiftingService(world, 'whole', canary);
  const [blue, green] = groups;

  await world.update(name, { taskDefinition: second });

  const before = await paused(world, name);
  expect(before).toMatchObject({
    status: 'IN_PROGRESS',
    lifecycleStage: 'PRE_PRODUCTION_TRAFFIC_SHIFT',
    lifecycleHookDetails: [{ targetType: 'PAUSE', status: 'AWAITING_ACTION', timeoutAction: 'ROLLBACK' }],
    targetServiceRevision: { runningTaskCount: 2, requestedProductionTrafficWeight: 0 },
    sourceServiceRevisions: [{ runningTaskCount: 2, requestedProductionTrafficWeight: 100 }],
  });
  expect(before.lifecycleHookDetails?.[0]?.hookId).toMatch(/^ecs-pause-[\w-]{43}$/);
  expect(await answers(url, 20)).toEqual({ one: 20 });

  const firstHook = await answer(world, before);
  const at20 = await paused(world, name, firstHook);
  expect(at20).toMatchObject({
    lifecycleStage: 'PRE_PRODUCTION_TRAFFIC_SHIFT',
    targetServiceRevision: { requestedProductionTrafficWeight: 20 },
    sourceServiceRevisions: [{ requestedProductionTrafficWeight: 80 }],
  });
  expect(await world.weights(rule)).toEqual({ [blue]: 80, [green]: 20 });
  const { one = 0, two = 0 } = await answers(url);
  expect(one + two).toBe(200);
  expect(two).toBeGreaterThan(15);
  expect(two).toBeLessThan(75);

  const secondHook = await answer(world, at20, 'CONTINUE');
  const at100 = await paused(world, name, secondHook);
  expect(at100).toMatchObject({
    lifecycleStage: 'POST_PRODUCTION_TRAFFIC_SHIFT',
    targetServiceRevision: { requestedProductionTrafficWeight: 100 },
    sourceServiceRevisions: [{ requestedProductionTrafficWeight: 0, runningTaskCount: 2 }],
  });
  expect(await answers(url, 20)).toEqual({ two: 20 });
  expect(await groupOf(world, at100.sourceServiceRevisions?.[0]?.arn)).toBe(blue);
  expect(await groupOf(world, at100.targetServiceRevision?.arn)).toBe(green);

  await answer(world, at100, 'CONTINUE');
  expect(await ended(world, name)).toMatchObject({ status: 'SUCCESSFUL', lifecycleStage: 'CLEAN_UP' });
  expect((await world.steady(name)).runningCount).toBe(2);

  await world.update(name, { taskDefinition: first });
  const next = await paused(world, name);
  expect(await groupOf(world, next.targetServiceRevision?.arn)).toBe(blue);
  await answer(world, next, 'CONTINUE');
  const nextAt20 = await paused(world, name, hookOf(next));
  expect(await world.weights(rule)).toEqual({ [blue]: 20, [green]: 80 });
  await answer(world, nextAt20, 'ROLLBACK');
  await ended(world, name);
});

test('ROLLBACK at a pause puts the traffic back at once, no request is lost, and the old version stays', async () => {
  const { name, url, rule, groups, first, second } = await aShiftingService(world, 'back', canary);
  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);
  await answer(world, before);
  const at20 = await paused(world, name, hookOf(before));
  const old = (await world.tasks('RUNNING')).filter(({ taskDefinitionArn }) => taskDefinitionArn === first);

  const requests = traffic(url);
  await answer(world, at20, 'ROLLBACK');

  await until(
    () => world.weights(rule),
    (weights) => weights[groups[0]] === 100 && weights[groups[1]] === 0,
  );
  expect(await answers(url, 20)).toEqual({ one: 20 });
  const rollout = await ended(world, name);
  expect(rollout).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    rollback: { serviceRevisionArn: at20.sourceServiceRevisions?.[0]?.arn },
    lifecycleHookDetails: [{ status: 'FAILED' }],
  });
  expect((await world.steady(name)).taskDefinition).toBe(first);
  expect(new Set([...Object.keys(await requests.stop()), 'two'])).toEqual(new Set(['one', 'two']));
  const left = (await world.tasks('RUNNING')).filter(({ group }) => group === `service:${name}`);
  expect(new Set(left.map(({ taskArn }) => taskArn))).toEqual(new Set(old.map(({ taskArn }) => taskArn)));
});

test('StopServiceDeployment goes back from a pause at 100 %', async () => {
  const { name, url, first, second } = await aShiftingService(world, 'stopped', canary);
  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);
  await answer(world, before);
  const at20 = await paused(world, name, hookOf(before));
  await answer(world, at20);
  const { serviceDeploymentArn } = await paused(world, name, hookOf(at20));
  expect(await answers(url, 10)).toEqual({ two: 10 });

  await world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn }));

  expect(await ended(world, name)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
  expect(await answers(url, 10)).toEqual({ one: 10 });
  expect((await world.steady(name)).taskDefinition).toBe(first);
});

test('a pause is answered once, by its own id, and its timeout acts at expiresAt', async () => {
  const lifecycleHooks: DeploymentLifecycleHook[] = [
    { targetType: 'PAUSE', lifecycleStages: ['PRE_PRODUCTION_TRAFFIC_SHIFT'] },
    {
      targetType: 'PAUSE',
      lifecycleStages: ['POST_PRODUCTION_TRAFFIC_SHIFT'],
      timeoutConfiguration: { timeoutInMinutes: 1 },
    },
  ];
  const configuration = { ...canary, lifecycleHooks };
  const { name, second } = await aShiftingService(world, 'late', configuration, { desiredCount: 1 });
  await world.update(name, { taskDefinition: second });
  const before = await paused(world, name);
  const { serviceDeploymentArn } = before;
  const send = (hookId: string): Promise<unknown> =>
    world.ecs.send(
      new ContinueServiceDeploymentCommand({ serviceDeploymentArn, hookId, action: 'CONTINUE' }),
    );

  await expect(send('ecs-pause-other')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  const hookId = await answer(world, before);
  await expect(send(hookId)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await answer(world, await paused(world, name, hookId));

  const rollout = await ended(world, name);
  expect(rollout).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    lifecycleHookDetails: [{ status: 'TIMED_OUT', timeoutAction: 'ROLLBACK' }],
  });
  const [late] = rollout.lifecycleHookDetails ?? [];
  const began = rollout.rollback?.startedAt?.getTime() ?? 0;
  const expiresAt = late?.expiresAt?.getTime() ?? 0;
  expect(began).toBeGreaterThanOrEqual(expiresAt);
  expect(began - expiresAt).toBeLessThan(3000);
  await expect(send(late?.hookId ?? '')).rejects.toMatchObject({ name: 'InvalidParameterException' });
});
