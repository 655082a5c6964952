import { describe, expect, test } from '@jest/globals';
import { needsOf, place } from '../../../src/activities/ecs/capacity.ts';

const aDefinition = (change: object) => ({
  family: 'web',
  containerDefinitions: [{ name: 'web' }],
  ...change,
});

describe('what a task needs', () => {
  test.each<[object, object]>([
    [
      { cpu: '256', memory: '512' },
      { cpu: 256, memory: 512 },
    ],
    [
      { cpu: '.25 vCPU', memory: '1 GB' },
      { cpu: 256, memory: 1024 },
    ],
    [
      { cpu: '2vCPU', memory: '4GB' },
      { cpu: 2048, memory: 4096 },
    ],
  ])('is what the task says: %j', (change, needs) => {
    expect(needsOf(aDefinition(change))).toEqual(needs);
  });

  test('is the sum of its containers otherwise, a soft limit before a hard one', () => {
    const containerDefinitions = [
      { name: 'web', cpu: 100, memory: 512, memoryReservation: 256 },
      { name: 'proxy', memory: 64 },
    ];
    expect(needsOf(aDefinition({ containerDefinitions }))).toEqual({ cpu: 100, memory: 320 });
  });
});

describe('placing', () => {
  const task = { cpu: 256, memory: 512 };

  test('fits each task on one instance: what is left over on several is no room', () => {
    const instances = [
      { cpu: 511, memory: 4096 },
      { cpu: 4096, memory: 1023 },
    ];
    expect(place(instances, task, 2)).toEqual({
      placed: 2,
      left: [
        { cpu: 255, memory: 3584 },
        { cpu: 3840, memory: 511 },
      ],
    });
    expect(place(instances, task, 3).placed).toBe(2);
  });

  test('is on the instances of the capacity providers that are named', () => {
    const instances = [
      { cpu: 1024, memory: 1024, provider: 'spot' },
      { cpu: 256, memory: 512 },
    ];
    expect(place(instances, task, 1, ['spot']).left[1]).toBe(instances[1]);
    expect(place(instances, task, 1, ['other']).placed).toBe(0);
  });
});
