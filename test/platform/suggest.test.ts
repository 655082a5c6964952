import { expect, test } from '@jest/globals';
import { closest } from '../../src/platform/suggest.ts';

const fields = ['taskDefinition', 'repository', 'dependsOn', 'url'];

test.each([
  ['taskDefintion', 'taskDefinition'],
  ['taskdefinition', 'taskDefinition'],
  ['dependOn', 'dependsOn'],
  ['rul', 'url'],
])('%s is taken for %s', (given, meant) => {
  expect(closest(given, fields)).toBe(meant);
});

test.each(['image', 'x', ''])('"%s" is not like any of them', (given) => {
  expect(closest(given, fields)).toBeUndefined();
});
