import type { MetricDatum, PutMetricDataInput } from '@aws-sdk/client-cloudwatch';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { dimensionsOf } from './metric-data.ts';
import type { SeriesStore } from './series.ts';

const MAX_DATA = 1000;
const MAX_VALUES = 150;
const OLDEST_MS = 14 * 24 * 3600 * 1000;
const NEWEST_MS = 2 * 3600 * 1000;

type Valued = readonly (readonly [value: number, count: number])[];

const badValue = (message: string): AwsError => new AwsError('InvalidParameterValueException', message);

export function putMetricData(
  series: SeriesStore,
  now: () => number,
): Operation<Given<PutMetricDataInput, 'Namespace'>> {
  return ({ Namespace, MetricData = [], EntityMetricData = [] }) => {
    if (Namespace.startsWith('AWS/')) {
      throw badValue('The value AWS/ for parameter Namespace is invalid.');
    }
    if (EntityMetricData.length > 0) throw badValue('EntityMetricData is not supported here.');
    if (MetricData.length > MAX_DATA) {
      throw badValue(`The collection MetricData must not have a size greater than ${MAX_DATA}.`);
    }
    const checked = MetricData.map((datum, i) => ({
      datum,
      values: valuesOf(datum, i + 1),
      timestamp: timeOf(datum, now()),
    }));
    for (const { datum, values, timestamp } of checked) {
      for (const [value, count] of values) {
        series.record({
          namespace: Namespace,
          name: datum.MetricName ?? '',
          dimensions: dimensionsOf(datum.Dimensions ?? []),
          value,
          count,
          timestamp,
          ...(datum.Unit === undefined ? {} : { unit: datum.Unit }),
        });
      }
    }
    return {};
  };
}

function timeOf({ Timestamp }: MetricDatum, now: number): number {
  const time = Timestamp?.getTime() ?? now;
  if (time < now - OLDEST_MS || time > now + NEWEST_MS) {
    throw badValue(
      'The parameter MetricData.member.Timestamp must be within the last two weeks and the next two hours.',
    );
  }
  return time;
}

function valuesOf(datum: MetricDatum, index: number): Valued {
  const { Value, Values, Counts, StatisticValues } = datum;
  const at = `MetricData.member.${index}`;
  if ([Value, Values, StatisticValues].filter((given) => given !== undefined).length !== 1) {
    throw new AwsError(
      'InvalidParameterCombinationException',
      `Exactly one of the parameters ${at}.Value, ${at}.Values and ${at}.StatisticValues must be specified.`,
    );
  }
  if (StatisticValues) return fromStatistics(StatisticValues, at);
  const values = Values ?? [Value ?? 0];
  if (values.length > MAX_VALUES || (Counts && Counts.length !== values.length)) {
    throw badValue(
      `The parameters ${at}.Values and ${at}.Counts must have the same size, up to ${MAX_VALUES}.`,
    );
  }
  if (!values.every(Number.isFinite))
    throw badValue(`The value for parameter ${at}.Value must be a finite number.`);
  return values.map((value, i) => [value, Counts?.[i] ?? 1]);
}

/** A statistic set doesn't tell the values: its count, sum, minimum and maximum are kept, the rest is taken as evenly spread. */
function fromStatistics(set: NonNullable<MetricDatum['StatisticValues']>, at: string): Valued {
  const { SampleCount: count = 0, Sum: sum = 0, Minimum: low = 0, Maximum: high = 0 } = set;
  if (count < 1 || low > high)
    throw badValue(`The parameter ${at}.StatisticValues is not a set of statistics.`);
  if (count === 1 || low === high) return [[low, count]];
  if (count === 2)
    return [
      [low, 1],
      [high, 1],
    ];
  return [
    [low, 1],
    [(sum - low - high) / (count - 2), count - 2],
    [high, 1],
  ];
}
