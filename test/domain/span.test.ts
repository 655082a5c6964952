import { expect, test } from '@jest/globals';
import { span } from '../../src/domain/span.ts';

test.each([
  [0, '0 s'],
  [45, '45 s'],
  [59.7, '1 min'],
  [723, '12 min 3 s'],
  [3600, '1 h'],
  [3605, '1 h'],
  [11_100, '3 h 5 min'],
  [1_209_600, '14 d'],
  [698_400, '8 d 2 h'],
])('%d seconds are %s', (seconds, said) => {
  expect(span(seconds)).toBe(said);
});
