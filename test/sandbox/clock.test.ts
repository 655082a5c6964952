import { expect, test } from '@jest/globals';
import { createClock } from '../../sandbox/clock.ts';

test('waits go by as many times faster as the speed says', async () => {
  const begun = performance.now();
  await createClock(100).sleep(5000);
  const took = performance.now() - begun;
  expect(took).toBeGreaterThanOrEqual(49);
  expect(took).toBeLessThan(2000);
});

test('a wait that is called off never fires, and a sleep rejects with the reason', async () => {
  const clock = createClock(1000);
  let fired = false;
  clock.after(10, () => (fired = true)).cancel();
  const stop = new AbortController();
  const sleep = clock.sleep(60_000_000, stop.signal);
  stop.abort(new Error('closing'));
  await expect(sleep).rejects.toThrow('closing');
  await clock.sleep(20_000);
  expect(fired).toBe(false);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a speed of %d is refused', (speed) => {
  expect(() => createClock(speed)).toThrow(RangeError);
});
