import { expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { lookPatiently } from '../../../src/activities/ecs/patience.ts';
import { anActivity, inside } from './aRollout.ts';

const anAwsError = (name: string) =>
  Object.assign(new Error('it says'), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });

/** Fails as told, and then sees something. */
function looks(...failures: Error[]) {
  const left = [...failures];
  const look = () => {
    const failure = left.shift();
    return failure ? Promise.reject(failure) : Promise.resolve('seen');
  };
  return { left, see: () => inside(anActivity(), () => lookPatiently(look)) };
}

const throttled = (times: number) => Array.from({ length: times }, () => anAwsError('ThrottlingException'));

test('what AWS throttles is looked at again', async () => {
  expect(await looks(...throttled(9)).see()).toBe('seen');
});

test('what it throttles for ever is a failure that may be repeated', async () => {
  await expect(looks(...throttled(100)).see()).rejects.toMatchObject({
    type: 'AwsThrottled',
    nonRetryable: false,
  });
});

test.each([
  ['what it refuses', anAwsError('AccessDeniedException'), { type: 'AccessDenied' }],
  ['what is our own mistake', new TypeError('oops'), { message: 'oops' }],
])('%s is not looked at again', async (_what, error, failure) => {
  const { left, see } = looks(error, error);
  await expect(see()).rejects.toMatchObject(failure);
  expect(left).toHaveLength(1);
});

test('cancelled, it looks no more', async () => {
  const activity = anActivity();
  const never = new Promise<never>(() => undefined);
  const looking = inside(activity, () => lookPatiently(() => never));
  activity.cancel();
  await expect(looking).rejects.toBeInstanceOf(CancelledFailure);
});
