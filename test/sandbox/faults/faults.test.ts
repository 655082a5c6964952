import { expect, test } from '@jest/globals';
import { Faults } from '../../../sandbox/faults/faults.ts';
import { isAboutCalls } from '../../../sandbox/faults/rule.ts';
import { matches } from '../../../sandbox/faults/match.ts';

const hits = (faults: Faults, calls: number): string[] =>
  Array.from({ length: calls }, () => faults.strike(isAboutCalls)?.rule.fault ?? '-');

test('a rule lets as many pass as it says, strikes as often as it says, and then lets all pass', () => {
  const faults = new Faults();
  faults.add({ fault: 'throttle', skip: 2, times: 2 }, 'a');
  expect(hits(faults, 6)).toEqual(['-', '-', 'throttle', 'throttle', '-', '-']);
  expect(faults.get('a')).toEqual({
    id: 'a',
    fault: 'throttle',
    skip: 2,
    times: 2,
    matched: 6,
    struck: 2,
  });
});

test('a rule that strikes keeps the next one from counting', () => {
  const faults = new Faults();
  faults.add({ fault: 'throttle', skip: 0, times: 1 }, 'a');
  faults.add({ fault: 'hang', skip: 1 }, 'b');
  expect(hits(faults, 3)).toEqual(['throttle', '-', 'hang']);
  expect(faults.get('b')).toMatchObject({ matched: 2, struck: 1 });
});

test('a rule put under a known id replaces it and begins anew', () => {
  const faults = new Faults();
  faults.add({ fault: 'throttle', skip: 0 }, 'a');
  hits(faults, 1);
  faults.add({ fault: 'hang', skip: 0 }, 'a');
  expect(faults.list()).toMatchObject([{ id: 'a', fault: 'hang', matched: 0, struck: 0 }]);
});

test('what waits for a rule’s end learns of it, one by one and all at once', () => {
  const faults = new Faults();
  faults.add({ fault: 'throttle', skip: 0, times: 1 }, 'a');
  faults.add({ fault: 'hang', skip: 0 }, 'b');
  const [first, second] = [faults.strike(isAboutCalls), faults.strike(isAboutCalls)];
  expect(faults.delete('a')).toBe(true);
  expect(faults.delete('a')).toBe(false);
  expect([first?.deleted.aborted, second?.deleted.aborted]).toEqual([true, false]);
  faults.clear();
  expect(second?.deleted.aborted).toBe(true);
  expect(faults.list()).toEqual([]);
});

test.each([
  [{}, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, true],
  [{ a: 1 }, { a: '1' }, false],
  [{ a: 1 }, {}, false],
  [{ a: { b: [2] } }, { a: { b: [1, 2], c: 3 } }, true],
  [{ a: [3] }, { a: [1, 2] }, false],
  [{ a: [{ name: 'x' }] }, { a: [{ name: 'x', value: 'y' }] }, true],
  [{ service: 'web' }, { service: 'arn:aws:ecs:eu-west-1:000000000000:service/c/web' }, true],
  [{ service: 'eb' }, { service: 'arn:aws:ecs:eu-west-1:000000000000:service/c/web' }, false],
  [{ Name: 'web' }, { Name: '/app/web' }, false],
  [{ Name: '/app/*' }, { Name: '/app/web' }, true],
  [{ Name: '/app/*' }, { Name: '/my/app/web' }, false],
  [{ arn: '*/web/*' }, { arn: 'arn:aws:ecs:eu-west-1:000000000000:service-deployment/c/web/a1' }, true],
  [{ arn: '*/eb/*' }, { arn: 'arn:aws:ecs:eu-west-1:000000000000:service-deployment/c/web/a1' }, false],
  [{ Value: 'a.c' }, { Value: 'abc' }, false],
])('%j against %j: %s', (wanted, found, outcome) => {
  expect(matches(wanted, found)).toBe(outcome);
});
