import { expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import type { ChangeSet } from '../../src/domain/terraform/change-set.ts';
import { begunApply } from '../../src/workflows/steps/begun-apply.ts';

const DIGEST = `sha256:${'1'.repeat(64)}` as const;
const change = (address: string, ...actions: string[]) => ({
  address,
  actions,
  attributes: [],
  hash: DIGEST,
});
const APPROVED: ChangeSet = {
  changes: [
    change('aws_a.new', 'create'),
    change('aws_a.other', 'delete', 'create'),
    change('aws_a.old', 'update'),
  ],
  origin: { directory: 'terraform', backend: 's3', workspace: 'default', location: DIGEST },
  digest: DIGEST,
  counts: { create: 1, update: 1, replace: 1, delete: 0 },
};
const LOST = { created: ['aws_a.new'], replaced: [], made: [], host: 'host-a' };

function asActivity(cause: Error): ActivityFailure {
  return new ActivityFailure('it failed', 'applyTerraform', '1', 'TIMEOUT', undefined, cause);
}

function lost(beat: unknown, before?: Error): ActivityFailure {
  const timeout = new TimeoutFailure('activity Heartbeat timeout', beat, 'HEARTBEAT');
  return asActivity(Object.assign(timeout, { cause: before }));
}

const NEVER = ApplicationFailure.nonRetryable('locked', 'TerraformFailed', { started: false });

test.each([
  ['an attempt that began none', asActivity(NEVER), { begun: false }],
  [
    'a cancelled attempt that began none',
    asActivity(new CancelledFailure('', [{ started: false }])),
    { begun: false },
  ],
  ['an attempt that says nothing of it', asActivity(new Error('no')), { begun: true }],
  [
    'an attempt that could not find out about an earlier one',
    asActivity(ApplicationFailure.nonRetryable('init', 'TerraformFailed', { unfinished: LOST })),
    { begun: true, unfinished: LOST },
  ],
  ['a lost attempt that had begun none', lost({ apply: 'not begun', created: [] }), { begun: false }],
  ['a lost attempt whose apply had ended', lost({ apply: 'ended', created: [] }), { begun: true }],
  ['a lost attempt of which nothing was heard', lost(undefined), { begun: true }],
  [
    'a lost attempt, whatever the one before it says',
    lost({ doing: 'terraform apply', apply: 'begun', ...LOST }, NEVER),
    { begun: true, unfinished: LOST },
  ],
  [
    'a cancellation while no worker had it',
    asActivity(new CancelledFailure('', ['ACTIVITY_ID_NOT_STARTED'])),
    {
      begun: true,
      unfinished: {
        created: ['aws_a.new', 'aws_a.other'],
        replaced: ['aws_a.other'],
        made: [],
        perhaps: true,
      },
    },
  ],
])('what is known of an apply after %s', (_what, error, expected) => {
  expect(begunApply(error, APPROVED)).toEqual(expected);
});
