import { expect, test } from '@jest/globals';
import { MOST_STEPS, sliceSeconds } from '../../src/domain/canary-slices.ts';

test('a slice is a minute, so that what is seen is shown as it comes', () => {
  expect(sliceSeconds(600, 15)).toBe(60);
});

test('two weeks of sampling stay within what one run can record', () => {
  const bake = (14 * 24 * 3600) / MOST_STEPS;
  const slices = MOST_STEPS * Math.ceil(bake / sliceSeconds(bake, MOST_STEPS));
  expect(slices * 6 + MOST_STEPS * 14).toBeLessThan(4000);
});
