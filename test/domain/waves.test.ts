import { describe, expect, test } from '@jest/globals';
import { waves } from '../../src/domain/waves.ts';
import type { Dependent } from '../../src/domain/waves.ts';

const aService = (name: string, ...dependsOn: string[]): Dependent => ({ name, dependsOn });

function names(services: readonly Dependent[]): string[][] {
  const result = waves(services);
  if (result.kind === 'cyclic') throw new Error(`cycles: ${JSON.stringify(result.cycles)}`);
  return result.waves.map((wave) => wave.map(({ name }) => name));
}

function cycles(services: readonly Dependent[]): readonly (readonly string[])[] {
  const result = waves(services);
  return result.kind === 'cyclic' ? result.cycles : [];
}

describe('waves', () => {
  test('what depends on nothing goes first, in the given order', () => {
    expect(names([aService('b'), aService('a')])).toEqual([['b', 'a']]);
  });

  test('a service waits for the deepest of its dependencies', () => {
    const services = [
      aService('editor', 'suggestions', 'gateway'),
      aService('suggestions', 'gateway'),
      aService('gateway'),
    ];
    expect(names(services)).toEqual([['gateway'], ['suggestions'], ['editor']]);
  });

  test('services that need the same one go together', () => {
    expect(names([aService('a', 'c'), aService('b', 'c'), aService('c')])).toEqual([['c'], ['a', 'b']]);
  });

  test('a dependency that is not among them is none', () => {
    expect(names([aService('a', 'elsewhere')])).toEqual([['a']]);
  });

  test('no services make no waves', () => {
    expect(names([])).toEqual([]);
  });
});

describe('cycles', () => {
  test('a service that depends on itself is a cycle of one', () => {
    expect(cycles([aService('a', 'a')])).toEqual([['a']]);
  });

  test('only the members are named, not what merely depends on them', () => {
    const services = [
      aService('outside', 'a'),
      aService('a', 'b'),
      aService('b', 'c'),
      aService('c', 'a'),
      aService('free'),
    ];
    expect(cycles(services)).toEqual([['a', 'b', 'c']]);
  });

  test('all of them are named', () => {
    expect(cycles([aService('a', 'b'), aService('b', 'a'), aService('c', 'c')])).toEqual([['a', 'b'], ['c']]);
  });
});
