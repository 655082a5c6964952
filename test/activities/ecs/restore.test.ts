import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { goodApp, sickApp, until } from '../../sandbox/ecs/world.ts';
import {
  aLock,
  anActivity,
  aPolicy,
  aRig,
  aService,
  aTarget,
  credentials,
  inside,
  shutDown,
} from './aRollout.ts';
import { aLosingProxy } from './aLosingProxy.ts';
import type { Rig } from './aRollout.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
});
afterAll(() => rig.close());

const target = aTarget();

/** A steady service of two tasks of a first version, and the state that a rollback goes back to. */
async function before(name: string, { balanced = false } = {}) {
  const { world, activities } = rig;
  const first = await world.define(name, await world.push(name, goodApp('one')));
  const loadBalancers = balanced
    ? [
        {
          targetGroupArn: (await world.balance(name)).targetGroupArn,
          containerName: 'web',
          containerPort: 80,
        },
      ]
    : [];
  await world.create(name, { taskDefinition: first, desiredCount: 2, loadBalancers });
  await world.steady(name);
  const service = aService(name, { desiredCount: 3 });
  const [previous] = await inside(anActivity(), () =>
    activities.describeServices({ target, services: [service] }),
  );
  if (!previous?.serving) throw new Error(`${name} does not serve: ${JSON.stringify(previous)}`);
  return { first, service, restore: { target, service, previous, rollout: aPolicy(), lock: aLock } };
}

/** Starts the rollout of a second version, whose tasks run `app`. */
async function change({ service }: Awaited<ReturnType<typeof before>>, app: string) {
  const taskDefinition = await rig.world.define(service.name, await rig.world.push(service.name, app));
  const input = { target, service, taskDefinition, rollout: aPolicy(), by: 'rolling' as const, lock: aLock };
  return inside(anActivity(), () => rig.activities.startRollout(input));
}

async function expectServing(name: string, taskDefinition: string): Promise<void> {
  expect(await rig.world.service(name)).toMatchObject({ taskDefinition, desiredCount: 2, runningCount: 2 });
  const tasks = (await rig.world.tasks('RUNNING')).filter(({ group }) => group === `service:${name}`);
  expect(tasks.map(({ taskDefinitionArn }) => taskDefinitionArn)).toEqual([taskDefinition, taskDefinition]);
}

test('a rollout in progress is rolled back by ECS, and the number of tasks is put back', async () => {
  const given = await before('underway', { balanced: true });
  await change(given, sickApp);

  const restored = await inside(anActivity(), () => rig.activities.restoreService(given.restore));

  expect(restored).toEqual({
    outcome: 'undone',
    detail: expect.stringContaining('serves underway:1 with 2 tasks again'),
  });
  await expectServing('underway', given.first);
  expect((await rig.deployments('underway'))[1]).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
});

test('a rollout that ended well is taken back by a new deployment', async () => {
  const given = await before('ended');
  await change(given, goodApp('two'));
  await until(
    () => rig.world.rollout('ended'),
    ({ status }) => status === 'SUCCESSFUL',
  );

  const restored = await inside(anActivity(), () => rig.activities.restoreService(given.restore));

  expect(restored.outcome).toBe('undone');
  await expectServing('ended', given.first);
});

describe("somebody else's deployment", () => {
  /** Ours, over which somebody has deployed. */
  async function overtaken(name: string, app: string) {
    const given = await before(name, { balanced: true });
    const { taskDefinition: ours } = await change(given, goodApp('two'));
    const theirs = await rig.world.define(name, await rig.world.push(name, app));
    await rig.world.update(name, { taskDefinition: theirs });
    return { ...given, ours, theirs };
  }
  const restore = ({ restore: input, ours }: Awaited<ReturnType<typeof overtaken>>) =>
    inside(anActivity(), () => rig.activities.restoreService({ ...input, ours }));

  test('in progress is neither stopped nor overwritten by the undo, which names it', async () => {
    const given = await overtaken('theirs', sickApp);
    const asserted = rig.asserted();
    const { serviceDeploymentArn } = await rig.world.rollout('theirs');

    await expect(restore(given)).rejects.toMatchObject({
      type: 'ReplacedByOther',
      nonRetryable: true,
      message: expect.stringMatching(/^Service theirs in production runs theirs:3 since 20\d\d-.*Z: /),
      details: [expect.objectContaining({ service: 'theirs', runs: given.theirs, serviceDeploymentArn })],
    });

    expect(rig.asserted()).toBe(asserted);
    expect((await rig.world.rollout('theirs')).serviceDeploymentArn).toBe(serviceDeploymentArn);
    expect((await rig.world.rollout('theirs')).status).toBe('IN_PROGRESS');
  });

  test('that ended is not overwritten by the undo', async () => {
    const given = await overtaken('taken-over', goodApp('three'));
    await until(
      () => rig.world.rollout('taken-over'),
      ({ status }) => status === 'SUCCESSFUL',
    );
    const deployed = await rig.deployments('taken-over');

    await expect(restore(given)).rejects.toMatchObject({ type: 'ReplacedByOther', nonRetryable: true });

    expect(await rig.deployments('taken-over')).toEqual(deployed);
  });

  test('is gone back from when a person orders it', async () => {
    const given = await overtaken('ordered', goodApp('three'));

    const restored = await inside(anActivity(), () => rig.activities.restoreService(given.restore));

    expect(restored.outcome).toBe('undone');
    await expectServing('ordered', given.first);
  });
});

test('our own rollout is taken back when the undo knows it', async () => {
  const given = await before('known', { balanced: true });
  const { taskDefinition: ours } = await change(given, sickApp);

  const restored = await inside(anActivity(), () =>
    rig.activities.restoreService({ ...given.restore, ours }),
  );

  expect(restored.outcome).toBe('undone');
  await expectServing('known', given.first);
});

test('a rollout that was never started is nothing to undo when the undo knows what it would have been', async () => {
  const given = await before('unstarted');
  const ours = await rig.world.define('unstarted', await rig.world.push('unstarted', goodApp('two')));

  const restored = await inside(anActivity(Date.now() + 60_000), () =>
    rig.activities.restoreService({ ...given.restore, ours }),
  );

  expect(restored.outcome).toBe('nothing to undo');
  expect(await rig.deployments('unstarted')).toHaveLength(1);
});

test('a rollout that never took effect leaves nothing to undo and nothing is written', async () => {
  const given = await before('untouched');
  const asserted = rig.asserted();

  // The deployment that made the service is older than the step whose undo this is.
  const restored = await inside(anActivity(Date.now() + 60_000), () =>
    rig.activities.restoreService(given.restore),
  );

  expect(restored).toEqual({
    outcome: 'nothing to undo',
    detail: 'untouched serves untouched:1 with 2 tasks, as before.',
  });
  expect(rig.asserted()).toBe(asserted);
  expect(await rig.deployments('untouched')).toHaveLength(1);
});

test('an attempt that was cut off anywhere is finished by the next one', async () => {
  const given = await before('cut', { balanced: true });
  await change(given, sickApp);
  const scheduled = Date.now();
  const cut = anActivity(scheduled);
  const seen = until(
    () => rig.world.rollout('cut'),
    ({ status }) => status !== 'IN_PROGRESS',
  ).then(() => shutDown(cut));
  await expect(inside(cut, () => rig.activities.restoreService(given.restore))).rejects.toBeInstanceOf(
    CancelledFailure,
  );
  await seen;

  const restored = await inside(anActivity(scheduled), () => rig.activities.restoreService(given.restore));
  const again = await inside(anActivity(scheduled), () => rig.activities.restoreService(given.restore));

  expect([restored.outcome, again.outcome]).toEqual(['undone', 'undone']);
  await expectServing('cut', given.first);
});

test('a stop whose answer is lost is not taken for a failure', async () => {
  const given = await before('unanswered', { balanced: true });
  await change(given, sickApp);
  const proxy = await aLosingProxy(rig.world.sandbox.url, 'StopServiceDeployment', 1);
  const aws = createAwsClients({ endpoint: proxy.url, credentials });

  // The SDK's second attempt hears that the deployment is being rolled back already: a conflict.
  const restored = await inside(anActivity(), () => rig.withDeps({ aws }).restoreService(given.restore));

  expect(proxy.lost()).toBe(1);
  expect(restored.outcome).toBe('undone');
  await expectServing('unanswered', given.first);
  aws.destroy();
  await proxy.close();
});

test('a first deployment that never ran is taken back while ECS still tries', async () => {
  const { world } = rig;
  const { targetGroupArn } = await world.balance('stillborn');
  const loadBalancers = [{ targetGroupArn, containerName: 'web', containerPort: 80 }];
  const taskDefinition = await world.define('stillborn', await world.push('stillborn', sickApp));
  await world.create('stillborn', { taskDefinition, loadBalancers });
  const nothing = { desiredCount: 0, runningCount: 0, stable: false, serving: false, detail: '' };
  const previous = { service: 'stillborn', exists: false, ...nothing };

  const restore = { target, service: aService('stillborn'), previous, rollout: aPolicy(), lock: aLock };
  const restored = await inside(anActivity(), () => rig.activities.restoreService(restore));

  expect(restored).toEqual({ outcome: 'undone', detail: 'stillborn has no tasks again.' });
  expect(await world.service('stillborn')).toMatchObject({
    desiredCount: 0,
    runningCount: 0,
    pendingCount: 0,
  });
});

test('a first deployment is taken back to no tasks', async () => {
  const { world } = rig;
  const previous = {
    service: 'new',
    exists: false,
    desiredCount: 0,
    runningCount: 0,
    stable: false,
    serving: false,
    detail: '',
  };
  await world.create('new', {
    taskDefinition: await world.define('new', await world.push('new', goodApp('one'))),
  });
  await world.steady('new');

  const restore = { target, service: aService('new'), previous, rollout: aPolicy(), lock: aLock };
  const restored = await inside(anActivity(), () => rig.activities.restoreService(restore));

  expect(restored).toEqual({ outcome: 'undone', detail: 'new has no tasks again.' });
  expect(await world.service('new')).toMatchObject({ desiredCount: 0, runningCount: 0, pendingCount: 0 });
});

test('a service that was never made leaves nothing to undo', async () => {
  const previous = {
    service: 'none',
    exists: false,
    desiredCount: 0,
    runningCount: 0,
    stable: false,
    serving: false,
    detail: '',
  };
  const restore = { target, service: aService('none'), previous, rollout: aPolicy(), lock: aLock };

  const restored = await inside(anActivity(), () => rig.activities.restoreService(restore));

  expect(restored.outcome).toBe('nothing to undo');
});

test('a previous release that cannot run any more is an error that says why, not a success', async () => {
  const given = await before('lost', { balanced: true });
  const image = `127.0.0.1:${rig.world.sandbox.port}/lost@sha256:${'0'.repeat(64)}`;
  const gone = await rig.world.define('lost', image);
  const previous = { ...given.restore.previous, taskDefinition: gone };

  const restoring = inside(anActivity(), () =>
    rig.activities.restoreService({
      ...given.restore,
      previous,
      rollout: aPolicy({ timeoutSeconds: 1 }),
    }),
  );

  await expect(restoring).rejects.toMatchObject({
    type: expect.stringMatching(/^Restore(Failed|TimedOut)$/),
    nonRetryable: true,
    message: expect.stringContaining('CannotPullContainerError'),
  });
});

test('without the lock nothing is written', async () => {
  const given = await before('unlocked');
  await change(given, goodApp('two'));
  rig.loseLock(true);
  try {
    const restoring = inside(anActivity(), () => rig.activities.restoreService(given.restore));
    await expect(restoring).rejects.toMatchObject({ type: 'LockLost' });
  } finally {
    rig.loseLock(false);
  }
  expect(await rig.deployments('unlocked')).toHaveLength(2);
});
