import type { ComparisonOperator, StateValue } from '@aws-sdk/client-cloudwatch';

export interface Threshold {
  readonly operator: ComparisonOperator;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly missing: 'missing' | 'ignore' | 'breaching' | 'notBreaching';
}

const BREACHES: Readonly<Partial<Record<ComparisonOperator, (value: number, threshold: number) => boolean>>> =
  {
    GreaterThanThreshold: (value, threshold) => value > threshold,
    GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
    LessThanThreshold: (value, threshold) => value < threshold,
    LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
  };

/** Whether CloudWatch's threshold alarms have that operator (the others are for anomaly bands). */
export function isThresholdOperator(operator: string | undefined): operator is ComparisonOperator {
  return operator !== undefined && operator in BREACHES;
}

/**
 * An alarm's state by its last evaluation periods.
 * @param values of those periods, newest first; undefined where there was none
 * @returns undefined when the state stays as it is (missing data that is to be ignored)
 */
export function evaluate(
  { operator, threshold, datapointsToAlarm, missing }: Threshold,
  values: readonly (number | undefined)[],
): { state: StateValue; reason: string } | undefined {
  const present = values.filter((value) => value !== undefined);
  if (present.length === 0) return withoutData(missing, values.length);
  const breaching = present.filter((value) => BREACHES[operator]?.(value, threshold) ?? false).length;
  const counted = breaching + (missing === 'breaching' ? values.length - present.length : 0);
  const alarm = counted >= datapointsToAlarm;
  const verb = alarm ? 'crossed' : 'did not cross';
  return {
    state: alarm ? 'ALARM' : 'OK',
    reason:
      `Threshold Crossed: ${counted} out of the last ${values.length} datapoints [${present.join(', ')}] ${verb} the threshold ` +
      `(${threshold}, ${operator}); ${datapointsToAlarm} needed for the ALARM state.`,
  };
}

function withoutData(
  missing: Threshold['missing'],
  periods: number,
): { state: StateValue; reason: string } | undefined {
  const reason = `no datapoints were received for ${periods} period${periods === 1 ? '' : 's'}`;
  const crossed = `Threshold Crossed: ${reason} and missing data is treated as`;
  const outcomes = {
    ignore: undefined,
    missing: { state: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${reason}.` },
    breaching: { state: 'ALARM', reason: `${crossed} [Breaching].` },
    notBreaching: { state: 'OK', reason: `${crossed} [NonBreaching].` },
  } as const;
  return outcomes[missing];
}
