import { describe, expect, test } from '@jest/globals';
import { judgeCanaryProgress, judgeRollout, pauseOf } from '../../src/domain/rollout.ts';
import type {
  ObservedDeployment,
  ObservedHook,
  RolloutExpectation,
  RolloutObservation,
} from '../../src/domain/rollout.ts';

const OURS = 'arn:deployment/ours';
const wanted: RolloutExpectation = {
  service: 'web',
  taskDefinition: 'web:2',
  serviceDeploymentArn: OURS,
  desiredCount: 2,
  timeoutSeconds: 600,
  allowedDeaths: 2,
};
const aDeployment = (change: Partial<ObservedDeployment> = {}): ObservedDeployment => ({
  arn: OURS,
  status: 'IN_PROGRESS',
  taskDefinition: 'web:2',
  createdAt: 1_000,
  ...change,
});
const seen = (change: Partial<RolloutObservation> = {}): RolloutObservation => ({
  deployment: aDeployment(),
  primary: 'web:2',
  settled: false,
  strangers: [],
  unidentified: 0,
  deaths: 0,
  losses: 0,
  stoppedReasons: [],
  elapsedSeconds: 10,
  ...change,
});
const arrived = (change: Partial<RolloutObservation> = {}) =>
  seen({ deployment: aDeployment({ status: 'SUCCESSFUL' }), settled: true, ...change });
const foreign = aDeployment({ arn: 'arn:deployment/foreign', taskDefinition: 'web:3', createdAt: 2_000 });

test.each(['PENDING', 'IN_PROGRESS'] as const)('there is no verdict while it is %s', (status) => {
  expect(judgeRollout(wanted, seen({ deployment: aDeployment({ status }) }))).toBeUndefined();
});

test('there is no verdict while ECS does not list the deployment yet', () => {
  const { deployment: _, ...unlisted } = seen();
  expect(judgeRollout(wanted, unlisted)).toBeUndefined();
});

test.each([
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
  'STOPPED',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
] as const)('%s is a fail at once, the stopped reasons first', (status) => {
  const deployment = aDeployment({ status, statusReason: 'circuit breaker' });
  const verdict = judgeRollout(
    wanted,
    seen({ deployment, primary: 'web:1', stoppedReasons: ['3 tasks stopped: oops'] }),
  );
  expect(verdict).toEqual({
    outcome: 'fail',
    reasons: ['3 tasks stopped: oops', `ECS ended the rollout of web as ${status}: circuit breaker`],
  });
});

describe('SUCCESSFUL', () => {
  test('with the release running is a pass', () => {
    expect(judgeRollout(wanted, arrived())?.outcome).toBe('pass');
  });

  test('of another task definition is a fail', () => {
    const deployment = aDeployment({ status: 'SUCCESSFUL', taskDefinition: 'web:1' });
    expect(judgeRollout(wanted, arrived({ deployment }))?.outcome).toBe('fail');
  });

  test('with another primary task definition is a fail', () => {
    expect(judgeRollout(wanted, arrived({ primary: 'web:1' }))?.outcome).toBe('fail');
  });

  test('with a task of another image is a fail that names it', () => {
    expect(judgeRollout(wanted, arrived({ strangers: ['task 1 runs another image'] }))).toEqual({
      outcome: 'fail',
      reasons: ['task 1 runs another image'],
    });
  });

  test('is waited on while tasks are unsettled or their images unknown', () => {
    expect(judgeRollout(wanted, arrived({ settled: false }))).toBeUndefined();
    expect(judgeRollout(wanted, arrived({ unidentified: 1 }))).toBeUndefined();
  });

  test('but never settled is a fail when its time is over', () => {
    expect(judgeRollout(wanted, arrived({ settled: false, elapsedSeconds: 601 }))?.outcome).toBe('fail');
  });
});

describe("somebody else's deployment", () => {
  test('after ours is a fail that names it', () => {
    const stopped = aDeployment({ status: 'STOPPED' });
    const [reason] =
      judgeRollout(wanted, seen({ deployment: stopped, newest: foreign, primary: 'web:3' }))?.reasons ?? [];
    expect(reason).toBe(
      "Somebody else's deployment arn:deployment/foreign of web:3 replaced the rollout of web.",
    );
  });

  test('before ours is none of our business', () => {
    const newest = { ...foreign, createdAt: 500 };
    expect(judgeRollout(wanted, seen({ newest, primary: 'web:1' }))).toBeUndefined();
  });

  test('that deleted the service is a fail', () => {
    const { primary: _, ...gone } = seen();
    expect(judgeRollout(wanted, gone)?.reasons[0]).toContain('is gone');
  });
});

test('more deaths than are allowed are a fail while ECS still tries', () => {
  expect(judgeRollout(wanted, seen({ deaths: 2 }))).toBeUndefined();
  expect(judgeRollout(wanted, seen({ deaths: 3, stoppedReasons: ['why'] }))).toMatchObject({
    outcome: 'fail',
    reasons: ['3 tasks of web died after they had started; 2 are allowed.', 'why'],
  });
});

test('deaths count also when ECS calls the deployment successful', () => {
  expect(judgeRollout(wanted, arrived({ deaths: 3 }))?.outcome).toBe('fail');
});

test('after its time it is a fail', () => {
  expect(judgeRollout(wanted, seen({ elapsedSeconds: 600 }))).toBeUndefined();
  expect(judgeRollout(wanted, seen({ elapsedSeconds: 601 }))?.reasons[0]).toContain(
    'did not end within 600 s',
  );
});

describe('a rollout that needed no deployment', () => {
  const { serviceDeploymentArn: _, ...none } = wanted;
  const { deployment: __, ...unmoved } = seen();

  test('passes when the service is settled on the task definition', () => {
    expect(judgeRollout(none, { ...unmoved, settled: true })?.outcome).toBe('pass');
    expect(judgeRollout(none, unmoved)).toBeUndefined();
  });

  test('fails when something else runs', () => {
    expect(judgeRollout(none, { ...unmoved, primary: 'web:3' })?.outcome).toBe('fail');
  });
});

const aPause = (change: Partial<ObservedHook> = {}): ObservedHook => ({
  id: 'h2',
  target: 'PAUSE',
  status: 'AWAITING_ACTION',
  expiresAt: 60_000,
  ...change,
});
const paused = (...hooks: ObservedHook[]) =>
  aDeployment({ stage: 'PRODUCTION_TRAFFIC_SHIFT', weight: 25, hooks });

describe('a deployment waits', () => {
  test('at a pause, and not at the one that was released last', () => {
    expect(pauseOf(paused(aPause({ id: 'h1' }), aPause()), 'h1')?.id).toBe('h2');
    expect(pauseOf(paused(aPause()), 'h2')).toBeUndefined();
  });

  test.each<[string, Partial<ObservedHook>]>([
    ["somebody else's function", { target: 'AWS_LAMBDA', status: 'IN_PROGRESS' }],
    ["somebody else's function, whatever it waits for", { target: 'AWS_LAMBDA' }],
    ['a pause that is over', { status: 'SUCCEEDED' }],
    ['a pause that has timed out', { status: 'TIMED_OUT' }],
  ])('for us at no %s', (_what, change) => {
    expect(pauseOf(paused(aPause(change)))).toBeUndefined();
  });
});

describe("a canary's progress", () => {
  const at = (deployment: ObservedDeployment, change: Partial<RolloutObservation> = {}) =>
    judgeCanaryProgress(wanted, seen({ deployment, ...change }), 'h1');

  test('is the pause that it waits at', () => {
    expect(at(paused(aPause()))).toMatchObject({ kind: 'paused', pause: { id: 'h2', expiresAt: 60_000 } });
  });

  test('is nothing yet on the way to a pause', () => {
    expect(at(paused(aPause({ id: 'h1' })))).toBeUndefined();
    expect(at(paused(aPause({ target: 'AWS_LAMBDA', status: 'IN_PROGRESS' })))).toBeUndefined();
  });

  test.each([
    [2, 2, false],
    [2, 3, true],
    [20, 9, false],
    [20, 10, true],
    [1000, 200, true],
  ])('of %i tasks, of which %i stopped before all were up, has ended: %s', (desiredCount, losses, ended) => {
    const stoppedReasons = ['3 tasks stopped: CannotPullContainerError'];
    const progress = judgeCanaryProgress(
      { ...wanted, desiredCount },
      seen({ deployment: paused(), losses, stoppedReasons }),
    );
    const verdict = {
      outcome: 'fail',
      reasons: [expect.stringContaining('before all were up'), ...stoppedReasons],
    };
    expect(progress).toEqual(ended ? { kind: 'ended', verdict } : undefined);
  });

  test('goes on when tasks stopped before a pause that it has reached: deaths alone count then', () => {
    const progress = judgeCanaryProgress(wanted, seen({ deployment: paused(aPause()), losses: 9 }));
    expect(progress).toMatchObject({ kind: 'paused' });
  });

  test("is nothing yet at a pause while the tasks' images are unknown", () => {
    expect(at(paused(aPause()), { unidentified: 1 })).toBeUndefined();
  });

  test.each<[string, ObservedDeployment, Partial<RolloutObservation>, string]>([
    [
      'other images among its own tasks',
      paused(aPause()),
      { strangers: ['task 1 runs another image'] },
      'another image',
    ],
    ['another task definition', { ...paused(aPause()), taskDefinition: 'web:3' }, {}, 'ECS deploys web:3'],
    ['deaths', paused(aPause()), { deaths: 3 }, '3 tasks of web died'],
    ['no pause in its time', paused(), { elapsedSeconds: 601 }, 'did not reach a pause within 600 s'],
    [
      "somebody else's deployment",
      aDeployment({ status: 'STOPPED' }),
      { newest: foreign },
      "Somebody else's",
    ],
    ['its service deleted', { ...paused(aPause()), status: 'STOPPED' }, {}, 'as STOPPED'],
  ])('ends with a fail for %s', (_what, deployment, change, reason) => {
    expect(at(deployment, change)).toMatchObject({
      kind: 'ended',
      verdict: { outcome: 'fail', reasons: [expect.stringContaining(reason)] },
    });
  });

  test('waits at a pause for as long as that lasts: only the way to it is timed', () => {
    expect(at(paused(aPause()), { elapsedSeconds: 100_000 })?.kind).toBe('paused');
  });

  test.each([true, false])(
    'ends with a fail when somebody else released its pauses and it came to its end (settled: %s): it was not judged',
    (settled) => {
      const deployment = aDeployment({ status: 'SUCCESSFUL' });
      expect(at(deployment, { settled })).toEqual({
        kind: 'ended',
        verdict: {
          outcome: 'fail',
          reasons: [
            'Somebody else let the canary of web go on: ECS ended it as SUCCESSFUL before it was judged.',
          ],
        },
      });
    },
  );

  test('that a pause is still shown while ECS goes back is no pause', () => {
    expect(at({ ...paused(aPause()), status: 'ROLLBACK_IN_PROGRESS' })?.kind).toBe('ended');
  });
});

test("a pause that nobody acted on is told as the dead man's switch", () => {
  const expired = aPause({ status: 'TIMED_OUT', expiresAt: Date.UTC(2026, 0, 2) });
  const deployment = { ...paused(expired), status: 'ROLLBACK_SUCCESSFUL' as const };
  expect(judgeRollout(wanted, seen({ deployment, primary: 'web:1' }))?.reasons).toEqual([
    "Nobody acted on the pause of web until 2026-01-02T00:00:00.000Z, so ECS put the old version back by itself (the dead man's switch).",
    'ECS ended the rollout of web as ROLLBACK_SUCCESSFUL',
  ]);
});

test('alarms that went off are named first', () => {
  const deployment = aDeployment({ status: 'ROLLBACK_IN_PROGRESS', alarms: ['errors', 'latency'] });
  expect(judgeRollout(wanted, seen({ deployment, stoppedReasons: ['why'] }))?.reasons).toEqual([
    'ECS took web back because of its alarms: errors, latency.',
    'why',
    'ECS ended the rollout of web as ROLLBACK_IN_PROGRESS',
  ]);
});
