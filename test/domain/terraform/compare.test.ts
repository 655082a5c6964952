import { describe, expect, test } from '@jest/globals';
import type { Origin } from '../../../src/domain/terraform/change-set.ts';
import { aPlan, aResource, compare, creating, normalise, ORIGIN, updating } from './support.ts';

const bucket = aResource('aws_bucket.a', creating({ name: 'a' }, { after_unknown: { id: true } }));
const policyUnknown = aResource(
  'aws_policy.p',
  creating({ text: 'x' }, { after_unknown: { id: true, bucket: true } }),
);
const policyKnown = aResource(
  'aws_policy.p',
  creating({ text: 'x', bucket: 'id-of-a' }, { after_unknown: { id: true } }),
);

describe('compare', () => {
  test('the same plan is the same', () => {
    expect(compare(normalise(aPlan([bucket, policyUnknown])), aPlan([policyUnknown, bucket]))).toEqual({
      kind: 'same',
    });
  });

  test('a value that was unknown when it was approved matches any later one', () => {
    const approved = normalise(aPlan([bucket, policyUnknown]));
    expect(compare(approved, aPlan([policyKnown]))).toEqual({ kind: 'subset', done: ['aws_bucket.a'] });
  });

  test('a branch that was unknown matches what is in it by now, in an update too', () => {
    const unknown = updating({ output: { v: 1 }, n: 1 }, { n: 2 }, { after_unknown: { output: true } });
    const known = updating({ output: { v: 1 }, n: 1 }, { output: { v: 2, w: 3 }, n: 2 });
    const unchanged = updating({ output: { v: 1 }, n: 1 }, { output: { v: 1 }, n: 2 });
    const approved = normalise(aPlan([aResource('aws_x.a', unknown)]));
    expect(compare(approved, aPlan([aResource('aws_x.a', known)]))).toEqual({ kind: 'same' });
    expect(compare(approved, aPlan([aResource('aws_x.a', unchanged)]))).toEqual({ kind: 'same' });
  });

  test('a value that was known when it was approved must not change, nor become unknown', () => {
    const approved = normalise(aPlan([policyKnown]));
    const line = 'aws_policy.p: create is planned with other values than were approved';
    const other = aResource(
      'aws_policy.p',
      creating({ text: 'y', bucket: 'id-of-a' }, { after_unknown: { id: true } }),
    );
    expect(compare(approved, aPlan([other]))).toEqual({ kind: 'differs', differences: [line] });
    expect(compare(approved, aPlan([policyUnknown]))).toEqual({ kind: 'differs', differences: [line] });
  });

  test('what was not approved is a difference, also where something approved is done', () => {
    const approved = normalise(aPlan([bucket, policyUnknown]));
    const extra = aResource('aws_x.extra', creating({}));
    expect(compare(approved, aPlan([policyKnown, extra]))).toEqual({
      kind: 'differs',
      differences: ['aws_x.extra: create was not approved', 'aws_bucket.a: approved, but no longer planned'],
    });
  });

  test('another action on the same resource is a difference', () => {
    const approved = normalise(aPlan([aResource('aws_x.a', updating({ a: 1 }, { a: 2 }))]));
    const replaced = aResource('aws_x.a', {
      actions: ['delete', 'create'],
      before: { a: 1 },
      after: { a: 2 },
    });
    expect(compare(approved, aPlan([replaced]))).toEqual({
      kind: 'differs',
      differences: ['aws_x.a: update was approved, delete and create is planned'],
    });
  });

  test('nothing left to do is a subset', () => {
    expect(compare(normalise(aPlan([bucket])), aPlan([]))).toEqual({
      kind: 'subset',
      done: ['aws_bucket.a'],
    });
  });

  test('outputs may differ in a subset, not in a whole', () => {
    const approved = normalise(aPlan([bucket]));
    const outputs = { output_changes: { url: { actions: ['create'], before: null, after: 'x' } } };
    expect(compare(approved, aPlan([], outputs)).kind).toBe('subset');
    expect(compare(approved, aPlan([bucket], outputs)).kind).toBe('differs');
  });

  test('a sensitive value is compared by the key', () => {
    const secret = (value: string) =>
      aPlan([aResource('aws_x.a', creating({ p: value }, { after_sensitive: { p: true } }))]);
    const approved = normalise(secret('first'), { key: 'k' });
    expect(compare(approved, secret('first'), { key: 'k' }).kind).toBe('same');
    expect(compare(approved, secret('second'), { key: 'k' }).kind).toBe('differs');
    expect(compare(normalise(secret('first')), secret('second')).kind).toBe('same');
  });

  test.each<[string, Partial<Origin>, string]>([
    ['directory', { directory: 'other' }, 'planned for directory other; approved for directory terraform'],
    ['backend', { backend: 'local' }, 'planned for backend local; approved for backend s3'],
    ['workspace', { workspace: 'blue' }, 'planned for workspace blue; approved for workspace default'],
    [
      'state',
      { location: `sha256:${'c'.repeat(64)}` },
      'planned for state at sha256:cccccccccccc; approved for state at sha256:bbbbbbbbbbbb',
    ],
    [
      'directory and backend',
      { directory: 'other', backend: 'local' },
      'planned for directory other, backend local; approved for directory terraform, backend s3',
    ],
  ])('a plan of another %s differs, said first, whatever it changes', (_name, elsewhere, line) => {
    const origin = { ...ORIGIN, ...elsewhere };
    const approved = normalise(aPlan([bucket, policyUnknown]));
    expect(compare(approved, aPlan([bucket, policyUnknown]), { origin })).toEqual({
      kind: 'differs',
      differences: [line],
    });
    expect(compare(approved, aPlan([bucket]), { origin })).toEqual({
      kind: 'differs',
      differences: [line, 'aws_policy.p: approved, but no longer planned'],
    });
  });
});
