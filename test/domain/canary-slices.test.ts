import { expect, test } from '@jest/globals';
import { guardSeconds, MOST_STEPS, sliceSeconds } from '../../src/domain/canary-slices.ts';

const TWO_WEEKS = 14 * 24 * 3600;
const EVENTS = { slice: 6, step: 14 };

test('a slice is a minute, so that what is seen is shown as it comes', () => {
  expect(sliceSeconds(600, 15)).toBe(60);
});

test('two weeks of steps, and two weeks of waiting for a person, stay within what one run can record', () => {
  const bake = TWO_WEEKS / MOST_STEPS;
  const slices = MOST_STEPS * Math.ceil(bake / sliceSeconds(bake, MOST_STEPS));
  let guards = 0;
  for (let elapsed = 0; elapsed < TWO_WEEKS; elapsed += guardSeconds(elapsed)) guards += 1;
  expect((slices + guards) * EVENTS.slice + MOST_STEPS * EVENTS.step).toBeLessThan(4800);
});

test('what has been waited for long is guarded in longer slices, of two hours at most', () => {
  expect([0, 60_000, TWO_WEEKS].map(guardSeconds)).toEqual([600, 1200, 7200]);
});
