import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { canonicalJson, digestOf } from '../../src/domain/digest.ts';

describe('canonicalJson', () => {
  test('sorts keys at every depth and keeps the order of arrays', () => {
    expect(canonicalJson({ b: [{ z: 1, a: 2 }, 1], a: null })).toBe('{"a":null,"b":[{"a":2,"z":1},1]}');
  });

  test('sorts by code unit, not by locale', () => {
    expect(canonicalJson({ ä: 1, a: 2, Z: 3, '10': 4, '9': 5 })).toBe('{"10":4,"9":5,"Z":3,"a":2,"ä":1}');
  });

  test('leaves out members that are undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test('escapes as JSON does', () => {
    expect(canonicalJson({ 'a"b': 'line\nbreak \u2028' })).toBe(`{"a\\"b":"line\\nbreak \u2028"}`);
  });

  test('takes objects of another realm, as a workflow isolate has them', () => {
    expect(canonicalJson(runInNewContext('({ b: [1], a: {} })'))).toBe('{"a":{},"b":[1]}');
  });

  test.each([
    ['an undefined in an array', { list: [1, undefined] }, '$.list[1]'],
    ['a hole in an array', { list: new Array(1) }, '$.list[0]'],
    ['NaN', { n: Number.NaN }, '$.n'],
    ['infinity', { n: Infinity }, '$.n'],
    ['a bigint', { n: 1n }, '$.n'],
    ['a function', { f: () => 1 }, '$.f'],
    ['a Date', { at: new Date(0) }, '$.at'],
    ['a Map', { m: new Map() }, '$.m'],
    ['undefined itself', undefined, '$'],
  ])('refuses %s and says where', (_name, value, where) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson(value)).toThrow(where);
  });
});

describe('digestOf', () => {
  test('is the SHA-256 of the canonical JSON', () => {
    const expected = createHash('sha256').update('{"a":"é","b":1}').digest('hex');
    expect(digestOf({ b: 1, a: 'é' })).toBe(`sha256:${expected}`);
  });

  test('is the same whatever the order of the keys, and another for another value', () => {
    expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOf({ b: { d: 3, c: 2 }, a: 1 }));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: '1' }));
  });
});
