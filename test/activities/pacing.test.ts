import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { pause, unlessCancelled } from '../../src/activities/pacing.ts';
import { anActivity, inside } from './ecs/aRollout.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** An activity, and when it told the server that it lives: milliseconds since its start. */
function aTold() {
  const activity = anActivity();
  const start = Date.now();
  const told: number[] = [];
  activity.on('heartbeat', () => void told.push(Date.now() - start));
  return { activity, told };
}

test('a pause longer than the heartbeat timeout tells the server every 5 s that the activity lives', async () => {
  const { activity, told } = aTold();

  const pausing = inside(activity, () => pause(17_000));
  await jest.advanceTimersByTimeAsync(17_000);
  await pausing;

  expect(told).toEqual([0, 5_000, 10_000, 15_000]);
});

test('a short pause lasts as long as it says and tells the server once', async () => {
  const { activity, told } = aTold();
  let over = false;

  const pausing = inside(activity, () => pause(20)).then(() => (over = true));
  await jest.advanceTimersByTimeAsync(19);
  expect(over).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  await pausing;

  expect(told).toEqual([0]);
});

test('a pause ends at once when the activity is cancelled', async () => {
  const { activity } = aTold();

  const pausing = inside(activity, () => pause(60_000));
  activity.cancel();

  await expect(pausing).rejects.toBeInstanceOf(CancelledFailure);
});

test('a call that waits for its turn longer than the heartbeat timeout tells the server too, until it is done', async () => {
  const { activity, told } = aTold();

  const asking = inside(activity, () =>
    unlessCancelled(new Promise<string>((resolve) => void setTimeout(() => resolve('answer'), 12_000))),
  );
  await jest.advanceTimersByTimeAsync(12_000);

  expect(await asking).toBe('answer');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([5_000, 10_000]);
});
