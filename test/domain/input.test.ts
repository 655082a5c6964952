import { describe, expect, test } from '@jest/globals';
import * as read from '../../src/domain/input.ts';
import { describeProblems, parseObject } from '../../src/domain/input.ts';

interface Thing {
  readonly name: string;
  readonly note?: string;
}
const FIELDS = { name: read.text(10), note: read.optional(read.text(10)) } as read.Fields<Thing>;
const parse = (input: unknown) => parseObject<Thing>('thing', FIELDS, input);

describe('parseObject', () => {
  test('takes the fields it knows, and leaves out those that are not there', () => {
    expect(parse({ name: ' a ', note: null })).toEqual({ kind: 'ok', value: { name: 'a' } });
    expect(parse({ name: 'a', note: 'b' })).toEqual({ kind: 'ok', value: { name: 'a', note: 'b' } });
  });

  test.each([[undefined], [null], [[]], [['a']], ['text'], [7], [true]])(
    'refuses %j and says which fields there are',
    (input) => {
      const parsed = parse(input);
      expect(parsed).toMatchObject({ kind: 'invalid', problems: [{ field: 'thing' }] });
      expect(parsed.kind === 'invalid' && parsed.problems[0]?.allowed).toBe('an object with name, note');
    },
  );

  test('reports every problem, not the first, unknown fields among them', () => {
    const parsed = parse({ name: '', note: 'x'.repeat(11), Name: 1 });
    expect(parsed.kind === 'invalid' && parsed.problems.map(({ field }) => field)).toEqual([
      'name',
      'note',
      'Name',
    ]);
  });

  test('takes nothing from a prototype and changes none', () => {
    for (const text of ['{"__proto__": {"name": "a"}}', '{"constructor": {"prototype": {"name": "a"}}}']) {
      expect(parse(JSON.parse(text)).kind).toBe('invalid');
    }
    expect(parse(Object.create({ name: 'inherited' })).kind).toBe('invalid');
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });

  test('tells of a flood of unknown fields in few words', () => {
    const flood = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field${i}`, 'x'.repeat(50)]));
    const parsed = parse({ name: 'a', ...flood });
    if (parsed.kind === 'ok') throw new Error('it was taken');
    const line = describeProblems(parsed.problems);
    expect(line.length).toBeLessThan(4000);
    expect(line).toContain('19990 more');
  });

  test('tells of a field whose name is huge in few words', () => {
    const parsed = parse({ name: 'a', ['x'.repeat(1_000_000)]: 1 });
    expect(JSON.stringify(parsed).length).toBeLessThan(500);
  });

  test('shortens what was found', () => {
    const parsed = parse({ name: 'y'.repeat(1_000_000) });
    expect(parsed.kind === 'invalid' && parsed.problems[0]?.found.length).toBe(80);
  });
});

describe('text', () => {
  const accepts = (field: read.Field<unknown>, value: unknown) => field(value).ok;

  test('is of 1 to so many characters, on one line unless lines are allowed', () => {
    expect(accepts(read.text(3), 'abc')).toBe(true);
    expect(accepts(read.text(3), 'abcd')).toBe(false);
    expect(accepts(read.text(3), '')).toBe(false);
    expect(accepts(read.text(3), ' \t ')).toBe(false);
    for (const lines of ['a\nb', 'a\rb', 'a\u2028b']) {
      expect(accepts(read.text(3), lines)).toBe(false);
      expect(accepts(read.text(3, { lines: true }), lines)).toBe(true);
    }
  });

  test('holds no control characters: they would rewrite what a terminal shows', () => {
    for (const text of ['a\u0000', '\u001b[2Jb', 'a\u0007', 'a\u009bb']) {
      expect(accepts(read.text(9), text)).toBe(false);
      expect(accepts(read.text(9, { lines: true }), text)).toBe(false);
    }
    expect(accepts(read.text(9, { lines: true }), 'a\tb\r\nc')).toBe(true);
  });
});

describe('a version', () => {
  test.each(['1.4.0', '0.0.0', '1.4.0-rc.1', '10.20.30-alpha-x.7'])('may be %s', (value) => {
    expect(read.version(value)).toEqual({ ok: true, value });
  });
  test.each([
    ...['v1.4.0', '1.4', '1', '', ' 1.4.0', '1.4.0 ', '01.4.0', '1.4.0+build', '1.4.0-', 'latest', '1.4.0\n'],
    ...[`1.4.0-${'a'.repeat(100)}`, `1.4.${'9'.repeat(40)}`, null, 140, ['1.4.0'], { version: '1.4.0' }],
  ])('may not be %j', (value) => {
    expect(read.version(value).ok).toBe(false);
  });
});

describe('a commit', () => {
  test('is a full hash in lower case', () => {
    for (const length of [40, 64]) expect(read.commit('a'.repeat(length)).ok).toBe(true);
    for (const length of [0, 7, 39, 41, 63, 65]) expect(read.commit('a'.repeat(length)).ok).toBe(false);
    for (const value of ['A'.repeat(40), 'g'.repeat(40), `${'a'.repeat(40)}\n`, 7, null]) {
      expect(read.commit(value).ok).toBe(false);
    }
  });
});

test("an environment's name is a word that can stand in ids, tags and paths", () => {
  for (const name of ['production', 'eu-west-1', 'a']) expect(read.environmentName(name).ok).toBe(true);
  for (const name of ['', 'Prod', '1a', '-a', 'a_b', 'a/b', '../a', 'a.b', 'a'.repeat(32), 'a\n', null, 1]) {
    expect(read.environmentName(name).ok).toBe(false);
  }
});

test('one of a list is compared exactly', () => {
  const field = read.oneOf(['retry', 'continue']);
  expect(field('retry')).toEqual({ ok: true, value: 'retry' });
  for (const value of ['Retry', '', null, ['retry'], 'toString', '__proto__'])
    expect(field(value).ok).toBe(false);
});

test('yes or no is no text', () => {
  expect(read.yesOrNo(false)).toEqual({ ok: true, value: false });
  for (const value of ['true', 1, 0, null, undefined]) expect(read.yesOrNo(value).ok).toBe(false);
});
