import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Point, SampleWindow } from '../../domain/metrics.ts';
import type { TargetClients } from '../aws.ts';
import { chunks } from '../ecs/batch.ts';

/** One metric, as CloudWatch names it. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly statistic: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The points of one of the metrics that were asked for; none where CloudWatch has none. */
export type Points = (metric: Metric) => readonly Point[];

/** Queries of one GetMetricData (its API's limit). */
const QUERIES = 500;

/** Reads all `metrics` with one request, or as few as CloudWatch's limit lets it be; what is wanted twice is asked for once. */
export async function readMetrics(
  { cloudwatch }: Pick<TargetClients, 'cloudwatch'>,
  metrics: readonly Metric[],
  { start, end, period }: SampleWindow,
): Promise<Points> {
  const found = new Map<string, Point[]>();
  const points: Points = (metric) => found.get(keyOf(metric)) ?? [];
  // No whole period has begun yet: there is nothing to ask for.
  if (start >= end) return points;
  const wanted = [...new Map(metrics.map((metric) => [keyOf(metric), metric]))];
  for (const some of chunks(wanted, QUERIES)) {
    const MetricDataQueries = some.map(([, metric], i) => queryOf(`m${i}`, metric, period));
    const input = { MetricDataQueries, StartTime: start, EndTime: end };
    for await (const page of paginateGetMetricData({ client: cloudwatch }, input)) {
      for (const { Id = '', Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
        const key = some[Number(Id.slice(1))]?.[0] ?? '';
        const more = Timestamps.map((at, i) => ({ at: at.getTime(), value: Values[i] ?? 0 }));
        found.set(key, [...(found.get(key) ?? []), ...more]);
      }
    }
  }
  return points;
}

function keyOf({ namespace, name, statistic, dimensions }: Metric): string {
  return JSON.stringify([namespace, name, statistic, Object.entries(dimensions)]);
}

function queryOf(
  Id: string,
  { namespace, name, statistic, dimensions }: Metric,
  period: number,
): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: name, Dimensions };
  return { Id, MetricStat: { Metric, Period: period, Stat: statistic } };
}
