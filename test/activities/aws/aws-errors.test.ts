import { expect, test } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { nameAwsError, withNamedAwsErrors } from '../../../src/activities/aws-errors.ts';

/** An error as the AWS SDK throws it. */
const anAwsError = (name: string, status: number, fields: object = {}) =>
  Object.assign(new Error(`${name} it says.`), {
    name,
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status, requestId: 'r-1' },
    ...fields,
  });

const named = (error: Error) => {
  const failure = nameAwsError(error);
  if (!(failure instanceof ApplicationFailure)) throw new Error('not a failure');
  return failure;
};

test.each<[string, Error, string]>([
  ['throttling', anAwsError('ThrottlingException', 400), 'AwsThrottled'],
  ['a rate limit', anAwsError('TooManyRequestsException', 429), 'AwsThrottled'],
  [
    'what the SDK calls throttling',
    anAwsError('Odd', 400, { $retryable: { throttling: true } }),
    'AwsThrottled',
  ],
  [
    'a limit that ECS tells of in words',
    anAwsError('ClientException', 400, {
      message: 'Too many concurrent attempts to create a new revision of the specified family.',
    }),
    'AwsThrottled',
  ],
  ["AWS's own failure", anAwsError('ServerException', 500), 'AwsFailed'],
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'AwsUnreachable'],
  [
    'a reset connection',
    Object.assign(new Error('reset'), { code: 'ECONNRESET', $metadata: {} }),
    'AwsUnreachable',
  ],
  ['no answer in time', Object.assign(new Error('slow'), { name: 'TimeoutError' }), 'AwsUnreachable'],
  [
    'attempts without a status',
    Object.assign(new Error('hang up'), { $metadata: { attempts: 3 } }),
    'AwsUnreachable',
  ],
  [
    'credentials that are not there yet',
    Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
    'AwsUnreachable',
  ],
  ['another change under way', anAwsError('ConflictException', 400), 'Conflict'],
  ['credentials that expired', anAwsError('ExpiredTokenException', 400), 'ExpiredToken'],
])('%s may be repeated', (_what, error, type) => {
  expect(named(error)).toMatchObject({ type, nonRetryable: false });
});

test.each([
  ['AccessDeniedException', 'AccessDenied', /Allow that action for the role/],
  ['UnrecognizedClientException', 'AwsCredentialsInvalid', /valid AWS credentials/],
  ['InvalidParameterException', 'InvalidParameter', /^AWS refused: InvalidParameterException: .* it says\./],
  ['ServiceNotFoundException', 'ServiceNotFound', /^AWS refused/],
])('%s is permanent, and says what to do', (name, type, message) => {
  const failure = named(anAwsError(name, 400));
  expect(failure).toMatchObject({
    type,
    nonRetryable: true,
    details: [{ error: name, status: 400, requestId: 'r-1' }],
  });
  expect(failure.message).toMatch(message);
});

test("what isn't AWS's is left as it is", () => {
  const errors = [
    new TypeError('a bug'),
    new CancelledFailure('cancelled'),
    ApplicationFailure.nonRetryable('x', 'LockLost'),
    'text',
  ];
  expect(errors.map(nameAwsError)).toEqual(errors);
});

test('the activities keep their answers, and their AWS errors are named', async () => {
  const activities = withNamedAwsErrors({
    good: async (n: number) => n + 1,
    bad: async () => {
      throw anAwsError('AccessDeniedException', 400);
    },
  });

  expect(await activities.good(1)).toBe(2);
  await expect(activities.bad()).rejects.toMatchObject({ type: 'AccessDenied' });
});
