import { expect, test } from '@jest/globals';
import { trafficSteps } from '../../../sandbox/ecs/traffic-steps.ts';

test('steps of a linear deployment are equal, and the last one ends at 100', () => {
  const percents = (stepPercent: number): number[] =>
    trafficSteps({ strategy: 'LINEAR', linearConfiguration: { stepPercent } }).map(({ percent }) => percent);
  expect(percents(25)).toEqual([25, 50, 75, 100]);
  expect(percents(33.3)).toEqual([33.3, 66.6, 99.9, 100]);
  expect(percents(40)).toEqual([40, 80, 100]);
  expect(percents(100)).toEqual([100]);
  expect(percents(3)).toHaveLength(34);
});

test('every step but the last bakes, by default as long as ECS says', () => {
  expect(trafficSteps({ strategy: 'LINEAR', linearConfiguration: { stepPercent: 50 } })).toEqual([
    { percent: 50, bakeMinutes: 6 },
    { percent: 100, bakeMinutes: 0 },
  ]);
  expect(trafficSteps({ strategy: 'CANARY' })).toEqual([
    { percent: 5, bakeMinutes: 10 },
    { percent: 100, bakeMinutes: 0 },
  ]);
  const canaryConfiguration = { canaryPercent: 0.1, canaryBakeTimeInMinutes: 0 };
  expect(trafficSteps({ strategy: 'CANARY', canaryConfiguration })[0]).toEqual({
    percent: 0.1,
    bakeMinutes: 0,
  });
});

test('a canary of 100 % is a blue/green deployment', () => {
  const canaryConfiguration = { canaryPercent: 100 };
  expect(trafficSteps({ strategy: 'CANARY', canaryConfiguration })).toEqual(
    trafficSteps({ strategy: 'BLUE_GREEN' }),
  );
});
