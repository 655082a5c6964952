import { describe, expect, test } from '@jest/globals';
import { plain, redact } from '../../../src/activities/process/redact.ts';

const SECRET = 'p@ss "w/rd"+<1>';
const KEY = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
7VJTUt9Us8cKjMzEfYyjiWA4R4ypbHqG
-----END PRIVATE KEY-----
`;

describe('a secret is masked', () => {
  test.each([
    ['as it is', SECRET],
    ['as a URL has it', encodeURIComponent(SECRET)],
    ['as a form has it', new URLSearchParams({ x: SECRET }).toString().slice(2)],
    ['as JSON has it', JSON.stringify(SECRET).slice(1, -1)],
    ['as Go writes JSON', String.raw`p@ss \"w/rd\"+\u003c1\u003e`],
    ['as JSON within JSON has it', JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
    ['broken into lines', SECRET.replace(' ', '\n    ')],
    ['with colours in it', `p@ss \u001B[1m"w/rd"\u001B[0m+<1>`],
    ['in Base64', Buffer.from(SECRET).toString('base64').replace(/=+$/, '')],
    [
      'in Base64 for URLs',
      Buffer.from('???>>>~~~' + SECRET)
        .toString('base64url')
        .slice(12),
    ],
  ])('%s', (_form, text) => {
    const masked = redact(`before ${text} after`, [SECRET, '???>>>~~~']);
    expect(masked).toMatch(/^before \S{0,2}\*\*\*\S{0,3} after$/);
  });

  test.each(['', 'u', 'us', 'user', 'admin'])('in the Base64 of "%s:" and it', (user) => {
    const header = Buffer.from(`${user}:hunter2hunter2`).toString('base64');
    const masked = redact(`Authorization: Basic ${header}`, ['hunter2hunter2']);
    const left = Buffer.from(masked.split(' ')[2] ?? '', 'base64').toString('latin1');
    expect(masked).toContain('***');
    expect(left).not.toContain('unter');
  });

  test('of several lines: each line by itself', () => {
    const [, first = '', second = ''] = KEY.split('\n');
    expect(redact(`got ${second}, then ${first}`, [KEY])).toBe('got ***, then ***');
  });

  test('of several lines, indented as a whole: to its last character', () => {
    const key = `${KEY}AbC=`;
    expect(redact(`   | ${key.replaceAll('\n', '\n    ')}!`, [key])).toBe('   | ***!');
  });

  test('that is a JSON object: each text in it', () => {
    const secret = JSON.stringify({ user: 'app', keys: ['correct horse', { password: 'battery staple' }] });
    expect(redact('correct horse, battery staple, app', [secret])).toBe('***, ***, app');
  });

  test('whole where another is a part of it', () => {
    expect(redact('token-of-production', ['token', 'token-of-production'])).toBe('***');
  });

  test('when the collection grew since', () => {
    const secrets = new Set(['first-secret']);
    expect(redact('first-secret other-secret', secrets)).toBe('*** other-secret');
    secrets.add('other-secret');
    expect(redact('first-secret other-secret', secrets)).toBe('*** ***');
  });
});

test('what is too short to be told from a word stays', () => {
  expect(redact('it is on', ['on', 'is'])).toBe('it is on');
});

test('characters with a meaning in patterns are only themselves', () => {
  expect(redact('a.c abc (x|y) $& ^', ['(x|y)', '$& ^'])).toBe('a.c abc *** ***');
});

test('colours, control characters and reversed writing are taken out, lines and tabs are not', () => {
  const text = '\u001B[31mred\u001B[0m\tand\r\nmore\u0007\u0000 \u001B]0;title\u0007\u202Edesrever\u009B';
  expect(plain(text)).toBe('red\tand\nmore desrever');
});
