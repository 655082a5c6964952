import { describe, expect, test } from '@jest/globals';
import { describeProblems, type Parsed } from '../../src/domain/input.ts';
import * as requests from '../../src/domain/requests.ts';
import { HUMAN_SIGNALS, parsePayload } from '../../src/domain/requests.ts';
import { HOSTILE } from './hostile.ts';

const COMMIT = 'a'.repeat(40);

/** Each reader, beside the smallest input that it takes. */
const READERS: Readonly<Record<string, { read: (input: unknown) => Parsed<object>; good: object }>> = {
  deploy: { read: requests.parseDeployInput, good: { versionTag: '1.4.0', commitHash: COMMIT } },
  'deploy to environment': {
    read: requests.parseDeployToEnvironmentInput,
    good: { versionTag: '1.4.0', commitHash: COMMIT, environment: 'staging' },
  },
  pipeline: { read: requests.parsePipelineInput, good: { versionTag: '1.4.0', commitHash: COMMIT } },
  rollback: {
    read: requests.parseRollbackInput,
    good: { environment: 'staging', failedVersion: '1.4.0', targetVersion: '1.3.0' },
  },
  approve: { read: (input) => parsePayload('approve', input), good: { by: 'ada' } },
  reject: { read: (input) => parsePayload('reject', input), good: { by: 'ada', reason: 'no' } },
  abort: { read: (input) => parsePayload('abort', input), good: { by: 'ada', reason: 'no' } },
  hold: { read: (input) => parsePayload('hold', input), good: { by: 'ada' } },
  resume: { read: (input) => parsePayload('resume', input), good: { by: 'ada' } },
  promote: { read: (input) => parsePayload('promote', input), good: { by: 'ada', reason: 'no' } },
  recordManualTest: {
    read: (input) => parsePayload('recordManualTest', input),
    good: { by: 'ada', passed: false },
  },
  decide: { read: (input) => parsePayload('decide', input), good: { by: 'ada', action: 'retry' } },
};

test('every human signal has a reader', () => {
  for (const signal of HUMAN_SIGNALS) expect(READERS).toHaveProperty(signal);
});

describe.each(Object.entries(READERS))('%s', (_name, { read, good }) => {
  test('takes what is right, as it is', () => {
    expect(read(good)).toEqual({ kind: 'ok', value: good });
  });

  test('refuses whatever is no object, and never throws', () => {
    for (const value of HOSTILE) {
      const parsed = read(value);
      expect(parsed.kind).toBe('invalid');
      if (parsed.kind === 'invalid') expect(describeProblems(parsed.problems).length).toBeLessThan(5000);
    }
  });

  test('refuses each field that is hostile or missing, and names it', () => {
    for (const field of Object.keys(good)) {
      for (const value of HOSTILE) {
        const parsed = read({ ...good, [field]: value });
        // A manual test may have passed or not: those two are no hostile values for it.
        if (field === 'passed' && typeof value === 'boolean') continue;
        expect(parsed).toMatchObject({ kind: 'invalid', problems: [{ field }] });
      }
    }
  });

  test('refuses a field that it does not know', () => {
    for (const field of ['__proto__', 'constructor', 'toString', 'By', 'x']) {
      const input = JSON.parse(JSON.stringify(good).replace('{', `{"${field}": 1, `)) as unknown;
      expect(read(input)).toMatchObject({ kind: 'invalid', problems: [{ field }] });
    }
  });
});

test('a rollback to the version that failed is refused', () => {
  const parsed = requests.parseRollbackInput({
    environment: 'staging',
    failedVersion: '1.4.0',
    targetVersion: '1.4.0',
  });
  expect(parsed).toMatchObject({ kind: 'invalid', problems: [{ field: 'targetVersion' }] });
});

test('a strategy that is not built is refused, and those that are are named', () => {
  const { good } = READERS['rollback']!;
  const parsed = requests.parseRollbackInput({ ...good, strategy: 'disable-features' });
  expect(parsed).toMatchObject({ problems: [{ field: 'strategy', allowed: 'one of revert' }] });
});

test("evidence may be given with or without the digest's name, 8 digits or more", () => {
  const read = (evidence: unknown) => parsePayload('approve', { by: 'ada', evidence });
  expect(read(`sha256:${'a'.repeat(64)}`)).toMatchObject({ value: { evidence: 'a'.repeat(64) } });
  expect(read('a'.repeat(8))).toMatchObject({ value: { evidence: 'a'.repeat(8) } });
  for (const bad of [
    'a'.repeat(7),
    'a'.repeat(65),
    'A'.repeat(8),
    'sha256:',
    'sha1:aaaaaaaa',
    'zzzzzzzz',
    12345678,
  ]) {
    expect(read(bad).kind).toBe('invalid');
  }
});
