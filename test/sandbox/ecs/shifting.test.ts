import { describe, expect, test } from '@jest/globals';
import type { DeploymentConfiguration } from '@aws-sdk/client-ecs';
import { decide } from '../../../sandbox/ecs/decide.ts';
import { strategyOf } from '../../../sandbox/ecs/strategy.ts';
import type { Circumstances, Strategy } from '../../../sandbox/ecs/strategy.ts';
import type { Action, RolloutView, ServiceView } from '../../../sandbox/ecs/view.ts';
import { aDeployment, aRollout, aView, inShort, starting, tasks } from './views.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const blueGreen: DeploymentConfiguration = { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 };
const canary: DeploymentConfiguration = {
  strategy: 'CANARY',
  bakeTimeInMinutes: 5,
  canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 2 },
};

const strategy = (configuration: DeploymentConfiguration, given: Partial<Circumstances> = {}): Strategy =>
  strategyOf(configuration, { speed: 1, rollingBack: false, sourced: true, reconciles: false, ...given });

const names = ({ stages }: Strategy): string[] =>
  stages.map(({ name, step }) => (step === undefined ? name : `${name} ${step}`));

/** All of both revisions' tasks run and are healthy; in the stage since time 0. */
const aShift = (rollout: Partial<RolloutView>, given: Partial<ServiceView> = {}): ServiceView =>
  aView({
    now: 0,
    tasks: [...tasks(4, 'old'), ...tasks(4, 'new')],
    rollout: aRollout({ source: 'old', ...rollout }),
    ...given,
  });

const hook = (given: Partial<RolloutView['hooks'][number]> = {}): RolloutView['hooks'][number] => ({
  hookId: 'ecs-pause-1',
  awaiting: true,
  expiresAt: 60 * MINUTE,
  ...given,
});

describe('the stages', () => {
  const before = [
    'PRE_SCALE_UP',
    'SCALE_UP',
    'POST_SCALE_UP',
    'TEST_TRAFFIC_SHIFT',
    'POST_TEST_TRAFFIC_SHIFT',
  ];
  const after = ['POST_PRODUCTION_TRAFFIC_SHIFT', 'BAKE_TIME', 'CLEAN_UP'];
  const step = (number: number): string[] => [
    `PRE_PRODUCTION_TRAFFIC_SHIFT ${number}`,
    `PRODUCTION_TRAFFIC_SHIFT ${number}`,
  ];

  test('of a blue/green deployment have one traffic shift', () => {
    expect(names(strategy(blueGreen))).toEqual([...before, ...step(1), ...after]);
  });

  test('of a canary have two traffic shifts', () => {
    expect(names(strategy(canary))).toEqual([...before, ...step(1), ...step(2), ...after]);
  });

  test('of a linear deployment have as many as its steps', () => {
    const linear = { strategy: 'LINEAR', linearConfiguration: { stepPercent: 30 } } as const;
    expect(names(strategy(linear))).toEqual([...before, ...[1, 2, 3, 4].flatMap(step), ...after]);
  });

  test('begin with the reconciliation when several revisions were active', () => {
    expect(names(strategy(blueGreen, { reconciles: true }))[0]).toBe('RECONCILE_SERVICE');
  });

  test('have one traffic shift when nothing served before', () => {
    expect(names(strategy(canary, { sourced: false }))).toEqual([...before, ...step(1), ...after]);
  });

  test('of a rolling deployment are the two of its tasks, and a bake time with alarms', () => {
    expect(names(strategy({}))).toEqual(['SCALE_UP', 'CLEAN_UP']);
    const alarms = { alarmNames: ['errors'], enable: true, rollback: true };
    expect(names(strategy({ alarms }))).toEqual(['SCALE_UP', 'CLEAN_UP', 'BAKE_TIME']);
  });
});

describe('tasks', () => {
  test('before the scale-up only the old ones are kept', () => {
    const view = aShift({ stage: 'PRE_SCALE_UP', hooks: [hook()] }, { tasks: tasks(3, 'old') });
    expect(inShort(decide(view, strategy(blueGreen)))).toEqual(['lookAgain', 'start old 1']);
  });

  test('the full count starts beside the old ones, whatever the maximum percent says', () => {
    const view = aShift(
      { stage: 'SCALE_UP' },
      { tasks: tasks(4, 'old'), maximumPercent: 100, minimumHealthyPercent: 50 },
    );
    expect(inShort(decide(view, strategy(blueGreen)))).toEqual(['start new 4', 'lookAgain']);
  });

  test('the scale-up ends when all new ones are healthy', () => {
    const almost = [...tasks(4, 'old'), ...tasks(3, 'new'), ...tasks(1, 'new', starting)];
    expect(inShort(decide(aShift({ stage: 'SCALE_UP' }, { tasks: almost }), strategy(blueGreen)))).toEqual([
      'lookAgain',
    ]);
    expect(decide(aShift({ stage: 'SCALE_UP' }), strategy(blueGreen))).toEqual([
      { kind: 'enterStage', stage: 'POST_SCALE_UP' },
    ]);
  });

  test.each(['POST_SCALE_UP', 'POST_TEST_TRAFFIC_SHIFT', 'POST_PRODUCTION_TRAFFIC_SHIFT', 'BAKE_TIME'])(
    'in %s both revisions are kept whole, and scaled',
    (stage) => {
      const rollout = { stage, hooks: stage === 'BAKE_TIME' ? [] : [hook()] };
      const lost = [...tasks(3, 'old'), ...tasks(4, 'new')];
      expect(inShort(decide(aShift(rollout, { tasks: lost }), strategy(blueGreen)))).toContain('start old 1');
      const out = decide(aShift(rollout, { desiredCount: 6 }), strategy(blueGreen));
      expect(inShort(out)).toEqual(expect.arrayContaining(['start old 2', 'start new 2']));
      const into = decide(aShift(rollout, { desiredCount: 1 }), strategy(blueGreen));
      expect(inShort(into)).toEqual(expect.arrayContaining(['stop old scaling 3', 'stop new scaling 3']));
    },
  );

  test('the old ones stop at the clean-up, and the deployment completes without them', () => {
    const cleanUp = { stage: 'CLEAN_UP', weights: { production: 100, test: 100 } };
    expect(inShort(decide(aShift(cleanUp), strategy(blueGreen)))).toEqual([
      'lookAgain',
      'stop old scaling 4',
    ]);
    const draining = [...tasks(1, 'old', { phase: 'stopping' }), ...tasks(4, 'new')];
    expect(inShort(decide(aShift(cleanUp, { tasks: draining }), strategy(blueGreen)))).toEqual(['lookAgain']);
    expect(decide(aShift(cleanUp, { tasks: tasks(4, 'new') }), strategy(blueGreen))).toEqual([
      { kind: 'complete', deploymentId: 'new' },
    ]);
  });

  test('left over from a deployment that was overtaken stop in the reconciliation', () => {
    const deployments = [aDeployment('new'), aDeployment('left', { primary: false }), aDeployment('old')];
    const reconciling = strategy(blueGreen, { reconciles: true });
    const stage = 'RECONCILE_SERVICE';
    const view = aShift({ stage }, { deployments, tasks: [...tasks(4, 'old'), ...tasks(4, 'left')] });
    expect(inShort(decide(view, reconciling))).toEqual(['lookAgain', 'stop left scaling 4']);
    expect(decide(aShift({ stage }, { deployments, tasks: tasks(4, 'old') }), reconciling)).toEqual([
      { kind: 'enterStage', stage: 'PRE_SCALE_UP' },
    ]);
  });

  test('the deployment that the traffic comes from stays on record without any', () => {
    const view = aShift({ stage: 'POST_SCALE_UP', hooks: [hook()] }, { desiredCount: 0, tasks: [] });
    expect(decide(view, strategy(blueGreen))).toEqual([{ kind: 'lookAgain', at: 60 * MINUTE }]);
  });
});

describe('traffic', () => {
  const shift = (production: number): Action => ({
    kind: 'shiftTraffic',
    weights: { production, test: 100 },
  });
  const enter = (stage: string, step?: number): Action => ({
    kind: 'enterStage',
    stage,
    ...(step === undefined ? {} : { step }),
  });
  const at = (stage: string, step: number, production: number, now = 0): ServiceView =>
    aShift({ stage, step, weights: { production, test: 100 } }, { now });

  test('of tests goes to the new revision as a whole', () => {
    const view = aShift({ stage: 'TEST_TRAFFIC_SHIFT' });
    expect(decide(view, strategy(blueGreen))).toEqual([shift(0)]);
  });

  test('is shifted once a stage has begun, and stays through the bake time of its step', () => {
    expect(decide(at('PRE_PRODUCTION_TRAFFIC_SHIFT', 1, 0), strategy(canary))).toEqual([
      enter('PRODUCTION_TRAFFIC_SHIFT', 1),
    ]);
    expect(decide(at('PRODUCTION_TRAFFIC_SHIFT', 1, 0), strategy(canary))).toEqual([shift(10)]);
    expect(decide(at('PRODUCTION_TRAFFIC_SHIFT', 1, 10), strategy(canary))).toEqual([
      { kind: 'lookAgain', at: 2 * MINUTE },
    ]);
    expect(decide(at('PRODUCTION_TRAFFIC_SHIFT', 1, 10, 2 * MINUTE), strategy(canary))).toEqual([
      enter('PRE_PRODUCTION_TRAFFIC_SHIFT', 2),
    ]);
  });

  test('of the last step has no bake time but the deployment’s own', () => {
    expect(decide(at('PRODUCTION_TRAFFIC_SHIFT', 2, 100), strategy(canary))).toEqual([
      enter('POST_PRODUCTION_TRAFFIC_SHIFT'),
    ]);
    const baking = aShift({ stage: 'BAKE_TIME' });
    expect(decide(baking, strategy(canary))).toEqual([{ kind: 'lookAgain', at: 5 * MINUTE }]);
    expect(decide({ ...baking, now: 5 * MINUTE }, strategy(canary))).toEqual([enter('CLEAN_UP')]);
  });

  test('bakes as much shorter as the clock is faster', () => {
    const view = at('PRODUCTION_TRAFFIC_SHIFT', 1, 10);
    expect(decide(view, strategy(canary, { speed: 60 }))).toEqual([{ kind: 'lookAgain', at: 2000 }]);
  });

  test('that can’t be shifted fails the deployment', () => {
    const view = aShift({ stage: 'PRE_SCALE_UP', networking: 'because of the rule.' });
    expect(decide(view, strategy(canary))).toEqual([
      { kind: 'fail', cause: 'networking', reason: 'because of the rule.' },
    ]);
  });
});

describe('pauses', () => {
  const stage = 'POST_PRODUCTION_TRAFFIC_SHIFT';

  test('hold the deployment until all of the stage are answered', () => {
    const hooks = [hook(), hook({ hookId: 'ecs-pause-2', awaiting: false })];
    expect(decide(aShift({ stage, hooks }), strategy(canary))).toEqual([
      { kind: 'lookAgain', at: 60 * MINUTE },
    ]);
    const answered = hooks.map((each) => ({ ...each, awaiting: false }));
    expect(decide(aShift({ stage, hooks: answered }), strategy(canary))).toEqual([
      { kind: 'enterStage', stage: 'BAKE_TIME' },
    ]);
  });

  test('time out when they expire, not before', () => {
    const view = aShift({ stage, hooks: [hook()] }, { now: 60 * MINUTE - 1 });
    expect(decide(view, strategy(canary))).toEqual([{ kind: 'lookAgain', at: 60 * MINUTE }]);
    expect(decide({ ...view, now: 60 * MINUTE }, strategy(canary))).toEqual([
      { kind: 'timeOutHook', hookId: 'ecs-pause-1' },
    ]);
  });

  test('may last longer than a stage may', () => {
    const view = aShift({ stage, hooks: [hook({ expiresAt: 14 * DAY })] }, { now: 13 * DAY });
    expect(decide(view, strategy(canary))).toEqual([{ kind: 'lookAgain', at: 14 * DAY }]);
  });
});

describe('failures', () => {
  const dying = aDeployment('new', { failedTasks: 99 });

  test('of tasks trip no circuit breaker, which observe leaves off, but the stage times out after a day', () => {
    const breaker = { enable: false, rollback: false };
    const given = { deployments: [dying, aDeployment('old')], tasks: tasks(4, 'old'), breaker };
    const view = aShift({ stage: 'SCALE_UP' }, { ...given, now: DAY - 1 });
    expect(inShort(decide(view, strategy(canary)))).toEqual(['start new 4', 'lookAgain']);
    expect(decide({ ...view, now: DAY }, strategy(canary))).toEqual([
      { kind: 'fail', cause: 'timeout', reason: 'because the stage SCALE_UP timed out after 24 hours.' },
    ]);
  });

  test('of new tasks while the old ones go are given a day, too', () => {
    const view = aShift({ stage: 'CLEAN_UP' }, { tasks: tasks(3, 'new'), now: DAY });
    expect(decide(view, strategy(canary))).toMatchObject([{ kind: 'fail', cause: 'timeout' }]);
  });

  test.each([
    ['rolls back where that is set', true, 'fail'],
    ['stops the deployment where it is not', false, 'giveUp'],
  ])('an alarm %s', (_, rollback, kind) => {
    const alarms = { triggered: ['errors'], rollback };
    for (const stage of ['SCALE_UP', 'PRODUCTION_TRAFFIC_SHIFT', 'BAKE_TIME']) {
      expect(decide(aShift({ stage, step: 1, alarms }), strategy(canary))).toMatchObject([{ kind }]);
    }
  });
});

describe('the way back', () => {
  const back = strategy(canary, { rollingBack: true });
  const deployments = [
    aDeployment('old', { primary: true, rolloutState: 'IN_PROGRESS' }),
    aDeployment('new', { primary: false, rolloutState: 'FAILED' }),
  ];
  const going = (rollout: Partial<RolloutView>, given: Partial<ServiceView> = {}): ServiceView =>
    aShift(
      { rollingBack: true, weights: { production: 10, test: 100 }, ...rollout },
      { deployments, ...given },
    );

  test('shifts test and production traffic back before any task stops', () => {
    const interrupted = 'POST_PRODUCTION_TRAFFIC_SHIFT';
    expect(names(back)).toEqual(['SCALE_UP', 'TEST_TRAFFIC_SHIFT', 'PRODUCTION_TRAFFIC_SHIFT', 'CLEAN_UP']);
    expect(decide(going({ stage: 'SCALE_UP', interrupted }), back)).toEqual([
      { kind: 'enterStage', stage: 'TEST_TRAFFIC_SHIFT' },
    ]);
    expect(decide(going({ stage: 'TEST_TRAFFIC_SHIFT', interrupted }), back)).toEqual([
      { kind: 'shiftTraffic', weights: { production: 10, test: 0 } },
    ]);
    const weights = { production: 10, test: 0 };
    expect(decide(going({ stage: 'PRODUCTION_TRAFFIC_SHIFT', interrupted, weights }), back)).toEqual([
      { kind: 'shiftTraffic', weights: { production: 0, test: 0 } },
    ]);
    expect(inShort(decide(going({ stage: 'CLEAN_UP', interrupted }), back))).toEqual([
      'lookAgain',
      'stop new scaling 4',
    ]);
  });

  test('waits for no old task that is missing just then', () => {
    const view = going(
      { stage: 'SCALE_UP', interrupted: 'BAKE_TIME' },
      { tasks: [...tasks(3, 'old'), ...tasks(4, 'new')] },
    );
    expect(decide(view, back)).toEqual([{ kind: 'enterStage', stage: 'TEST_TRAFFIC_SHIFT' }]);
  });

  test('from the clean-up starts the old tasks again first', () => {
    const view = going({ stage: 'SCALE_UP', interrupted: 'CLEAN_UP' }, { tasks: tasks(4, 'new') });
    expect(inShort(decide(view, back))).toEqual(['start old 4', 'lookAgain']);
  });

  test('fails when the old tasks can’t be started for a day', () => {
    const view = going({ stage: 'SCALE_UP', interrupted: 'CLEAN_UP' }, { tasks: tasks(4, 'new'), now: DAY });
    expect(decide(view, back)).toEqual([{ kind: 'giveUp', deploymentId: 'old', because: 'rollbackFailed' }]);
  });
});
