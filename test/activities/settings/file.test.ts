import { describe, expect, test } from '@jest/globals';
import { parseSettings } from '../../../src/activities/settings/file.ts';

const parse = (value: unknown) => parseSettings(JSON.stringify(value), 'settings.json');

test('settings are sorted by key and keep their values to the letter', () => {
  expect(parse({ b: ' x\n', A: '${not:ours}' })).toEqual([
    { key: 'A', value: '${not:ours}' },
    { key: 'b', value: ' x\n' },
  ]);
});

test('an empty file has none', () => {
  expect(parse({})).toEqual([]);
});

test('all problems are told at once, without values', () => {
  const call = () =>
    parse({ '1ST': 'a', PORT: 8080, NOTHING: null, LIST: ['x'], DB_PASSWORD: 'hunter2', EMPTY: '' });
  expect(call).toThrow(
    expect.objectContaining({
      type: 'InvalidSettings',
      nonRetryable: true,
      message: expect.not.stringContaining('hunter2'),
    }),
  );
  for (const told of [
    '"1ST"',
    'PORT: found a number',
    'NOTHING: found null',
    'LIST: found a list',
    'the key DB_PASSWORD',
    'EMPTY: found an empty text',
  ]) {
    expect(call).toThrow(told);
  }
});

describe('a key that looks like a secret', () => {
  test.each(['DB_PASSWORD', 'CLIENT_SECRET', 'GITHUB_TOKEN', 'OPENAI_API_KEY', 'TLS_PRIVATE_KEY', 'apiKey'])(
    '%s is refused, with the remedy',
    (key) => {
      expect(() => parse({ [key]: 'x' })).toThrow(`found the key ${key}, which looks like a secret's`);
      expect(() => parse({ [key]: 'x' })).toThrow('Put it in Secrets Manager');
    },
  );

  test.each(['MAX_OUTPUT_TOKENS', 'TOKEN_LIMIT', 'SECRET_ARN', 'MODEL'])('%s does not', (key) => {
    expect(parse({ [key]: 'x' })).toHaveLength(1);
  });
});

describe('a value that SSM refuses is told before anything is written:', () => {
  test.each([
    ['too long', 'ä'.repeat(2049), 'found 4098 bytes; allowed: 4096'],
    ['a reference', 'a {{ssm:name}}', 'found {{...}}'],
  ])('%s', (_name, value, told) => {
    expect(() => parse({ KEY: value })).toThrow(told);
  });

  test('the longest is fine', () => {
    expect(parse({ KEY: 'x'.repeat(4096) })).toHaveLength(1);
  });
});

test.each([
  ['{"A": ', 'settings.json is not valid: found no JSON: '],
  ['["A"]', 'found no JSON object; allowed: {"KEY": "value", ...}'],
  ['null', 'found no JSON object'],
])('%s is not a settings file', (text, told) => {
  expect(() => parseSettings(text, 'settings.json')).toThrow(told);
});
