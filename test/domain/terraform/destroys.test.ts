import { describe, expect, test } from '@jest/globals';
import { destroyedBy, GUARDS, guard } from '../../../src/domain/terraform/guards.ts';
import type { Consent } from '../../../src/domain/terraform/guards.ts';
import type { PlannedChange, PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating, deleting, normalise, replacing, updating } from './support.ts';

const strict = { allowDestroy: false };
const lax = { allowDestroy: true };

describe('the guard against destroying', () => {
  test.each<[string, PlannedChange]>([
    ['delete', deleting({})],
    ['delete and create', replacing({ a: 1 }, { a: 2 })],
    ['create and delete', { ...replacing({ a: 1 }, { a: 2 }), actions: ['create', 'delete'] }],
    ['forget', { actions: ['forget'], before: {}, after: null }],
    ['create and forget', { actions: ['create', 'forget'], before: {}, after: {} }],
  ])('refuses %s without consent, and takes it with', (_name, change) => {
    const plan = aPlan([aResource('aws_x.a', change)]);
    expect(guard(plan, strict)).toEqual([
      { name: GUARDS.destroy, passed: false, detail: expect.stringContaining('aws_x.a') },
    ]);
    expect(guard(plan, lax)).toEqual([]);
  });

  test.each<[string, PlannedChange]>([
    ['deleting', deleting({})],
    ['replacing', replacing({ a: 1 }, { a: 2 })],
  ])('takes %s what the failed change set created, and nothing else', (_name, change) => {
    const failed = normalise(aPlan([aResource('aws_x.new', creating({}))]));
    const replaced = normalise(aPlan([aResource('aws_x.new', replacing({ a: 2 }, { a: 1 }))]));
    const updated = normalise(aPlan([aResource('aws_x.new', updating({ a: 2 }, { a: 1 }))]));
    const plan = aPlan([aResource('aws_x.new', change)]);
    expect(guard(plan, { ...strict, failed })).toEqual([]);
    expect(guard(plan, { ...strict, failed: replaced })).toEqual([]);
    expect(guard(plan, { ...strict, failed: updated })).toHaveLength(1);
    const more = aPlan([aResource('aws_x.new', change), aResource('aws_x.old', change)]);
    const [refusal] = guard(more, { ...strict, failed });
    expect(refusal?.detail).toContain('aws_x.old');
    expect(refusal?.detail).not.toContain('aws_x.new');
  });

  test.each<[string, PlannedResource]>([
    ['forgetting it', aResource('aws_x.new', { actions: ['forget'], before: {}, after: null })],
    ['the deposed object that was there before it', aResource('aws_x.new', deleting({}), { deposed: 'abc' })],
  ])('refuses %s, though the failed change set created what is there', (_name, resource) => {
    const failed = normalise(aPlan([aResource('aws_x.new', creating({}))]));
    expect(guard(aPlan([resource]), { ...strict, failed })).toHaveLength(1);
  });

  test('says how to consent, and does not list a hundred', () => {
    const many = Array.from({ length: 30 }, (_, i) => aResource(`aws_x.a${i}`, deleting({})));
    const [refusal] = guard(aPlan(many), strict);
    expect(refusal?.detail).toContain('and 20 more');
    expect(refusal?.detail).toContain('allowDestroy: true');
  });
});

describe('consent to destroy', () => {
  const gone = (address: string, more: Partial<PlannedResource> = {}) =>
    aResource(address, deleting({}), more);
  const refused = (resource: PlannedResource, consent: Partial<Consent>) =>
    destroyedBy(aPlan([resource]), { allowDestroy: false, ...consent });

  test.each<[string, string]>([
    ['aws_x.a', 'aws_x.a'],
    ['aws_x.*', 'aws_x.a'],
    ['*', 'module.m.aws_x.a'],
    ['module.cache.*', 'module.cache.module.inner["eu.west"].aws_x.a[3]'],
    ['module.cache[*].aws_x.a', 'module.cache["eu west"].aws_x.a'],
    ['aws_x.a["k"]', 'aws_x.a["k"]'],
    ['*.aws_x.a', 'module.m.aws_x.a'],
  ])('by the pattern %s is for %s', (pattern, address) => {
    expect(refused(gone(address), { allowDestroy: ['aws_other.*', pattern] })).toEqual([]);
  });

  test.each<[string, string]>([
    ['aws_x.a', 'aws_x.ab'],
    ['aws_x.a', 'module.m.aws_x.a'],
    ['aws_x.*', 'module.aws_x.aws_y.a'],
    ['aws_x?a', 'aws_xa'],
    ['aws_x.a[0]', 'aws_x.a0'],
    ['(aws_x.a)', 'aws_x.a'],
    ['aws_x.a|aws_x.b', 'aws_x.a'],
    ['AWS_X.A', 'aws_x.a'],
  ])('by the pattern %s is not for %s', (pattern, address) => {
    expect(refused(gone(address), { allowDestroy: [pattern] })).toEqual([address]);
  });

  test('for an address is for its deposed objects, and one of them can be named by itself', () => {
    const deposed = gone('aws_x.a', { deposed: 'abcd' });
    expect(refused(deposed, { allowDestroy: ['aws_x.a'] })).toEqual([]);
    expect(refused(deposed, { allowDestroy: ['aws_x.a (deposed abcd)'] })).toEqual([]);
    expect(refused(deposed, { allowDestroy: ['aws_x.a (deposed ef01)'] })).toEqual([
      'aws_x.a (deposed abcd)',
    ]);
  });

  test('of a person is for exactly the addresses that were named', () => {
    const plan = aPlan([
      gone('aws_x.a'),
      gone('aws_x.a', { deposed: 'abcd' }),
      aResource('aws_x.b', replacing({}, { a: 1 })),
      aResource('aws_x.c', { actions: ['forget'], before: {}, after: null }),
      gone('aws_x.d'),
    ]);
    const all = destroyedBy(plan, strict);
    expect(all).toEqual(['aws_x.a', 'aws_x.a (deposed abcd)', 'aws_x.b', 'aws_x.c', 'aws_x.d']);
    expect(guard(plan, { ...strict, mayDestroy: all })).toEqual([]);
    expect(destroyedBy(plan, { ...strict, mayDestroy: ['aws_x.a', 'aws_x.c'] })).toEqual([
      'aws_x.a (deposed abcd)',
      'aws_x.b',
      'aws_x.d',
    ]);
    expect(destroyedBy(plan, { ...strict, mayDestroy: ['aws_x.*'] })).toEqual(all);
  });

  test('is for the object as the state has it, whatever a moved block calls it before it is deleted', () => {
    const moved = gone('aws_x.scratch', { previous_address: 'aws_x.main' });
    const failed = normalise(aPlan([aResource('aws_x.scratch', creating({}))]));
    const createdMain = normalise(aPlan([aResource('aws_x.main', creating({}))]));
    expect(refused(moved, { allowDestroy: ['aws_x.scratch'] })).toEqual(['aws_x.main']);
    expect(refused(moved, { failed })).toEqual(['aws_x.main']);
    expect(refused(moved, { mayDestroy: ['aws_x.scratch'] })).toEqual(['aws_x.main']);
    expect(refused(moved, { failed: createdMain })).toEqual([]);
    expect(refused(moved, { allowDestroy: ['aws_x.main'] })).toEqual([]);
  });

  test('is the same for a replacement that creates before it destroys', () => {
    const replaced = aResource('aws_x.a', { ...replacing({}, { a: 1 }), actions: ['create', 'delete'] });
    expect(refused(replaced, {})).toEqual(['aws_x.a']);
    expect(refused(replaced, { allowDestroy: ['aws_x.a'] })).toEqual([]);
  });
});
