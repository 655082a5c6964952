import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../sandbox/ecs/decide.ts';
import { strategyOf } from '../../../sandbox/ecs/strategy.ts';
import { breakerThreshold } from '../../../sandbox/ecs/view.ts';
import type { Action, ServiceView, TaskView } from '../../../sandbox/ecs/view.ts';
import { aDeployment, aRollout, aView, inShort, starting, tasks } from './views.ts';

const rolling = strategyOf(
  { strategy: 'ROLLING' },
  { speed: 1, rollingBack: false, sourced: true, reconciles: false },
);

const steadyView = (given: Partial<ServiceView> = {}): ServiceView => {
  const { rollout: _none, ...view } = aView({
    deployments: [aDeployment('new', { rolloutState: 'COMPLETED' })],
    steady: true,
    ...given,
  });
  return view;
};

describe('a rolling deployment', () => {
  test.each([
    ['100/200 starts all new tasks beside the old', 100, 200, [...tasks(4, 'old')], ['start new 4']],
    ['100/150 starts half of them', 100, 150, [...tasks(4, 'old')], ['start new 2']],
    ['50/100 stops two old tasks first', 50, 100, [...tasks(4, 'old')], ['stop old scaling 2']],
    [
      '50/100 then starts two new',
      50,
      100,
      [...tasks(2, 'old'), ...tasks(2, 'old', { phase: 'stopping' })],
      ['start new 2'],
    ],
    ['0/100 stops all old tasks', 0, 100, [...tasks(4, 'old')], ['stop old scaling 4']],
    [
      'new tasks that are not healthy yet replace nothing',
      100,
      200,
      [...tasks(4, 'old'), ...tasks(4, 'new', starting)],
      [],
    ],
    [
      'as many old tasks stop as new ones are healthy',
      100,
      200,
      [...tasks(4, 'old'), ...tasks(3, 'new'), ...tasks(1, 'new', starting)],
      ['stop old scaling 3'],
    ],
    [
      'old tasks that are sick count for nothing and go first',
      100,
      200,
      [
        ...tasks(3, 'old'),
        ...tasks(1, 'old', { health: 'failing' }),
        ...tasks(1, 'new'),
        ...tasks(3, 'new', starting),
      ],
      ['stop old scaling 1'],
    ],
    [
      'a lower limit that is not met keeps every healthy task',
      100,
      200,
      [...tasks(2, 'old'), ...tasks(1, 'new'), ...tasks(3, 'new', starting)],
      [],
    ],
    [
      'new tasks that fail their checks make room for others',
      100,
      200,
      [...tasks(4, 'old'), ...tasks(4, 'new', { health: 'failing' })],
      ['stop new unhealthy 4'],
    ],
  ])('%s', (_, minimumHealthyPercent, maximumPercent, given, expected) => {
    const actions = decide(aView({ minimumHealthyPercent, maximumPercent, tasks: given }), rolling);
    expect(inShort(actions)).toEqual(expected);
  });

  test('of an odd number the lower limit is rounded up, the upper one down', () => {
    const odd = { desiredCount: 3, minimumHealthyPercent: 50, maximumPercent: 150 };
    expect(inShort(decide(aView({ ...odd, tasks: tasks(3, 'old') }), rolling))).toEqual([
      'stop old scaling 1',
    ]);
    expect(inShort(decide(aView({ ...odd, tasks: tasks(2, 'old') }), rolling))).toEqual(['start new 2']);
  });

  test('stages follow each other on record, and the last one completes', () => {
    const draining = [...tasks(4, 'new'), ...tasks(1, 'old', { phase: 'stopping' })];
    const cleanUp = aRollout({ stage: 'CLEAN_UP' });
    expect(decide(aView({ tasks: draining }), rolling)).toEqual([{ kind: 'enterStage', stage: 'CLEAN_UP' }]);
    expect(decide(aView({ tasks: draining, rollout: cleanUp }), rolling)).toEqual([]);
    expect(decide(aView({ tasks: tasks(4, 'new'), rollout: cleanUp }), rolling)).toEqual([
      { kind: 'complete', deploymentId: 'new' },
    ]);
  });

  test('waits out the back-off before it starts another task', () => {
    const deployments = [aDeployment('new', { notBefore: 1500 }), aDeployment('old')];
    expect(decide(aView({ deployments, tasks: tasks(4, 'old') }), rolling)).toEqual([
      { kind: 'lookAgain', at: 1500 },
    ]);
  });
});

describe('the circuit breaker', () => {
  test.each([
    [0, 3],
    [1, 3],
    [7, 4],
    [25, 13],
    [400, 200],
    [800, 200],
  ])('with %i desired tasks trips at %i failures', (desired, threshold) => {
    expect(breakerThreshold(desired)).toBe(threshold);
  });

  const failures = (failedTasks: number, given: Partial<ServiceView> = {}): Action[] =>
    decide(
      aView({
        deployments: [aDeployment('new', { failedTasks }), aDeployment('old')],
        tasks: tasks(4, 'old'),
        ...given,
      }),
      rolling,
    );

  test('does nothing below its threshold', () => {
    expect(inShort(failures(2))).toEqual(['start new 4']);
  });

  test('asks for the rollback at its threshold', () => {
    expect(failures(3)).toEqual([{ kind: 'tripBreaker', deploymentId: 'new' }]);
  });

  test('without rollback leaves the deployment failed', () => {
    expect(failures(3, { breaker: { enable: true, rollback: false } })).toEqual([
      { kind: 'giveUp', deploymentId: 'new', because: 'noRollback' },
    ]);
  });

  test('that is off never trips', () => {
    expect(inShort(failures(50, { breaker: { enable: false, rollback: true } }))).toEqual(['start new 4']);
  });

  test('gives up when the rollback itself fails', () => {
    const rollout = aRollout({ rollingBack: true });
    expect(failures(3, { rollout })).toEqual([
      { kind: 'giveUp', deploymentId: 'new', because: 'rollbackFailed' },
    ]);
  });
});

describe('a rollback that is asked for', () => {
  const rollout = aRollout({ rollbackRequested: true });

  test('goes to the deployment that last completed', () => {
    expect(decide(aView({ rollout, tasks: tasks(4, 'old') }), rolling)).toEqual([
      { kind: 'rollBack', from: 'new', to: 'old' },
    ]);
  });

  test('without such a deployment gives up', () => {
    const { rollbackTo: _none, ...view } = aView({ rollout });
    expect(decide(view, rolling)).toEqual([{ kind: 'giveUp', deploymentId: 'new', because: 'noCandidate' }]);
  });
});

describe('a steady service', () => {
  test('with all its tasks needs nothing', () => {
    expect(decide(steadyView({ tasks: tasks(4, 'new') }), rolling)).toEqual([]);
  });

  test('replaces a task that died', () => {
    expect(inShort(decide(steadyView({ tasks: tasks(3, 'new') }), rolling))).toEqual(['start new 1']);
  });

  test('starts the replacement of a sick task before it stops it', () => {
    const sick = tasks(1, 'new', { health: 'failing' });
    const healthy = tasks(3, 'new');
    expect(inShort(decide(steadyView({ tasks: [...sick, ...healthy] }), rolling))).toEqual(['start new 1']);
    expect(
      inShort(decide(steadyView({ tasks: [...sick, ...healthy, ...tasks(1, 'new')] }), rolling)),
    ).toEqual(['stop new unhealthy 1']);
  });

  test('scales in by its youngest tasks', () => {
    const all = tasks(4, 'new');
    const actions = decide(steadyView({ desiredCount: 3, tasks: all }), rolling);
    expect(actions).toEqual([{ kind: 'stopTask', taskArn: all.at(-1)?.taskArn, why: 'scaling' }]);
  });

  test('says so once', () => {
    expect(decide(steadyView({ steady: false, tasks: tasks(4, 'new') }), rolling)).toEqual([
      { kind: 'sayMarked', steady: true },
    ]);
  });

  test('drops deployments that have no tasks left', () => {
    const deployments = [aDeployment('new', { rolloutState: 'COMPLETED' }), aDeployment('old')];
    expect(decide(steadyView({ deployments, tasks: tasks(4, 'new') }), rolling)).toEqual([
      { kind: 'dropDeployment', deploymentId: 'old' },
    ]);
  });

  test('that failed starts no tasks', () => {
    const deployments = [aDeployment('new', { rolloutState: 'FAILED' })];
    expect(decide(steadyView({ deployments, steady: false }), rolling)).toEqual([]);
  });
});

describe('a deleted service', () => {
  test('stops its tasks, and is inactive without any', () => {
    expect(inShort(decide(aView({ draining: true, tasks: tasks(2, 'new') }), rolling))).toEqual([
      'stop new scaling 2',
    ]);
    expect(decide(aView({ draining: true, tasks: tasks(1, 'new', { phase: 'stopping' }) }), rolling)).toEqual(
      [],
    );
    expect(decide(aView({ draining: true }), rolling)).toEqual([{ kind: 'inactivate' }]);
  });
});

test('every rollout ends: any batch size, any speed of tasks, limits kept at every step', () => {
  for (const [min, max] of [
    [100, 200],
    [50, 100],
    [0, 100],
    [100, 110],
    [66, 133],
  ] as const) {
    for (const desiredCount of [1, 2, 3, 7, 10]) {
      if (Math.floor((desiredCount * max) / 100) <= Math.ceil((desiredCount * min) / 100)) continue;
      const { ended, lowest, highest } = simulate(desiredCount, min, max);
      expect({ min, max, desiredCount, ended }).toEqual({ min, max, desiredCount, ended: true });
      expect(lowest).toBeGreaterThanOrEqual(Math.ceil((desiredCount * min) / 100));
      expect(highest).toBeLessThanOrEqual(Math.floor((desiredCount * max) / 100));
    }
  }
});

/** Carries decisions out on a model of tasks that always become healthy, one a round. */
function simulate(
  desiredCount: number,
  min: number,
  max: number,
): { ended: boolean; lowest: number; highest: number } {
  let view = aView({
    desiredCount,
    minimumHealthyPercent: min,
    maximumPercent: max,
    tasks: tasks(desiredCount, 'old'),
  });
  const live = (): TaskView[] => view.tasks.filter(({ phase }) => phase !== 'stopping');
  let [lowest, highest] = [Infinity, 0];
  for (let round = 0; round < 500; round++) {
    for (const action of decide(view, rolling)) {
      if (action.kind === 'complete') return { ended: true, lowest, highest };
      if (action.kind === 'startTasks')
        view = { ...view, tasks: [...view.tasks, ...tasks(action.count, 'new', starting)] };
      if (action.kind === 'stopTask') {
        const stopped = view.tasks.map((task) =>
          task.taskArn === action.taskArn ? { ...task, phase: 'stopping' as const } : task,
        );
        view = { ...view, tasks: stopped };
      }
      if (action.kind === 'enterStage') {
        view = { ...view, rollout: aRollout({ stage: action.stage }) };
      }
    }
    lowest = Math.min(lowest, live().filter(({ health }) => health === 'passing').length);
    highest = Math.max(highest, live().length);
    const next = view.tasks.find(({ phase }) => phase !== 'running');
    const moved = view.tasks.flatMap((task) => {
      if (task !== next) return [task];
      return task.phase === 'stopping'
        ? []
        : [{ ...task, phase: 'running' as const, health: 'passing' as const }];
    });
    view = { ...view, tasks: moved };
  }
  return { ended: false, lowest, highest };
}
