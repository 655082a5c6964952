import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { goodApp, sickApp, until } from '../../sandbox/ecs/world.ts';
import { aShiftedService, startCanary } from './aCanary.ts';
import type { ShiftedService } from './aCanary.ts';
import { aLosingProxy } from './aLosingProxy.ts';
import { aCanary, anActivity, aPolicy, aRig, credentials, inside } from './aRollout.ts';
import type { Rig } from './aRollout.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
});
afterAll(() => rig.close());

async function atHalf(name: string, options?: Parameters<typeof aShiftedService>[2]) {
  const given = await aShiftedService(rig, name, options);
  const canary = await startCanary(rig, given);
  const before = await canary.pause();
  await canary.release(before);
  return { ...given, canary, ours: canary.rollout.taskDefinition, half: await canary.pause(before) };
}

const undo = (
  { restore }: ShiftedService,
  ours: string,
  { activities = rig.activities, scheduled = Date.now() } = {},
) => inside(anActivity(scheduled), () => activities.restoreService({ ...restore, ours }));

async function expectBack({ name, first, groups, rule, url }: ShiftedService, tasks: number): Promise<void> {
  expect(await rig.world.service(name)).toMatchObject({
    taskDefinition: first,
    desiredCount: tasks,
    runningCount: tasks,
  });
  expect(await rig.world.weights(rule)).toMatchObject({ [groups[1]]: 0 });
  expect(await (await fetch(url)).text()).toBe('one');
}

test('from a pause ECS is told to go back, on which the old tasks serve all again', async () => {
  const given = await atHalf('paused');

  const restored = await undo(given, given.ours);

  expect(restored).toEqual({ outcome: 'undone', detail: 'paused serves paused:1 with 1 tasks again.' });
  await expectBack(given, 1);
  const [, ours, ...others] = await rig.deployments('paused');
  expect(ours).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
  expect(ours?.statusReason).toContain(given.half.hookId);
  expect(others).toEqual([]);
});

test('a return whose answer is lost is not taken for a failure, and nothing is asked twice', async () => {
  const given = await atHalf('unanswered');
  const proxy = await aLosingProxy(rig.world.sandbox.url, 'ContinueServiceDeployment', 1);
  const aws = createAwsClients({ endpoint: proxy.url, credentials });

  const restored = await undo(given, given.ours, { activities: rig.withDeps({ aws }) });

  expect(proxy.lost()).toBe(1);
  expect(restored.outcome).toBe('undone');
  await expectBack(given, 1);
  expect(await rig.deployments('unanswered')).toHaveLength(2);
  aws.destroy();
  await proxy.close();
});

describe('what ECS refuses', () => {
  const refuse = (action: string, code: string) =>
    rig.disturb({ fault: 'error', service: 'ecs', action, code });
  afterEach(() => rig.mend());

  test('to go back from at a pause is stopped', async () => {
    const given = await atHalf('stuck');
    await refuse('ContinueServiceDeployment', 'InvalidParameterException');

    expect((await undo(given, given.ours)).outcome).toBe('undone');

    await expectBack(given, 1);
    expect((await rig.deployments('stuck'))[1]?.statusReason).toContain('StopServiceDeployment');
  });

  test('to stop as well is overruled by a deployment that keeps the strategy and does not pause', async () => {
    const given = await atHalf('stubborn');
    await refuse('ContinueServiceDeployment', 'InvalidParameterException');
    await refuse('StopServiceDeployment', 'ConflictException');

    expect((await undo(given, given.ours)).outcome).toBe('undone');

    const [, ours, back] = await rig.deployments('stubborn');
    expect(ours).toMatchObject({ status: 'STOPPED' });
    expect(back).toMatchObject({ status: 'SUCCESSFUL' });
    const service = await rig.world.service('stubborn');
    expect(service).toMatchObject({ taskDefinition: given.first, desiredCount: 1, runningCount: 1 });
    expect(service.deploymentConfiguration).toMatchObject({ strategy: 'CANARY', lifecycleHooks: [] });
    expect(await (await fetch(given.url)).text()).toBe('one');
  });
});

test('on the way to a pause the deployment is stopped', async () => {
  const given = await aShiftedService(rig, 'starting');
  const { rollout } = await startCanary(rig, given, { app: sickApp });

  expect((await undo(given, rollout.taskDefinition)).outcome).toBe('undone');

  await expectBack(given, 1);
  expect((await rig.deployments('starting'))[1]?.statusReason).toContain('StopServiceDeployment');
});

test('what ECS has taken back by itself, days after it began, is seen and told as undone, and nothing is written', async () => {
  const given = await aShiftedService(rig, 'by-itself');
  const deadMan = { stepMinutes: 1, lastMinutes: 1 };
  const canary = await startCanary(rig, given, { policy: aPolicy({ canary: aCanary({ deadMan }) }) });
  await until(
    () => rig.world.rollout('by-itself'),
    ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
  );
  const asserted = rig.asserted();

  const tenDaysLater = Date.now() + 10 * 24 * 3_600_000;
  const restored = await undo(given, canary.rollout.taskDefinition, { scheduled: tenDaysLater });

  expect(restored.outcome).toBe('undone');
  expect(rig.asserted()).toBe(asserted);
  await expectBack(given, 1);
});

test('what was scaled out during the canary keeps its tasks on the way back', async () => {
  const given = await atHalf('scaled-out');
  await rig.world.update('scaled-out', { desiredCount: 3 });

  const restored = await undo(given, given.ours);

  expect(restored.detail).toBe('scaled-out serves scaled-out:1 with 3 tasks again.');
  await expectBack(given, 3);
});

test('a number of tasks that the release itself asked for is put back', async () => {
  const given = await atHalf('asked', { desiredCount: 1, asked: 2 });
  expect((await rig.world.service('asked')).desiredCount).toBe(2);

  await undo(given, given.ours);

  await expectBack(given, 1);
});

test('what was scaled in to the number of the policy during the canary stays so on the way back', async () => {
  const given = await atHalf('scaled-in', { desiredCount: 2, asked: 1 });
  expect((await rig.world.service('scaled-in')).desiredCount).toBe(2);
  await rig.world.update('scaled-in', { desiredCount: 1 });

  await undo(given, given.ours);

  await expectBack(given, 1);
});

test('a canary that ended well is taken back by a rolling deployment, which does not pause', async () => {
  const given = await atHalf('ended');
  const { canary, half } = given;
  await canary.release(half);
  await canary.release(await canary.pause(half));
  await until(
    () => rig.world.rollout('ended'),
    ({ status }) => status === 'SUCCESSFUL',
  );

  expect((await undo(given, given.ours)).outcome).toBe('undone');

  const [, , back] = await rig.deployments('ended');
  expect(back).toMatchObject({ status: 'SUCCESSFUL' });
  const service = await rig.world.service('ended');
  expect(service.taskDefinition).toBe(given.first);
  expect(service.deploymentConfiguration).toMatchObject({ strategy: 'ROLLING', lifecycleHooks: [] });
  expect(await (await fetch(given.url)).text()).toBe('one');
});

test("somebody else's deployment at a pause is left as it is", async () => {
  const given = await atHalf('theirs');
  const theirs = await rig.world.define('theirs', await rig.world.push('theirs', goodApp('theirs')));
  await rig.world.update('theirs', { taskDefinition: theirs });

  await expect(undo(given, given.ours)).rejects.toMatchObject({
    type: 'ReplacedByOther',
    nonRetryable: true,
  });

  expect((await rig.world.rollout('theirs')).status).toBe('IN_PROGRESS');
});

test('without the lock a pause is left alone', async () => {
  const given = await atHalf('unlocked');
  rig.loseLock(true);
  try {
    await expect(undo(given, given.ours)).rejects.toMatchObject({ type: 'LockLost' });
  } finally {
    rig.loseLock(false);
  }
  expect((await rig.world.rollout('unlocked')).status).toBe('IN_PROGRESS');
});
