import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { continueRollout } from '../../../src/activities/canary/continue-rollout.ts';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import { goodApp } from '../../sandbox/ecs/world.ts';
import { aShiftedService, startCanary } from '../ecs/aCanary.ts';
import { aLosingProxy } from '../ecs/aLosingProxy.ts';
import { aLock, anActivity, aRig, aTarget, credentials, inside } from '../ecs/aRollout.ts';
import type { Rig } from '../ecs/aRollout.ts';
import { aCanaryPolicy } from '../ecs/aCanary.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
});
afterAll(() => rig.close());

const target = aTarget();

async function atFirstPause(name: string) {
  const given = await aShiftedService(rig, name);
  const canary = await startCanary(rig, given);
  return { ...given, canary, before: await canary.pause() };
}

test('a canary whose start was never answered is found by the next attempt', async () => {
  const { service } = await aShiftedService(rig, 'unanswered');
  const taskDefinition = await rig.world.define(
    'unanswered',
    await rig.world.push('unanswered', goodApp('two')),
  );
  const proxy = await aLosingProxy(rig.world.sandbox.url, 'UpdateService', 3);
  const aws = createAwsClients({ endpoint: proxy.url, credentials });
  const input = { target, service, taskDefinition, rollout: aCanaryPolicy(), lock: aLock };
  const start = (activities: Rig['activities']) =>
    inside(anActivity(scheduled), () => activities.startRollout({ ...input, by: 'canary' }));
  const scheduled = Date.now();

  await expect(start(rig.withDeps({ aws }))).rejects.toMatchObject({ type: 'AwsUnreachable' });
  const found = await start(rig.activities);

  const [, ours, ...others] = await rig.deployments('unanswered');
  expect(found.serviceDeploymentArn).toBe(ours?.serviceDeploymentArn);
  expect(others).toEqual([]);
  aws.destroy();
  await proxy.close();
});

test.each([1, 3])('a release whose answer is lost %d times is one step, not two', async (times) => {
  const name = `lost-${times}`;
  const { service, canary, before } = await atFirstPause(name);
  const proxy = await aLosingProxy(rig.world.sandbox.url, 'ContinueServiceDeployment', times);
  const aws = createAwsClients({ endpoint: proxy.url, credentials });
  const deps = { ...rig.deps, aws, reader: createEcsReader(aws, 20) };
  const input = { target, service, rollout: canary.rollout, pause: before, lock: aLock };
  const release = () => inside(anActivity(), () => continueRollout(deps, input));

  await release().catch(() => undefined);
  await release();

  expect(proxy.lost()).toBe(times);
  expect(await canary.pause(before)).toMatchObject({ weight: 50 });
  aws.destroy();
  await proxy.close();
});

test('a pause that was released already is left alone, and the lock is not asked for', async () => {
  const { canary, before } = await atFirstPause('released');
  await canary.release(before);
  const half = await canary.pause(before);
  const asserted = rig.asserted();

  await canary.release(before);

  expect(rig.asserted()).toBe(asserted);
  expect(await canary.pause(before)).toEqual(half);
});

test('a pause that ECS has gone back from meanwhile is no error: what became of it is told by who follows it', async () => {
  const { canary, before, restore } = await atFirstPause('gone-back');
  await inside(anActivity(), () => rig.activities.restoreService(restore));

  await canary.release(before);

  expect(await canary.awaitPause(before)).toMatchObject({ kind: 'ended', verdict: { outcome: 'fail' } });
});

test('what ECS refuses of a pause that still waits is its error', async () => {
  const { canary, before } = await atFirstPause('refused');
  await rig.disturb({
    fault: 'error',
    service: 'ecs',
    action: 'ContinueServiceDeployment',
    code: 'InvalidParameterException',
    message: 'not today',
    times: 1,
  });
  try {
    await expect(canary.release(before)).rejects.toMatchObject({ message: 'not today' });
  } finally {
    await rig.mend();
  }
  expect(await canary.pause()).toEqual(before);
});

test('without the lock nothing is released', async () => {
  const { canary, before } = await atFirstPause('unlocked');
  rig.loseLock(true);
  try {
    await expect(canary.release(before)).rejects.toMatchObject({ type: 'LockLost', nonRetryable: true });
  } finally {
    rig.loseLock(false);
  }
  expect(await canary.pause()).toEqual(before);
});
