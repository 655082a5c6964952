import { describe, expect, test } from '@jest/globals';
import { nextRestoreStep, restoreGoal } from '../../src/domain/restore.ts';
import type { RestoreGoal, RestoreObservation } from '../../src/domain/restore.ts';
import type { DeploymentStatus, ObservedDeployment } from '../../src/domain/rollout.ts';

const goal = { taskDefinition: 'web:1', desiredCount: 2 };
const NOTHING_REFUSED = new Set<string>();

const served: RestoreObservation = {
  exists: true,
  primary: 'web:1',
  desiredCount: 2,
  runningCount: 2,
  pendingCount: 0,
  settled: true,
  strangers: [],
  unidentified: 0,
};
const aDeployment = (status: DeploymentStatus, taskDefinition: string): ObservedDeployment => ({
  arn: 'arn:d',
  status,
  taskDefinition,
  createdAt: 1,
});
const next = (change: Partial<RestoreObservation>, refused: ReadonlySet<string> = NOTHING_REFUSED) =>
  nextRestoreStep(goal, { ...served, ...change }, refused).kind;

describe('the goal', () => {
  const previous = { exists: true, serving: true, taskDefinition: 'web:1', desiredCount: 2 };

  test('is what served', () => {
    expect(restoreGoal(previous, 3, 3)).toEqual(goal);
  });

  test('is what served where the release asked for the same number of tasks', () => {
    expect(restoreGoal(previous, 2, 2)).toEqual(goal);
  });

  test.each([1, 5])('keeps the %d tasks that somebody scaled to meanwhile', (present) => {
    expect(restoreGoal(previous, 3, present)).toEqual({ ...goal, desiredCount: present });
  });

  test('keeps a number that equals what the release asked for where it can not be of its making: a release never scales in', () => {
    expect(restoreGoal({ ...previous, desiredCount: 10 }, 2, 2)).toEqual(goal);
  });

  test('does not take a service without tasks for a scaled one: what is gone back to serves', () => {
    expect(restoreGoal(previous, 3, 0)).toEqual(goal);
  });

  test('is no tasks where nothing served, of the task definition that was there', () => {
    expect(restoreGoal({ ...previous, serving: false }, 3, 5)).toEqual({
      taskDefinition: 'web:1',
      desiredCount: 0,
    });
    expect(restoreGoal({ exists: false, serving: false, desiredCount: 0 }, 3, 3)).toEqual({
      desiredCount: 0,
    });
  });
});

test('what serves already needs nothing', () => {
  expect(next({})).toBe('done');
});

test('a service that is gone needs nothing', () => {
  expect(next({ exists: false })).toBe('done');
});

test.each(['PENDING', 'IN_PROGRESS'] as const)('ECS is asked to roll back what is %s', (status) => {
  expect(next({ primary: 'web:2', settled: false, newest: aDeployment(status, 'web:2') })).toBe('stop');
});

describe('a deployment that waits at a pause', () => {
  const paused = {
    ...aDeployment('IN_PROGRESS', 'web:2'),
    hooks: [{ id: 'h1', target: 'PAUSE', status: 'AWAITING_ACTION', expiresAt: 9 } as const],
  };
  const step = (...refused: string[]) =>
    nextRestoreStep(goal, { ...served, primary: 'web:2', settled: false, newest: paused }, new Set(refused));

  test('is told to go back from there', () => {
    expect(step()).toEqual({ kind: 'turn back', serviceDeploymentArn: 'arn:d', hookId: 'h1' });
  });

  test('is stopped when ECS would not, and then overruled', () => {
    expect(step('h1')).toEqual({ kind: 'stop', serviceDeploymentArn: 'arn:d' });
    expect(step('h1', 'arn:d')).toEqual({ kind: 'update' });
  });

  test('is told to go back also when it would lead to what served: it waits for somebody who may never come', () => {
    const newest = { ...paused, taskDefinition: 'web:1' };
    expect(next({ settled: false, newest })).toBe('turn back');
  });

  test('that is going back is only waited for', () => {
    const newest = { ...paused, status: 'ROLLBACK_REQUESTED' as const };
    expect(next({ primary: 'web:2', settled: false, newest })).toBe('wait');
  });
});

test('what ECS would not stop is overruled by an update', () => {
  const newest = aDeployment('IN_PROGRESS', 'web:2');
  expect(next({ primary: 'web:2', settled: false, newest }, new Set(['arn:d']))).toBe('update');
});

test.each(['STOP_REQUESTED', 'ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS'] as const)(
  'what is %s is waited for',
  (status) => {
    expect(next({ primary: 'web:1', settled: false, newest: aDeployment(status, 'web:2') })).toBe('wait');
  },
);

test('the way back itself is not stopped', () => {
  expect(next({ settled: false, runningCount: 1, newest: aDeployment('IN_PROGRESS', 'web:1') })).toBe('wait');
});

test('another task definition or number of tasks is updated', () => {
  expect(next({ primary: 'web:2' })).toBe('update');
  expect(next({ desiredCount: 1, runningCount: 1 })).toBe('update');
});

test.each<[string, Partial<RestoreObservation>]>([
  ['unsettled', { settled: false }],
  ['with a task of the failed release', { strangers: ['task 1 runs web:2'] }],
  ['with tasks of unknown images', { unidentified: 1 }],
])('a service %s does not serve yet', (_what, change) => {
  expect(next(change)).toBe('wait');
});

describe('back to no tasks', () => {
  const nothing = { desiredCount: 0 };
  const step = (change: Partial<RestoreObservation>) =>
    nextRestoreStep(nothing, { ...served, primary: 'web:2', ...change }, NOTHING_REFUSED).kind;

  test('takes the tasks away without asking for a rollback that has nowhere to go', () => {
    expect(step({ newest: aDeployment('IN_PROGRESS', 'web:2') })).toBe('update');
  });

  test('waits until the last task is gone', () => {
    expect(step({ desiredCount: 0, runningCount: 1 })).toBe('wait');
    expect(step({ desiredCount: 0, runningCount: 0, pendingCount: 1 })).toBe('wait');
    expect(step({ desiredCount: 0, runningCount: 0 })).toBe('done');
  });
});

describe("somebody else's deployment", () => {
  const ours = 'web:2';
  const step = (change: Partial<RestoreObservation>, from: RestoreGoal = goal) =>
    nextRestoreStep(from, { ...served, ...change }, NOTHING_REFUSED, ours);

  test('that ended is left as it is, and named with its age', () => {
    expect(step({ primary: 'web:3', primarySince: 5 })).toEqual({
      kind: 'replaced',
      taskDefinition: 'web:3',
      since: 5,
    });
  });

  test.each(['PENDING', 'IN_PROGRESS', 'ROLLBACK_IN_PROGRESS'] as const)(
    'that is %s is left as it is, whatever is primary',
    (status) => {
      const newest = aDeployment(status, 'web:3');
      expect(step({ primary: 'web:1', settled: false, newest })).toEqual({
        kind: 'replaced',
        taskDefinition: 'web:3',
        since: 1,
        serviceDeploymentArn: 'arn:d',
      });
    },
  );

  test('is not seen in our own rollout, nor in the way back', () => {
    expect(step({ primary: ours }).kind).toBe('update');
    expect(step({ primary: ours, newest: aDeployment('IN_PROGRESS', ours) }).kind).toBe('stop');
    expect(step({ settled: false, newest: aDeployment('IN_PROGRESS', 'web:1') }).kind).toBe('wait');
    expect(step({}).kind).toBe('done');
  });

  test('is left as it is also where a rollback takes the tasks away', () => {
    const noTasks = { taskDefinition: 'web:1', desiredCount: 0 };
    expect(step({ primary: 'web:3' }, noTasks).kind).toBe('replaced');
  });

  test('is not told from what made a service that was not there before: that goes to no tasks', () => {
    expect(step({ primary: 'web:3' }, { desiredCount: 0 }).kind).toBe('update');
  });

  test('is gone back from when a person orders the rollback', () => {
    expect(next({ primary: 'web:3' })).toBe('update');
    expect(next({ primary: 'web:3', newest: aDeployment('IN_PROGRESS', 'web:3') })).toBe('stop');
  });
});
