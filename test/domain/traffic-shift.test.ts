import { describe, expect, test } from '@jest/globals';
import { trafficShift } from '../../src/domain/traffic-shift.ts';

describe('steps that ECS can do', () => {
  test.each<[readonly number[], string, number]>([
    [[10, 100], 'CANARY', 10],
    [[0.1, 100], 'CANARY', 0.1],
    [[99.9, 100], 'CANARY', 99.9],
    [[50, 100], 'CANARY', 50],
    [[25, 50, 75, 100], 'LINEAR', 25],
    [[33.3, 66.6, 99.9, 100], 'LINEAR', 33.3],
    [[40, 80, 100], 'LINEAR', 40],
    [[100], 'LINEAR', 100],
    [Array.from({ length: 34 }, (_, i) => Math.min(100, 3 * (i + 1))), 'LINEAR', 3],
  ])('%j', (steps, strategy, percent) => {
    expect(trafficShift(steps)).toEqual({ kind: 'possible', strategy, percent });
  });
});

describe('steps that ECS cannot do are told with why and with what it can', () => {
  test.each<[readonly number[], string]>([
    [[], 'the last step is not 100'],
    [[10, 50], 'the last step is not 100'],
    [[10, 20, 100], 'the steps are not equal'],
    [[25, 50, 100], 'the steps are not equal'],
    [[2, 4, 100], 'the steps are not equal'],
    [[100, 100], 'the steps do not ascend'],
    [[50, 50, 100], 'the steps do not ascend'],
    [[60, 30, 100], 'the steps do not ascend'],
    [[0, 100], 'a step is not a multiple of 0.1 from 0.1 to 100'],
    [[-10, 100], 'a step is not a multiple of 0.1 from 0.1 to 100'],
    [[0.15, 100], 'a step is not a multiple of 0.1 from 0.1 to 100'],
    [[Number.NaN, 100], 'a step is not a multiple of 0.1 from 0.1 to 100'],
    [[110, 100], 'a step is not a multiple of 0.1 from 0.1 to 100'],
    [Array.from({ length: 50 }, (_, i) => 2 * (i + 1)), 'equal steps are smaller than 3'],
  ])('%j', (steps, why) => {
    const shift = trafficShift(steps);
    expect(shift).toMatchObject({ kind: 'impossible', why });
    expect(shift).toHaveProperty(
      'reason',
      `ECS can't shift traffic by [${steps.join(', ')}]: ${why}. It can do one step and then the rest, such as [10, 100], or equal steps of 3 % or more, such as [25, 50, 75, 100].`,
    );
  });
});
