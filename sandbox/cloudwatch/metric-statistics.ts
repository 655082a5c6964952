import type { Datapoint, GetMetricStatisticsInput } from '@aws-sdk/client-cloudwatch';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { dimensionsOf } from './metric-data.ts';
import { alignDown, isPeriod, rangeOf } from './periods.ts';
import type { Point, SeriesStore } from './series.ts';
import { parseStatistic } from './statistics.ts';
import type { Statistic } from './statistics.ts';

type GetInput = Given<
  GetMetricStatisticsInput,
  'Namespace' | 'MetricName' | 'StartTime' | 'EndTime' | 'Period'
>;

const MAX_POINTS = 1440;

/** GetMetricStatistics. Points begin at the start, which CloudWatch rounds down to the minute (or the shorter period). */
export function getMetricStatistics(series: SeriesStore): Operation<GetInput> {
  return (input) => {
    const statistics = statisticsOf(input);
    const range = rangeOf(input, 'InvalidParameterValueException');
    const period = input.Period;
    if (!isPeriod(period)) {
      throw new AwsError(
        'InvalidParameterValueException',
        `The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not ${period}.`,
      );
    }
    const start = alignDown(range.start, Math.min(period, 60));
    if ((range.end - start) / period > MAX_POINTS) {
      throw new AwsError(
        'InvalidParameterCombinationException',
        `You have requested up to ${Math.ceil((range.end - start) / period)} datapoints, which exceeds the limit of ${MAX_POINTS}. ` +
          'You may reduce the datapoints requested by increasing Period, or decreasing the time range.',
      );
    }
    const metric = {
      namespace: input.Namespace,
      name: input.MetricName,
      dimensions: dimensionsOf(input.Dimensions ?? []),
    };
    const points = series.points({ ...metric, start, end: range.end, period, unit: input.Unit });
    return { Label: input.MetricName, Datapoints: points.map((point) => datapoint(point, statistics)) };
  };
}

function statisticsOf({
  Statistics = [],
  ExtendedStatistics = [],
}: GetInput): [name: string, extended: boolean, Statistic][] {
  if (Statistics.length > 0 === ExtendedStatistics.length > 0) {
    throw new AwsError(
      'InvalidParameterCombinationException',
      'Exactly one of the parameters Statistics and ExtendedStatistics must be specified.',
    );
  }
  return [...Statistics, ...ExtendedStatistics].map((name) => {
    const statistic = parseStatistic(name);
    if (statistic) return [name, ExtendedStatistics.length > 0, statistic];
    throw new AwsError(
      'InvalidParameterValueException',
      `The value ${name} for parameter ExtendedStatistics is not supported.`,
    );
  });
}

function datapoint({ at, parts, unit }: Point, statistics: ReturnType<typeof statisticsOf>): Datapoint {
  const values = (extended: boolean): Record<string, number> =>
    Object.fromEntries(
      statistics
        .filter(([, isExtended]) => isExtended === extended)
        .map(([name, , statistic]) => [name, statistic(parts)]),
    );
  const extended = values(true);
  return {
    Timestamp: new Date(at * 1000),
    Unit: unit,
    ...values(false),
    ...(Object.keys(extended).length > 0 ? { ExtendedStatistics: extended } : {}),
  };
}
