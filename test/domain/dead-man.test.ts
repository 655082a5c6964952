import { describe, expect, test } from '@jest/globals';
import { ahead, deadManMinutes, tooLong, type CanaryTimes } from '../../src/domain/dead-man.ts';

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** One service, judged for 10 minutes a step, and nothing after it. */
const times = (change: Partial<CanaryTimes> = {}): CanaryTimes => ({
  bake: 10 * MINUTE,
  steps: 2,
  smoke: 0,
  rollout: 20 * MINUTE,
  services: 1,
  waves: 1,
  together: 1,
  tests: 0,
  manualTest: 0,
  metrics: 0,
  soak: 0,
  ...change,
});

describe('at a step ECS goes back', () => {
  test('after the bake, the rollout of a service that comes later, and a margin, where the policy says nothing', () => {
    expect(deadManMinutes(times()).stepMinutes).toBe(40);
  });

  test('after the smoke tests instead, where they may last longer than the bake', () => {
    expect(deadManMinutes(times({ smoke: 60 * MINUTE })).stepMinutes).toBe(90);
  });

  test('a tenth later than the bake at least, which is more than the rest where the bake is long', () => {
    expect(deadManMinutes(times({ bake: 10 * DAY })).stepMinutes).toBe(11 * 24 * 60);
    const together = { bake: 10 * DAY, together: 2, rollout: HOUR };
    expect(deadManMinutes(times(together)).stepMinutes).toBe(11 * 24 * 60 + 60);
  });

  test('when the policy says', () => {
    expect(deadManMinutes(times({ deadMan: 15 * MINUTE })).stepMinutes).toBe(15);
  });

  test('never before a part is over, and never later than ECS can', () => {
    expect(deadManMinutes(times({ bake: 1, rollout: 1 })).stepMinutes).toBe(11);
    expect(deadManMinutes(times({ bake: 20 * DAY })).stepMinutes).toBe(20_160);
  });
});

describe('at 100 % ECS waits', () => {
  test('as long as at a step, and a margin, when nothing else comes', () => {
    expect(deadManMinutes(times()).lastMinutes).toBe(50);
  });

  test.each<[string, Partial<CanaryTimes>, number]>([
    ["the other services' rollouts", { services: 3 }, 40],
    ["the other waves' smoke tests and steps", { waves: 3, smoke: 5 * MINUTE }, 50],
    ['the tests', { tests: 7 * MINUTE }, 7],
    ['the manual test', { manualTest: DAY }, 1440],
    ['the metrics window', { metrics: 15 * MINUTE }, 15],
    ['the soak', { soak: 30 * MINUTE }, 30],
  ])('for %s too', (_what, change, minutes) => {
    expect(deadManMinutes(times(change)).lastMinutes).toBe(50 + minutes);
  });

  test.each([
    'deadMan',
    'steps',
    'smoke',
    'bake',
    'rollout',
    'services',
    'waves',
    'tests',
    'manualTest',
    'metrics',
    'soak',
  ] as const)('longer when %s is more', (field) => {
    // A switch that the policy sets takes the place of what it would be made of.
    const deadMan = field === 'deadMan' ? { deadMan: HOUR } : {};
    const some = times({ services: 2, waves: 2, smoke: 10 * MINUTE, ...deadMan });
    const more = { ...some, [field]: (some[field] ?? 0) + 600 };
    expect(deadManMinutes(more).lastMinutes).toBeGreaterThan(deadManMinutes(some).lastMinutes);
  });
});

describe('what may come at 100 %', () => {
  test('adds up to the pause', () => {
    const all = times({ services: 2, waves: 2, tests: 60, manualTest: 120, metrics: 180, soak: 240 });
    const seconds = ahead(all).reduce((sum, part) => sum + part.seconds, 0);
    expect(deadManMinutes(all).lastMinutes).toBe(seconds / 60);
  });

  test('is told, the longest first, when it is longer than ECS can wait', () => {
    const long = times({ manualTest: 9 * DAY, soak: 6 * DAY });
    expect(deadManMinutes(long).lastMinutes).toBe(20_160);
    expect(tooLong(long).map(({ what }) => what)).toEqual([
      'the manual test',
      'the soak',
      'one pause',
      'a margin',
    ]);
  });

  test('fits up to the last minute', () => {
    const left = 14 * DAY - 50 * MINUTE;
    expect(tooLong(times({ manualTest: left }))).toEqual([]);
    expect(tooLong(times({ manualTest: left + 1 }))).not.toEqual([]);
  });
});
