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

test('masks what was sensitive until now, and is not by the plan', () => {
  const change = updating(
    { p: 'old-password', m: { 'key-one': 1 } },
    { p: 'new-password', m: { 'key-two': 'plain' } },
    { before_sensitive: { p: true, m: true } },
  );
  expect(
    render(aPlan([aResource('aws_x.a', change)]))
      .split('\n')
      .slice(1),
  ).toEqual(['~ aws_x.a: update', '    m: (sensitive, changed)', '    p: (sensitive, changed)']);
});

test('masks the values of sensitive variables wherever they turn up', () => {
  const plan = aPlan([aResource('aws_x.a', creating({ user_data: 'export X=top-secret-value' }))], {
    variables: { x: { value: 'top-secret-value' } },
    configuration: { root_module: { variables: { x: { sensitive: true } } } },
  });
  expect(render(plan)).not.toContain('top-secret-value');
});

test('shows where two long values begin to differ', () => {
  const json = (cpu: number) => JSON.stringify({ image: 'x'.repeat(200), cpu, memory: 'y'.repeat(200) });
  const text = render(aPlan([aResource('aws_x.a', updating({ c: json(256) }, { c: json(512) }))]));
  expect(text).toMatch(/c: \.\.\.x+.*cpu.*256.* -> \.\.\.x+.*cpu.*512/);
  expect(text.length).toBeLessThan(400);
});

test('says what forces a replacement, where an object was moved from, and the id that is imported', () => {
  const text = render(
    aPlan([
      aResource('aws_x.a', {
        ...replacing({ zone: 'a', net: [{ id: 1 }], n: 1 }, { zone: 'b', net: [{ id: 2 }], n: 2 }),
        replace_paths: [['zone'], ['net', 0]],
      }),
      aResource('aws_x.m', { actions: ['no-op'], before: {}, after: {} }, { previous_address: 'aws_x.old' }),
      aResource('aws_x.i', { ...updating({ a: 1 }, { a: 2 }), importing: { id: 'i-1' } }),
    ]),
  );
  expect(text.split('\n')).toEqual([
    '0 to create, 1 to update, 1 to replace, 0 to delete.',
    '-/+ aws_x.a: delete, create',
    '    n: 1 -> 2',
    '    net[0].id: 1 -> 2 (forces replacement)',
    '    zone: "a" -> "b" (forces replacement)',
    '~ aws_x.i: import, update (id i-1)',
    '    a: 1 -> 2',
    '> aws_x.m: move (from aws_x.old)',
  ]);
});

test('shows an action that is invoked with what triggers it', () => {
  const invocation = {
    address: 'action.aws_lambda_invoke.purge',
    config_values: { function_name: 'purge', payload: 'top-secret' },
    config_sensitive: { payload: true },
    lifecycle_action_trigger: {
      triggering_resource_address: 'aws_x.a',
      action_trigger_event: 'AfterUpdate',
      action_trigger_block_index: 0,
      actions_list_index: 1,
    },
  };
  expect(
    render(aPlan([], { action_invocations: [invocation] }))
      .split('\n')
      .slice(1),
  ).toEqual([
    '> action.aws_lambda_invoke.purge (AfterUpdate of aws_x.a, 0.1): invoke',
    '    function_name: "purge"',
    '    payload: (sensitive, changed)',
  ]);
});

test('a check that fails is shown as what it is, a warning', () => {
  const checks = [
    { address: { kind: 'check', to_display: 'check.fine' }, status: 'pass' },
    {
      address: { kind: 'check', to_display: 'check.up' },
      status: 'fail',
      instances: [{ problems: [{ message: 'It is\ndown: known-secret.' }] }],
    },
  ];
  expect(render(aPlan([], { checks }), new Set(['known-secret'])).split('\n')).toEqual([
    '0 to create, 0 to update, 0 to replace, 0 to delete.',
    String.raw`check.up fails, which only warns: It is\u{a}down: (sensitive).`,
  ]);
});

test('masks what the caller knows to be secret', () => {
  const known = new Set(['from-a-parameter']);
  const plan = aPlan(
    [aResource('aws_x.a["from-a-parameter"]', creating({ url: 'http://u:from-a-parameter@h', n: 'web' }))],
    { resource_drift: [aResource('aws_x.b', updating({ t: {} }, { t: { 'from-a-parameter': 1 } }))] },
  );
  expect(render(plan, known)).not.toContain('from-a-parameter');
  expect(render(plan, known)).toContain('aws_x.a["(sensitive)"]: create');
  expect(render(plan, known)).toContain('n: "web"');
});

test.each([
  ['a colour', '\u001b[31mred', String.raw`\u001b[31mred`],
  ['a line', 'a\nb', String.raw`a\nb`],
  ['an old Mac line', 'a\rb', String.raw`a\rb`],
  ['a C1 control', 'a\u009bb', String.raw`a\u{9b}b`],
  ['text that runs the other way', 'a\u202eb', String.raw`a\u{202e}b`],
  ['a line separator', 'a\u2028b', String.raw`a\u{2028}b`],
  ['an annotation', 'a\ufff9b', String.raw`a\u{fff9}b`],
  ['an invisible letter', 'a\u200b\u{e0041}b', String.raw`a\u{200b}\u{e0041}b`],
])('writes out %s in a value', (_name, value, shown) => {
  expect(render(aPlan([aResource('aws_x.a', creating({ v: value }))]))).toContain(`v: "${shown}"`);
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
