import { expect, test } from '@jest/globals';
import { render } from '../../../src/domain/terraform/render.ts';
import { aPlan, aResource, creating, deleting, replacing, updating } from './support.ts';

test('shows what changes, from what to what, the most dangerous first', () => {
  const plan = aPlan(
    [
      aResource('aws_x.new', creating({ size: 1 }, { after_unknown: { id: true } })),
      aResource('aws_x.changed', updating({ size: 1, name: 'a' }, { size: 2, name: 'a' })),
      aResource('aws_x.replaced', replacing({ zone: 'a' }, { zone: 'b' })),
      aResource('aws_x.gone', deleting({ size: 1 })),
    ],
    { output_changes: { url: { actions: ['update'], before: 'http://a', after: 'http://b' } } },
  );
  expect(render(plan).split('\n')).toEqual([
    '1 to create, 1 to update, 1 to replace, 1 to delete.',
    '- aws_x.gone: delete',
    '-/+ aws_x.replaced: delete, create',
    '    zone: "a" -> "b"',
    '~ aws_x.changed: update',
    '    size: 1 -> 2',
    '+ aws_x.new: create',
    '    size: 1',
    '> output.url: update',
    '    value: "http://a" -> "http://b"',
  ]);
});

test('masks what is sensitive, by its mark, by its value and by its name', () => {
  const change = creating(
    { p: 'hunter2-hunter2', copy: 'postgres://u:hunter2-hunter2@db', api_token: 'plain-value', name: 'web' },
    { after_sensitive: { p: true } },
  );
  const text = render(aPlan([aResource('aws_x.a', change)]));
  expect(text).not.toMatch(/hunter2|plain-value/);
  expect(text).toContain('name: "web"');
  expect(text).toContain('p: (sensitive, changed)');
});

test('masks the values of sensitive variables wherever they turn up', () => {
  const plan = aPlan([aResource('aws_x.a', creating({ user_data: 'export X=top-secret-value' }))], {
    variables: { x: { value: 'top-secret-value' } },
    configuration: { root_module: { variables: { x: { sensitive: true } } } },
  });
  expect(render(plan)).not.toContain('top-secret-value');
});

test('mentions what changed outside of Terraform', () => {
  const drift = [aResource('aws_x.drifted', updating({ a: 1 }, { a: 2 }))];
  expect(render(aPlan([], { resource_drift: drift }))).toContain('aws_x.drifted');
});

test('is at most 4 KB, and says how much is left out', () => {
  const many = Array.from({ length: 500 }, (_, i) =>
    aResource(`aws_x.é${i}`, creating({ text: 'é'.repeat(500) })),
  );
  const text = render(aPlan(many));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
  expect(text).toMatch(/\n\.\.\. and \d+ more$/);
  const one = aResource('aws_x.wide', creating(Object.fromEntries(many.map((_, i) => [`attribute${i}`, i]))));
  expect(Buffer.byteLength(render(aPlan([one])))).toBeLessThanOrEqual(4096);
});
