import type {
  Dimension,
  GetMetricDataInput,
  MetricDataQuery,
  MetricDataResult,
  MetricStat,
} from '@aws-sdk/client-cloudwatch';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { alignDown, isPeriod, rangeOf } from './periods.ts';
import type { SeriesStore } from './series.ts';
import { parseStatistic } from './statistics.ts';

type GetInput = Given<GetMetricDataInput, 'MetricDataQueries' | 'StartTime' | 'EndTime'>;

const MAX_QUERIES = 500;
const MAX_POINTS = 100_800;

const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

interface Answered {
  readonly id: string;
  readonly label: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** GetMetricData. Points begin at whole periods; a period without values has no point. */
export function getMetricData(series: SeriesStore): Operation<GetInput> {
  return (input) => {
    const { MetricDataQueries: queries, ScanBy = 'TimestampDescending', MaxDatapoints = MAX_POINTS } = input;
    checkQueries(queries);
    const range = rangeOf(input, 'ValidationError');
    const answered = queries
      .map((query) => answer(series, query, range, ScanBy === 'TimestampDescending'))
      .filter((_, i) => queries[i]?.ReturnData !== false);
    const flat = answered.flatMap(({ points }, of) => points.map((point) => ({ of, point })));
    const { items, next } = pageOf(
      flat,
      MaxDatapoints,
      input.NextToken,
      () => new AwsError('InvalidNextToken', 'The next token specified is invalid.'),
    );
    const lastOf = items.at(-1)?.of ?? Infinity;
    const results = answered.map(({ id, label }, of): MetricDataResult => {
      const mine = items.filter((item) => item.of === of).map(({ point }) => point);
      return {
        Id: id,
        Label: label,
        Timestamps: mine.map(({ at }) => new Date(at * 1000)),
        Values: mine.map(({ value }) => value),
        StatusCode: next !== undefined && of >= lastOf ? 'PartialData' : 'Complete',
      };
    });
    return { MetricDataResults: results, NextToken: next, Messages: [] };
  };
}

function checkQueries(queries: readonly MetricDataQuery[]): void {
  if (queries.length > MAX_QUERIES) {
    throw invalid(`The collection MetricDataQueries must not have a size greater than ${MAX_QUERIES}.`);
  }
  const ids = queries.map(({ Id = '' }) => Id);
  if (new Set(ids).size < ids.length) {
    throw invalid('The values for parameter id in MetricDataQueries are not unique.');
  }
  const bad = ids.find((id) => !/^[a-z]\w*$/.test(id));
  if (bad !== undefined)
    throw invalid(
      `The value ${bad} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$`,
    );
}

function answer(
  series: SeriesStore,
  query: MetricDataQuery,
  range: { start: number; end: number },
  newestFirst: boolean,
): Answered {
  const { metric, period, statistic } = checkStat(query);
  const found = series.points({
    ...metric,
    start: alignDown(range.start, period),
    end: range.end,
    period,
    unit: query.MetricStat?.Unit,
  });
  const points = found.map(({ at, parts }) => ({ at, value: statistic(parts) }));
  return {
    id: query.Id ?? '',
    label: query.Label ?? metric.name,
    points: newestFirst ? points.toReversed() : points,
  };
}

function checkStat({ Id, MetricStat: stat, Expression }: MetricDataQuery): {
  metric: ReturnType<typeof metricOf>;
  period: number;
  statistic: NonNullable<ReturnType<typeof parseStatistic>>;
} {
  if (Expression !== undefined) {
    throw invalid(`Error in expression '${Id}': metric math and queries are not supported here.`);
  }
  if (!stat) throw invalid(`MetricDataQueries.${Id}: either MetricStat or Expression must be specified.`);
  const period = stat.Period ?? 0;
  if (!isPeriod(period)) {
    throw invalid(
      `MetricDataQueries.${Id}: Period must be 1, 5, 10, 20, 30 or a multiple of 60, not ${period}.`,
    );
  }
  const statistic = parseStatistic(stat.Stat ?? '');
  if (!statistic)
    throw invalid(
      `The value ${stat.Stat} for parameter MetricDataQueries.member.MetricStat.Stat is not supported.`,
    );
  return { metric: metricOf(stat), period, statistic };
}

function metricOf({ Metric }: MetricStat): {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
} {
  const { Namespace, MetricName, Dimensions = [] } = Metric ?? {};
  if (Namespace === undefined || MetricName === undefined) {
    throw invalid('A metric needs a Namespace and a MetricName.');
  }
  return { namespace: Namespace, name: MetricName, dimensions: dimensionsOf(Dimensions) };
}

export function dimensionsOf(dimensions: readonly Dimension[]): Record<string, string> {
  return Object.fromEntries(dimensions.map(({ Name, Value }) => [Name ?? '', Value ?? '']));
}
