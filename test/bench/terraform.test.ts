import { expect, test } from '@jest/globals';
import { median } from '../../bench/terraform/median.ts';
import { tell } from '../../bench/terraform/tell.ts';
import type { TerraformResult } from '../../bench/terraform/terraform.ts';
import type { BareTrial } from '../terraform/kill-matrix/bare.ts';
import { isRight } from '../terraform/kill-matrix/trial.ts';
import type { Trial } from '../terraform/kill-matrix/trial.ts';

const WHOLE = { duplicates: [], missing: [], unknown: [], locked: false };
const COUNTS = { create: 10, update: 0, replace: 0, delete: 0 };

function aTrial(more: Partial<Trial> = {}): Trial {
  return {
    victim: 'worker',
    point: { kind: 'began', count: 1 },
    ended: 'completed',
    orphans: [],
    unnamed: [],
    releasedBy: 'nobody had to',
    world: WHOLE,
    leftovers: [],
    applied: { outputs: { done: 'yes' }, changed: true, counts: COUNTS },
    retried: undefined,
    seconds: 1,
    ...more,
  };
}

function aResult(trials: readonly Trial[], bare: readonly BareTrial[] = []): TerraformResult {
  const milliseconds = { Slipway: 1200, 'same commands': 1000, 'fewest commands': 500 };
  const all = { Slipway: [], 'same commands': [], 'fewest commands': [] };
  return {
    bench: 'terraform',
    overhead: [{ configuration: 'small', resources: 3, runs: 5, milliseconds, all }],
    matrix: { points: 1, trials: trials.map((trial) => ({ ...trial, right: isRight(trial) })), bare },
  };
}

test('the median of an even number is between the two in the middle', () => {
  expect(median([9, 1, 2, 4])).toBe(3);
  expect(median([5, 1, 9])).toBe(5);
});

test.each<[string, Partial<Trial>]>([
  ['an object that is there twice', { world: { ...WHOLE, duplicates: ['o1'] } }],
  ['an object that is not there', { world: { ...WHOLE, missing: ['o1'] } }],
  ['an object that the state does not know', { world: { ...WHOLE, unknown: ['o1'] } }],
  ['a state that is locked', { world: { ...WHOLE, locked: true } }],
  ['an object that no question named', { ended: 'asked', unnamed: ['o1'] }],
  ['a file that is left', { leftovers: ['apply/stdout'] }],
  ['a failure that asks nothing', { ended: 'TerraformFailed: it failed' }],
  ['a result that is not the whole', { applied: { outputs: {}, changed: true, counts: COUNTS } }],
])('%s is not right', (_, wrong) => {
  expect(isRight(aTrial())).toBe(true);
  expect(isRight(aTrial(wrong))).toBe(false);
});

test('what is not right is told with all that is known of it', () => {
  const text = tell(aResult([aTrial({ leftovers: ['apply/stdout'] })]));
  expect(text).toContain('| the worker | 0 of 1 | 1 | 0 | 0 | 0 | 0 / 0 |');
  expect(text).toMatch(/- not right: .*apply\/stdout/);
});

test('the cost is told over the same commands and over the fewest, and judged by the goal', () => {
  const text = tell(aResult([aTrial()]));
  expect(text).toContain('| small | 1200 ms | 1000 ms | +200 ms (20 %) | 500 ms | +700 ms (140 %) |');
  expect(text).toContain('within 300 ms, not within 15 %');
});

test('what bare terraform leaves is counted', () => {
  const world = { ...WHOLE, duplicates: ['o1', 'o2'] };
  const bare: BareTrial = {
    victim: 'reader',
    point: { kind: 'began', count: 1 },
    completed: false,
    lockLeft: true,
    orphans: ['o1', 'o2'],
    world,
  };
  expect(tell(aResult([aTrial()], [bare]))).toContain('| the reader | 0 of 1 | 1 | 2 | 2 | 1 |');
});
