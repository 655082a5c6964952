import type {
  DeleteAlarmsInput,
  DescribeAlarmsInput,
  MetricAlarm,
  PutMetricAlarmInput,
  SetAlarmStateInput,
  StateValue,
} from '@aws-sdk/client-cloudwatch';
import type { Clock, Timer } from '../clock.ts';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext, ServiceDefinition } from '../protocol/service.ts';
import type { Store, Table } from '../store.ts';
import { evaluate, isThresholdOperator } from './alarm-state.ts';
import { dimensionsOf } from './metric-data.ts';
import { alignDown, isPeriod } from './periods.ts';
import type { SeriesStore } from './series.ts';
import { parseStatistic } from './statistics.ts';

type PutInput = Given<PutMetricAlarmInput, 'AlarmName'>;

/** An alarm as it was put, and the state that it is in. */
interface Alarm {
  readonly arn: string;
  readonly input: PutInput;
  readonly configured: string;
  readonly state: StateValue;
  readonly reason: string;
  readonly reasonData?: string | undefined;
  /** When the state was last evaluated or set, and when it last became another one. */
  readonly updated: string;
  readonly transitioned: string;
}

/** The alarms' states, for deployments that watch them. */
export interface AlarmStates {
  /** Undefined when there is no alarm of that name. */
  stateOf(alarmName: string): StateValue | undefined;
}

interface Alarms extends AlarmStates {
  readonly operations: ServiceDefinition['operations'];
  close(): void;
}

const EVALUATE_EVERY_MS = 10_000;
const PAGE = 50;
const MISSING = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;

const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

/** Metric alarms with a fixed threshold on one metric, evaluated every ten seconds. Their actions are kept, and have nowhere to go. */
export function createAlarms({
  store,
  clock,
  series,
}: {
  store: Store;
  clock: Clock;
  series: SeriesStore;
}): Alarms {
  const table = store.table<Alarm>('cloudwatch.alarms');
  const now = (): string => new Date(clock.now()).toISOString();
  let timer: Timer;
  const evaluateAll = (): void => {
    for (const alarm of table.values()) evaluateOne(table, series, alarm, clock.now());
    timer = clock.after(EVALUATE_EVERY_MS, evaluateAll);
  };
  evaluateAll();
  return {
    stateOf: (name) => table.get(name)?.state,
    close: () => timer.cancel(),
    operations: {
      PutMetricAlarm: putMetricAlarm(table, now),
      DescribeAlarms: describeAlarms(table),
      DeleteAlarms: deleteAlarms(table),
      SetAlarmState: setAlarmState(table, now),
    },
  };
}

function putMetricAlarm(table: Table<Alarm>, now: () => string): Operation<PutInput> {
  return (input, request) => {
    checkAlarm(input);
    const known = table.get(input.AlarmName);
    const fresh = {
      state: 'INSUFFICIENT_DATA' as const,
      reason: 'Unchecked: Initial alarm creation',
      updated: now(),
      transitioned: now(),
    };
    table.set(input.AlarmName, {
      ...fresh,
      ...known,
      arn: arnOf(request, input.AlarmName),
      input,
      configured: now(),
    });
    return {};
  };
}

function arnOf({ region, accountId }: RequestContext, name: string): string {
  return `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
}

function checkAlarm(input: PutInput): void {
  if (
    input.Metrics !== undefined ||
    input.ThresholdMetricId !== undefined ||
    input.EvaluationCriteria !== undefined
  ) {
    throw invalid('Alarms on metric math, anomaly bands and queries are not supported here.');
  }
  const { MetricName, Namespace, Period, Threshold, EvaluationPeriods, DatapointsToAlarm } = input;
  if (
    MetricName === undefined ||
    Namespace === undefined ||
    Period === undefined ||
    Threshold === undefined
  ) {
    throw invalid('An alarm needs MetricName, Namespace, Period and Threshold.');
  }
  if (EvaluationPeriods === undefined) throw invalid('The parameter EvaluationPeriods is required.');
  if (!isPeriod(Period)) throw invalid(`Period must be 10, 20, 30 or a multiple of 60, not ${Period}.`);
  if (!isThresholdOperator(input.ComparisonOperator)) {
    throw invalid(`The comparison operator ${input.ComparisonOperator} is not one for a fixed threshold.`);
  }
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined)) {
    throw invalid('Exactly one of the parameters Statistic and ExtendedStatistic must be specified.');
  }
  if (!parseStatistic(input.Statistic ?? input.ExtendedStatistic ?? '')) {
    throw invalid(`The value ${input.ExtendedStatistic} for parameter ExtendedStatistic is not supported.`);
  }
  if ((DatapointsToAlarm ?? EvaluationPeriods) > EvaluationPeriods) {
    throw invalid('DatapointsToAlarm must be less than or equal to EvaluationPeriods.');
  }
  if (missingOf(input) === undefined) {
    throw invalid(
      `Option ${input.TreatMissingData} is not supported for TreatMissingData: ${MISSING.join(', ')}.`,
    );
  }
}

function missingOf({ TreatMissingData = 'missing' }: PutInput): (typeof MISSING)[number] | undefined {
  return MISSING.find((option) => option === TreatMissingData);
}

function evaluateOne(table: Table<Alarm>, series: SeriesStore, alarm: Alarm, now: number): void {
  const { input } = alarm;
  const { ComparisonOperator: operator, Threshold = 0, EvaluationPeriods = 1 } = input;
  if (!isThresholdOperator(operator)) return;
  const judged = evaluate(
    {
      operator,
      threshold: Threshold,
      evaluationPeriods: EvaluationPeriods,
      datapointsToAlarm: input.DatapointsToAlarm ?? EvaluationPeriods,
      missing: missingOf(input) ?? 'missing',
    },
    lastValues(series, input, now),
  );
  const updated = new Date(now).toISOString();
  if (!judged || judged.state === alarm.state) return;
  table.set(input.AlarmName, { ...alarm, ...judged, reasonData: undefined, updated, transitioned: updated });
}

/** The values of the last whole evaluation periods, newest first. */
function lastValues(series: SeriesStore, input: PutInput, now: number): (number | undefined)[] {
  const { Namespace = '', MetricName = '', Period = 60, EvaluationPeriods = 1 } = input;
  const statistic = parseStatistic(input.Statistic ?? input.ExtendedStatistic ?? '');
  const end = alignDown(Math.floor(now / 1000), Period);
  const start = end - EvaluationPeriods * Period;
  const metric = { namespace: Namespace, name: MetricName, dimensions: dimensionsOf(input.Dimensions ?? []) };
  const points = series.points({ ...metric, start, end, period: Period, unit: input.Unit });
  return Array.from({ length: EvaluationPeriods }, (_, i) => {
    const point = points.find(({ at }) => at === end - (i + 1) * Period);
    return point && statistic?.(point.parts);
  });
}

function describeAlarms(table: Table<Alarm>): Operation<DescribeAlarmsInput> {
  return (input) => {
    const { AlarmNames, AlarmNamePrefix, AlarmTypes, StateValue, ActionPrefix, MaxRecords = PAGE } = input;
    if (AlarmNames !== undefined && AlarmNamePrefix !== undefined) {
      throw invalid('AlarmNamePrefix and AlarmNames cannot be used together.');
    }
    const found = table
      .values()
      .filter(({ input: { AlarmName } }) => AlarmNames?.includes(AlarmName) ?? true)
      .filter(({ input: { AlarmName } }) => AlarmName.startsWith(AlarmNamePrefix ?? ''))
      .filter(({ state }) => StateValue === undefined || state === StateValue)
      .filter(
        ({ input: { AlarmActions = [] } }) =>
          ActionPrefix === undefined || AlarmActions.some((action) => action.startsWith(ActionPrefix)),
      )
      .filter(() => AlarmTypes?.includes('MetricAlarm') ?? true)
      .toSorted((a, b) => (a.input.AlarmName < b.input.AlarmName ? -1 : 1));
    const { items, next } = pageOf(
      found,
      MaxRecords,
      input.NextToken,
      () => new AwsError('InvalidNextToken', 'The next token specified is invalid.'),
    );
    return { MetricAlarms: items.map(describe), CompositeAlarms: [], NextToken: next };
  };
}

function deleteAlarms(table: Table<Alarm>): Operation<Given<DeleteAlarmsInput, 'AlarmNames'>> {
  return ({ AlarmNames }) => {
    const unknown = AlarmNames.filter((name) => !table.get(name));
    if (unknown.length > 0) {
      throw new AwsError('ResourceNotFound', `Alarm does not exist: ${unknown.join(', ')}`);
    }
    for (const name of AlarmNames) table.delete(name);
    return {};
  };
}

/** SetAlarmState: until the next evaluation finds another state. */
function setAlarmState(
  table: Table<Alarm>,
  now: () => string,
): Operation<Given<SetAlarmStateInput, 'AlarmName' | 'StateValue' | 'StateReason'>> {
  return ({ AlarmName, StateValue, StateReason, StateReasonData }) => {
    const alarm = table.get(AlarmName);
    if (!alarm) throw new AwsError('ResourceNotFound', `Alarm does not exist: ${AlarmName}`);
    const transitioned = alarm.state === StateValue ? alarm.transitioned : now();
    const set = { state: StateValue, reason: StateReason, reasonData: StateReasonData };
    table.set(AlarmName, { ...alarm, ...set, updated: now(), transitioned });
    return {};
  };
}

function describe({ input, ...alarm }: Alarm): MetricAlarm {
  const { Tags: _, ...settings } = input;
  return {
    ActionsEnabled: true,
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    ...settings,
    AlarmArn: alarm.arn,
    AlarmConfigurationUpdatedTimestamp: new Date(alarm.configured),
    StateValue: alarm.state,
    StateReason: alarm.reason,
    StateReasonData: alarm.reasonData,
    StateUpdatedTimestamp: new Date(alarm.updated),
    StateTransitionedTimestamp: new Date(alarm.transitioned),
  };
}
