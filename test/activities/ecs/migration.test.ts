import { RunTaskCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import type { MigrationPolicy } from '../../../src/domain/policy.ts';
import { CLUSTER, until } from '../../sandbox/ecs/world.ts';
import { aLock, anActivity, aRig, aService, aTarget, inside, shutDown } from './aRollout.ts';
import type { Rig } from './aRollout.ts';

/** Does what its last argument says. */
const migration = `
  const what = process.argv.at(-1);
  if (what === 'up') process.exit(0);
  if (what === 'down') process.exit(0);
  if (what === 'fail') { console.error('no such table'); process.exit(4); }
  setInterval(() => {}, 1000);`;

let rig: Rig;
let taskDefinition: string;
beforeAll(async () => {
  rig = await aRig();
  taskDefinition = await rig.world.define('migrate', await rig.world.push('migrate', migration));
});
afterAll(() => rig.close());

const service = aService('migrate');

const input = (startedBy: string, change: Partial<MigrationPolicy> = {}) => ({
  target: aTarget(),
  service,
  taskDefinition,
  migration: { service: 'migrate', command: ['up'], timeoutSeconds: 20, ...change },
  direction: 'do' as const,
  startedBy,
  lock: aLock,
});

const tasksOf = async (startedBy: string) =>
  [...(await rig.world.tasks('RUNNING')), ...(await rig.world.tasks('STOPPED'))].filter(
    (task) => task.startedBy === startedBy,
  );

test('the migration runs as a task with its command, and its exit code is the result', async () => {
  const result = await inside(anActivity(), () => rig.activities.runMigration(input('run-ok')));

  expect(result.exitCode).toBe(0);
  const [task] = await tasksOf('run-ok');
  expect(task?.overrides?.containerOverrides).toEqual([
    expect.objectContaining({ name: 'web', command: ['up'] }),
  ]);
});

test('a failing migration is a result with its exit code', async () => {
  const result = await inside(anActivity(), () =>
    rig.activities.runMigration(input('run-fail', { command: ['fail'] })),
  );

  expect(result).toEqual({ exitCode: 4, detail: expect.stringContaining('exit code 4'), ran: true });
});

test('its undo runs the undo command', async () => {
  const undo = { ...input('run-undo', { command: ['fail'], undo: ['down'] }), direction: 'undo' as const };

  expect((await inside(anActivity(), () => rig.activities.runMigration(undo))).exitCode).toBe(0);
});

test('its undo stops a migration that a lost worker left running', async () => {
  const left = input('run-left', { command: ['hang'], undo: ['down'] });
  const lost = anActivity();
  lost.once('heartbeat', () => shutDown(lost));
  await expect(inside(lost, () => rig.activities.runMigration(left))).rejects.toBeInstanceOf(
    CancelledFailure,
  );

  const undo = { ...left, startedBy: 'run-left-undo', direction: 'undo' as const };
  const result = await inside(anActivity(), () => rig.activities.runMigration(undo));

  expect(result.exitCode).toBe(0);
  const [migrated] = await tasksOf('run-left');
  const [undone] = await tasksOf('run-left-undo');
  expect(migrated?.lastStatus).toBe('STOPPED');
  expect(undone?.createdAt?.getTime()).toBeGreaterThanOrEqual(migrated?.stoppedAt?.getTime() ?? Infinity);
});

describe('the undo of a migration that never started', () => {
  const undoOf = (run: string, change: Partial<MigrationPolicy> = {}) => ({
    ...input(`${run}-undo`, { undo: ['down'], ...change }),
    direction: 'undo' as const,
    lookFor: run,
  });
  const undo = (given: ReturnType<typeof undoOf>) =>
    inside(anActivity(), () => rig.activities.runMigration(given));
  const nothingRan = {
    exitCode: 0,
    detail: expect.stringMatching(/^The migration of migrate never started: .*run-never/),
    ran: false,
  };

  test('runs nothing, and says so', async () => {
    expect(await undo(undoOf('run-never'))).toEqual(nothingRan);
    expect(await tasksOf('run-never-undo')).toEqual([]);
  });

  test('needs no undo command', async () => {
    const { undo: _, ...irreversible } = undoOf('run-never').migration;
    expect(await undo({ ...undoOf('run-never'), migration: irreversible })).toEqual(nothingRan);
  });

  test('is told from that of one that ran, and from that of one that still runs', async () => {
    await inside(anActivity(), () => rig.activities.runMigration(input('run-did', { command: ['fail'] })));
    const left = input('run-does', { command: ['hang'] });
    const lost = anActivity();
    lost.once('heartbeat', () => shutDown(lost));
    await inside(lost, () => rig.activities.runMigration(left)).catch(() => undefined);

    const did = await undo(undoOf('run-did', { command: ['fail'] }));
    const does = await undo(undoOf('run-does', { command: ['hang'] }));

    expect([did, does]).toEqual([
      { exitCode: 0, detail: expect.any(String), ran: true },
      { exitCode: 0, detail: expect.any(String), ran: true },
    ]);
    expect(await tasksOf('run-does-undo')).toHaveLength(1);
    expect((await tasksOf('run-does'))[0]?.lastStatus).toBe('STOPPED');
  });

  test('is told from that of one that ECS lists a little later', async () => {
    const activity = anActivity();
    // The first pause is after the first look, which finds nothing.
    activity.once('heartbeat', () => {
      const late = { cluster: CLUSTER, taskDefinition, startedBy: 'run-late' };
      void rig.world.ecs.send(new RunTaskCommand(late));
    });

    const undone = await inside(activity, () =>
      rig.withDeps({ pollMilliseconds: 500 }).runMigration(undoOf('run-late')),
    );

    expect(undone.ran).toBe(true);
  });

  test("goes on with its own task, also when ECS has forgotten the migration's", async () => {
    const { lookFor: _, ...begun } = undoOf('run-forgotten');
    await inside(anActivity(), () => rig.activities.runMigration(begun));

    expect(await undo(undoOf('run-forgotten'))).toMatchObject({ exitCode: 0, ran: true });
    expect(await tasksOf('run-forgotten-undo')).toHaveLength(1);
  });
});

test('a migration without an undo is declared irreversible', async () => {
  const undo = { ...input('run-irreversible'), direction: 'undo' as const };

  await expect(inside(anActivity(), () => rig.activities.runMigration(undo))).rejects.toMatchObject({
    type: 'MigrationIrreversible',
  });
});

test('a retry finds the task of an earlier attempt, running or stopped', async () => {
  const hanging = input('run-again', { command: ['hang'], timeoutSeconds: 1 });
  const first = anActivity();
  first.once('heartbeat', () => shutDown(first));
  await expect(inside(first, () => rig.activities.runMigration(hanging))).rejects.toBeInstanceOf(
    CancelledFailure,
  );
  const [left] = await tasksOf('run-again');
  expect(left?.desiredStatus).toBe('RUNNING');

  await expect(inside(anActivity(), () => rig.activities.runMigration(hanging))).rejects.toMatchObject({
    type: 'MigrationTimedOut',
  });
  const stopped = await inside(anActivity(), () => rig.activities.runMigration(hanging));

  expect(stopped.exitCode).not.toBe(0);
  expect((await tasksOf('run-again')).map(({ taskArn }) => taskArn)).toEqual([left?.taskArn]);
});

test('cancelled, the migration is stopped before anything else happens', async () => {
  const activity = anActivity();
  activity.once('heartbeat', () => activity.cancel());

  const running = inside(activity, () =>
    rig.activities.runMigration(input('run-cancel', { command: ['hang'] })),
  );

  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  const [task] = await tasksOf('run-cancel');
  expect(task).toMatchObject({ lastStatus: 'STOPPED', stoppedReason: 'Stopped by Slipway' });
});

test('a migration whose task never started is an error, not an exit code', async () => {
  const image = `127.0.0.1:${rig.world.sandbox.port}/migrate@sha256:${'0'.repeat(64)}`;
  const missing = { ...input('run-missing'), taskDefinition: await rig.world.define('migrate', image) };

  await expect(inside(anActivity(), () => rig.activities.runMigration(missing))).rejects.toMatchObject({
    type: 'MigrationNotStarted',
    message: expect.stringContaining('CannotPullContainerError'),
  });
});

test('without the lock no task is started', async () => {
  rig.loseLock(true);
  try {
    await expect(
      inside(anActivity(), () => rig.activities.runMigration(input('run-unlocked'))),
    ).rejects.toMatchObject({
      type: 'LockLost',
    });
  } finally {
    rig.loseLock(false);
  }
  await until(
    () => tasksOf('run-unlocked'),
    (tasks) => tasks.length === 0,
  );
});
