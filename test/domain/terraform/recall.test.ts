import { expect, test } from '@jest/globals';
import { beyondRecall } from '../../../src/domain/terraform/recall.ts';
import { aPlan, aResource, creating, deleting, normalise, replacing, updating } from './support.ts';

const linesOf = (...parameters: Parameters<typeof aPlan>) => beyondRecall(normalise(aPlan(...parameters)));

test('what was deleted, replaced, forgotten or invoked does not come back as it was', () => {
  const resources = [
    aResource('aws_x.deleted', deleting({})),
    aResource('aws_x.replaced', replacing({ a: 1 }, { a: 2 })),
    aResource('aws_x.forgotten', { actions: ['forget'], before: {}, after: null }),
    aResource('aws_x.swapped', { actions: ['create', 'forget'], before: {}, after: {} }),
  ];
  expect(linesOf(resources, { action_invocations: [{ address: 'action.aws_x.purge' }] })).toEqual([
    'action.aws_x.purge was invoked: what it did is not undone.',
    'aws_x.deleted was deleted: going back makes it anew, without what it held.',
    'aws_x.forgotten was forgotten: it is still there, Terraform no longer knows it, and going back makes another.',
    'aws_x.replaced was replaced: what the old object held is gone, and going back does not bring it back.',
    'aws_x.swapped was replaced and the old object forgotten: it is still there, and Terraform no longer knows it.',
  ]);
});

test('what was created or updated goes back, and a deposed object is missed by nobody', () => {
  const resources = [
    aResource('aws_x.created', creating({})),
    aResource('aws_x.updated', updating({ a: 1 }, { a: 2 })),
    aResource('aws_x.created', deleting({}), { deposed: 'abcd' }),
  ];
  expect(linesOf(resources)).toEqual([]);
});

test('of what is not listed the number is told', () => {
  const many = Array.from({ length: 500 }, (_, i) =>
    aResource(`aws_x.r${i}`, i % 2 === 0 ? deleting({}) : replacing({ a: 1 }, { a: 2 })),
  );
  const left = aResource('aws_x.left', deleting({}), { deposed: 'abcd' });
  const changeSet = normalise(aPlan([...many, left]));
  const lines = beyondRecall(changeSet);
  const listed = changeSet.changes.length;
  expect(listed).toBeGreaterThan(10);
  expect(lines).toHaveLength(listed);
  expect(lines.at(-1)).toBe(`${501 - listed} more objects were deleted, replaced or forgotten.`);
});
