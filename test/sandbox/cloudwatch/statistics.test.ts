import { expect, test } from '@jest/globals';
import { addValue, emptyDistribution } from '../../../sandbox/cloudwatch/distribution.ts';
import type { Distribution } from '../../../sandbox/cloudwatch/distribution.ts';
import { parseStatistic } from '../../../sandbox/cloudwatch/statistics.ts';

function of(...values: number[]): Distribution {
  const distribution = emptyDistribution();
  for (const value of values) addValue(distribution, value);
  return distribution;
}

const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

test.each([
  ['Sum', 5050],
  ['SampleCount', 100],
  ['Average', 50.5],
  ['Minimum', 1],
  ['Maximum', 100],
  ['p0', 1],
  ['p50', 50.5],
  ['p99', 99.01],
  ['p99.9', 99.901],
  ['p100', 100],
  ['PR(:50)', 50],
  ['PR(50:)', 50],
  ['PR(10:20)', 10],
  ['PR(:0.5)', 0],
  ['TC(10:20)', 10],
  ['TS(98:)', 199],
  ['TM(98:)', 99.5],
])('%s of 1 to 100 is %d', (name, expected) => {
  // The parts of a period are taken together, in whatever order.
  const parts = [of(...hundred.slice(60)), of(...hundred.slice(0, 60))];
  expect(parseStatistic(name)?.(parts)).toBeCloseTo(expected, 9);
});

test('a range leaves its lower bound out and takes its upper bound in', () => {
  const latencies = [of(0.1, 0.5, 0.5, 0.50001)];
  expect(parseStatistic('PR(:0.5)')?.(latencies)).toBe(75);
  expect(parseStatistic('PR(0.5:)')?.(latencies)).toBe(25);
});

test.each(['sum', 'p101', 'p', 'PR', 'PR(:)', 'PR(a:b)', 'PR(10%:90%)', 'TM', 'IQM', 'constructor'])(
  '%s is no statistic here',
  (name) => {
    expect(parseStatistic(name)).toBeUndefined();
  },
);

test('ten thousand different values keep their count, and their percentiles to 0.5 %', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => 0.001 + i / 7919);
  const distribution = of(...values);
  expect(distribution.values.length).toBeLessThan(2049);
  expect(parseStatistic('SampleCount')?.([distribution])).toBe(10_000);
  const p90 = parseStatistic('p90')?.([distribution]) ?? 0;
  const exact = values[Math.floor(9999 * 0.9)] ?? 0;
  expect(Math.abs(p90 - exact) / exact).toBeLessThan(0.005);
});
