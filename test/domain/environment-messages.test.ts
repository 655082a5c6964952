import { describe, expect, test } from '@jest/globals';
import * as messages from '../../src/domain/environment-messages.ts';
import { HOSTILE } from './hostile.ts';

const REQUEST = { requestId: 'a', workflowId: 'w', firstExecutionRunId: 'r', purpose: 'deploy 1.4.0' };
const PROOF = { requestId: 'a', token: { epoch: 1, counter: 2 } };
const HOLDER = { ...REQUEST, ...PROOF, grantedAt: '2026-01-01T00:00:00.000Z' };
const RECORD = {
  manifest: { version: '1.4.0', commit: 'a'.repeat(40), images: {} },
  taskDefinitions: {},
  desiredCounts: {},
  settings: [],
  approvals: [],
  startedBy: 'ada',
  workflowId: 'w',
  runId: 'r',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:00.000Z',
  outcome: 'Completed',
};

/** Each reader beside messages that it takes, and the fields that it cannot do without. */
const READERS: Readonly<
  Record<string, { is: (message: unknown) => boolean; good: object[]; needs: string[] }>
> = {
  'a lock request': {
    is: messages.isLockRequest,
    good: [REQUEST, { ...REQUEST, front: true, mayTakeDirty: false }],
    needs: ['requestId', 'workflowId', 'firstExecutionRunId', 'purpose'],
  },
  'a proof': { is: messages.isLockProof, good: [PROOF], needs: ['requestId', 'token'] },
  'an undo record': {
    is: messages.isUndoRecord,
    good: [
      { version: '1.4.0', recordedAt: 'now' },
      { version: '1.4.0', previousVersion: '1.3.0', recordedAt: 'now' },
    ],
    needs: ['version', 'recordedAt'],
  },
  'a release': {
    is: messages.isLockRelease,
    good: [
      { ...PROOF, workflowId: 'w' },
      { ...PROOF, workflowId: 'w', record: RECORD, current: true, keep: 3 },
      { ...PROOF, workflowId: 'w', dirty: 'half' },
    ],
    needs: ['requestId', 'token', 'workflowId'],
  },
  'a pong': {
    is: messages.isHolderPong,
    good: [{ requestId: 'a' }, { requestId: 'a', holder: HOLDER }],
    needs: ['requestId'],
  },
};

describe.each(Object.entries(READERS))('%s', (_name, { is, good, needs }) => {
  test('is taken', () => {
    for (const message of good) expect(is(message)).toBe(true);
  });

  test('is not taken for anything else', () => {
    for (const value of HOSTILE) expect(is(value)).toBe(false);
  });

  test('is not taken with a field of another kind, nor without one that it needs', () => {
    for (const message of good) {
      for (const field of Object.keys(message)) {
        for (const value of [7, [], 'x'.repeat(100_000), Object.create(null)]) {
          if (field === 'keep' && value === 7) continue;
          // Why a run left its environment dirty may be long: its release must be taken all the same.
          if (field === 'dirty' && typeof value === 'string') continue;
          expect([field, value, is({ ...message, [field]: value })]).toEqual([field, value, false]);
        }
      }
      for (const field of needs) {
        const { [field]: _gone, ...rest } = message as Record<string, unknown>;
        expect(is(rest)).toBe(false);
      }
    }
  });
});

test('a token that is no number proves nothing', () => {
  for (const token of [{ epoch: '1', counter: 2 }, { epoch: Number.NaN, counter: 2 }, { epoch: 1 }]) {
    expect(messages.isLockProof({ requestId: 'a', token })).toBe(false);
  }
});

test('a record that the ledger could not show is not taken', () => {
  for (const field of ['manifest', 'settings', 'outcome', 'endedAt', 'taskDefinitions']) {
    const { [field]: _gone, ...record } = RECORD as Record<string, unknown>;
    expect(messages.isLockRelease({ ...PROOF, workflowId: 'w', record })).toBe(false);
  }
});

test('a release keeps a whole number of releases, at least one', () => {
  for (const keep of [0, -1, 1.5, Number.NaN, '3']) {
    expect(messages.isLockRelease({ ...PROOF, workflowId: 'w', keep })).toBe(false);
  }
});

describe('what a person says', () => {
  test('is taken with a name and a reason', () => {
    expect(messages.parsePersonReason('freeze', { by: 'ada', reason: 'holidays' })).toEqual({
      kind: 'ok',
      value: { by: 'ada', reason: 'holidays' },
    });
  });

  test('is not taken otherwise', () => {
    for (const value of HOSTILE) {
      expect(messages.parsePersonReason('freeze', value).kind).toBe('invalid');
      expect(messages.parsePersonReason('freeze', { by: value, reason: 'x' }).kind).toBe('invalid');
      expect(messages.parsePersonReason('freeze', { by: 'ada', reason: value }).kind).toBe('invalid');
    }
  });
});
