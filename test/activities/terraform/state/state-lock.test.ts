import { expect, test } from '@jest/globals';
import { lockLasts, readingOf } from '../../../../src/activities/terraform/state/state-lock.ts';

const lockInfo = (id: string, operation: string) => `Lock Info:
  ID:        ${id}
  Path:      bucket/key
  Operation: ${operation}
  Who:       ci@runner
  Version:   1.11.4
  Created:   2026-01-01 10:00:00.5 +0000 UTC
  Info:      
`;
const refused = (message: string, info: string) => `Error: Error acquiring the state lock

Error message: ${message}
${info}

Terraform acquires a state lock to protect the state from being written
by multiple users at the same time.
`;

test('a lock that is held is told by its id, operation, holder and time', () => {
  const reading = readingOf(
    '',
    refused('resource temporarily unavailable', lockInfo('abc-1', 'OperationTypeApply')),
  );
  expect(reading).toEqual({
    kind: 'held',
    lock: {
      id: 'abc-1',
      operation: 'OperationTypeApply',
      who: 'ci@runner',
      created: '2026-01-01 10:00:00.5 +0000 UTC',
    },
  });
});

test("the lock that a look asked for itself is not taken for the one that is held, of which terraform's http backend tells the id alone", () => {
  const reading = readingOf(
    '',
    refused('HTTP remote state already locked:\nID=held-1', lockInfo('asked-2', 'state-rm')),
  );
  expect(reading).toEqual({
    kind: 'held',
    lock: { id: 'held-1', operation: 'unknown', who: 'unknown', created: 'unknown' },
  });
});

test("OpenTofu's http backend tells of the lock that is held", () => {
  const reading = readingOf(
    '',
    refused('HTTP remote state already locked:\nID=held-1', lockInfo('held-1', 'OperationTypeApply')),
  );
  expect(reading).toMatchObject({ lock: { id: 'held-1', who: 'ci@runner' } });
});

test('a backend that tells nothing of the lock that is held leaves it unnamed', () => {
  expect(
    readingOf(
      '',
      refused('HTTP remote state already locked, failed to read body', lockInfo('asked-2', 'state-rm')),
    ),
  ).toEqual({ kind: 'held', lock: undefined });
  expect(readingOf('', refused('Already locked', ''))).toEqual({ kind: 'held', lock: undefined });
});

test('a state that is not there yet is not locked', () => {
  expect(
    readingOf('', 'No state file was found!\n\nState management commands require a state file.'),
  ).toEqual({
    kind: 'free',
  });
});

test('whatever else goes wrong tells nothing of the lock', () => {
  expect(readingOf('', 'Error: Failed to get existing workspaces\n\nno such host')).toEqual({
    kind: 'unknown',
    why: 'Failed to get existing workspaces',
  });
  expect(readingOf('', '')).toEqual({ kind: 'unknown', why: 'terraform said nothing' });
});

test('only a lock that stays when terraform is killed tells by its going that terraform ended by itself', () => {
  expect(['http', 's3', 'gcs', 'azurerm'].map(lockLasts)).toEqual([true, true, true, true]);
  expect(['local', 'pg', 'consul', 'remote', 'inmem', 'new'].map(lockLasts)).toEqual(Array(6).fill(false));
});
