import type { ListMetricsInput } from '@aws-sdk/client-cloudwatch';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import type { SeriesStore } from './series.ts';

const PAGE = 500;
const RECENT_SECONDS = 3 * 3600;

export function listMetrics(series: SeriesStore, now: () => number): Operation<ListMetricsInput> {
  return ({ Namespace, MetricName, Dimensions = [], RecentlyActive, NextToken }) => {
    const since = RecentlyActive === undefined ? 0 : now() / 1000 - RECENT_SECONDS;
    const found = series
      .metrics(since)
      .filter(({ namespace }) => Namespace === undefined || namespace === Namespace)
      .filter(({ name }) => MetricName === undefined || name === MetricName)
      .filter(({ dimensions }) =>
        Dimensions.every(({ Name = '', Value }) =>
          Value === undefined ? dimensions[Name] !== undefined : dimensions[Name] === Value,
        ),
      );
    const { items, next } = pageOf(
      found,
      PAGE,
      NextToken,
      () => new AwsError('InvalidParameterValueException', 'The next token specified is invalid.'),
    );
    return {
      Metrics: items.map(({ namespace, name, dimensions }) => ({
        Namespace: namespace,
        MetricName: name,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      })),
      NextToken: next,
    };
  };
}
