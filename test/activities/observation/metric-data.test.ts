import type { GetMetricDataInput } from '@aws-sdk/client-cloudwatch';
import { expect, test } from '@jest/globals';
import { readMetrics } from '../../../src/activities/observation/metric-data.ts';
import type { Metric } from '../../../src/activities/observation/metric-data.ts';
import { aCloud } from '../canary/aCloud.ts';

const start = new Date('2026-01-01T10:00:00Z');
const window = { start, end: new Date('2026-01-01T10:05:00Z'), period: 60 };
const requests = (group: string): Metric => ({
  namespace: 'AWS/ApplicationELB',
  name: 'RequestCount',
  statistic: 'Sum',
  dimensions: { TargetGroup: `targetgroup/${group}/1`, LoadBalancer: 'app/shared/1' },
});

/** A CloudWatch in which group number n has had n requests. */
function read(metrics: readonly Metric[], change: Partial<typeof window> = {}) {
  const names = Array.from({ length: 1_200 }, (_, n) => [`RequestCount g${n}`, [n]] as const);
  const { aws, asked } = aCloud({
    deployments: [],
    revisions: [],
    stopped: [],
    metrics: Object.fromEntries(names),
    metricsFrom: start,
  });
  const clients = aws.clientsFor({ region: 'eu-west-1' });
  const queries = () =>
    asked.map(({ input }) => (input as GetMetricDataInput).MetricDataQueries?.length ?? 0);
  return { points: readMetrics(clients, metrics, { ...window, ...change }), queries };
}

test('more metrics than one request may hold are read by several, and none is mixed up', async () => {
  const metrics = Array.from({ length: 1_200 }, (_, n) => requests(`g${n}`));
  const { points, queries } = read(metrics);
  const found = await points;
  expect(queries()).toEqual([500, 500, 200]);
  expect(metrics.map((metric) => found(metric)[0])).toEqual(
    metrics.map((_, value) => ({ at: start.getTime(), value })),
  );
});

test('what is wanted twice is asked for once, and what CloudWatch does not have has no points', async () => {
  const { points, queries } = read([requests('g7'), requests('g7'), requests('none')]);
  const found = await points;
  expect(queries()).toEqual([2]);
  expect(found(requests('g7'))).toEqual([{ at: start.getTime(), value: 7 }]);
  expect(found(requests('none'))).toEqual([]);
});

test('before the first whole period has begun nothing is asked', async () => {
  const { points, queries } = read([requests('g7')], { end: start });
  expect((await points)(requests('g7'))).toEqual([]);
  expect(queries()).toEqual([]);
});
