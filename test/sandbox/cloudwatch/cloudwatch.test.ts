import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import type {
  GetMetricDataCommandInput,
  MetricDataQuery,
  PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { aLoadBalancer } from '../elb/aLoadBalancer.ts';
import { aTarget } from '../elb/aTarget.ts';

let sandbox: TestSandbox;
let cloudwatch: CloudWatchClient;
beforeAll(async () => {
  sandbox = await aSandbox({ speed: 100 });
  cloudwatch = new CloudWatchClient(sandbox.client);
});
afterAll(() => sandbox.close());

const HOUR_MS = 3_600_000;
/** The beginning of a whole hour that is over. */
const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
const at = (seconds: number): Date => new Date(hour + seconds * 1000);

const put = (MetricName: string, ...points: [seconds: number, value: number][]) =>
  cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: 'Demo',
      MetricData: points.map(([seconds, Value]) => ({
        MetricName,
        Value,
        Timestamp: at(seconds),
        Dimensions: [{ Name: 'A', Value: 'b' }],
      })),
    }),
  );

const query = (
  MetricName: string,
  Stat: string,
  Period = 60,
  more: Partial<MetricDataQuery> = {},
): MetricDataQuery => ({
  Id: 'q',
  MetricStat: {
    Metric: { Namespace: 'Demo', MetricName, Dimensions: [{ Name: 'A', Value: 'b' }] },
    Period,
    Stat,
  },
  ...more,
});

const data = async (MetricDataQueries: MetricDataQuery[], more: Partial<GetMetricDataCommandInput> = {}) =>
  cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries,
      StartTime: at(0),
      EndTime: at(3600),
      ScanBy: 'TimestampAscending',
      ...more,
    }),
  );

describe('GetMetricData', () => {
  beforeAll(() => put('Latency', [5, 0.1], [20, 0.3], [61, 0.5], [130, 0.7]));

  test('points begin at whole periods, and a period without values has none', async () => {
    const found = await data([
      query('Latency', 'Average'),
      query('Latency', 'SampleCount', 120, { Id: 'two' }),
    ]);
    expect(found.MetricDataResults).toEqual([
      {
        Id: 'q',
        Label: 'Latency',
        Timestamps: [at(0), at(60), at(120)],
        Values: [0.2, 0.5, 0.7],
        StatusCode: 'Complete',
      },
      { Id: 'two', Label: 'Latency', Timestamps: [at(0), at(120)], Values: [3, 1], StatusCode: 'Complete' },
    ]);
  });

  test('a percentile rank gives the share at or under a value', async () => {
    const found = await data([
      query('Latency', 'PR(:0.5)', 3600),
      query('Latency', 'p100', 3600, { Id: 'top', Label: 'slowest' }),
    ]);
    expect(found.MetricDataResults?.map(({ Label, Values }) => [Label, Values])).toEqual([
      ['Latency', [75]],
      ['slowest', [0.7]],
    ]);
  });

  test('newest first is the default, and short periods are to be had', async () => {
    const found = await data([query('Latency', 'Sum', 5)], { ScanBy: undefined });
    expect(found.MetricDataResults?.[0]?.Timestamps).toEqual([at(130), at(60), at(20), at(5)]);
  });

  test('no data is an empty result, not an error', async () => {
    const found = await data([query('Nothing', 'Sum')]);
    expect(found.MetricDataResults).toMatchObject([
      { Id: 'q', Timestamps: [], Values: [], StatusCode: 'Complete' },
    ]);
  });

  test('many points come in pages', async () => {
    const first = await data([query('Latency', 'Sum', 5)], { MaxDatapoints: 3 });
    expect(first.MetricDataResults).toMatchObject([{ Values: [0.1, 0.3, 0.5], StatusCode: 'PartialData' }]);
    const second = await data([query('Latency', 'Sum', 5)], { MaxDatapoints: 3, NextToken: first.NextToken });
    expect(second.MetricDataResults).toMatchObject([{ Values: [0.7], StatusCode: 'Complete' }]);
    expect(second.NextToken).toBeUndefined();
  });

  const refused: [string, MetricDataQuery[], Partial<GetMetricDataCommandInput>][] = [
    ['metric math', [{ Id: 'q', Expression: 'a + b' }], {}],
    ['an id twice', [query('Latency', 'Sum'), query('Latency', 'Sum')], {}],
    ['an id with a capital', [query('Latency', 'Sum', 60, { Id: 'Q' })], {}],
    ['a period of 7 seconds', [query('Latency', 'Sum', 7)], {}],
    ['a statistic that there isn’t', [query('Latency', 'Median')], {}],
    ['an end before the start', [query('Latency', 'Sum')], { EndTime: at(-1) }],
  ];
  test.each(refused)('%s is refused', async (_, queries, more) => {
    await expect(data(queries, more)).rejects.toMatchObject({ Code: 'ValidationError' });
  });
});

test('GetMetricStatistics counts its periods from the start, and needs one kind of statistic', async () => {
  await put('Counted', [0, 1], [90, 2], [130, 3]);
  const ask = (more: object) =>
    cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'Demo',
        MetricName: 'Counted',
        Dimensions: [{ Name: 'A', Value: 'b' }],
        StartTime: at(60),
        EndTime: at(360),
        Period: 120,
        ...more,
      }),
    );
  expect(await ask({ Statistics: ['Sum', 'Maximum'] })).toMatchObject({
    Label: 'Counted',
    Datapoints: [{ Timestamp: at(60), Sum: 5, Maximum: 3, Unit: 'None' }],
  });
  expect((await ask({ ExtendedStatistics: ['p50'] })).Datapoints).toMatchObject([
    { ExtendedStatistics: { p50: 2.5 } },
  ]);
  await expect(ask({})).rejects.toMatchObject({ name: 'InvalidParameterCombinationException' });
  await expect(ask({ Statistics: ['Sum'], Period: 1, EndTime: at(3600) })).rejects.toMatchObject({
    name: 'InvalidParameterCombinationException',
  });
});

test('values with counts and sets of statistics are added up', async () => {
  const MetricData = [
    { MetricName: 'Sets', Timestamp: at(0), Values: [1, 5], Counts: [3, 2] },
    {
      MetricName: 'Sets',
      Timestamp: at(60),
      StatisticValues: { SampleCount: 4, Sum: 20, Minimum: 2, Maximum: 10 },
    },
  ];
  await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Demo', MetricData }));
  const ask = async (Stat: string) => {
    const stat = { Metric: { Namespace: 'Demo', MetricName: 'Sets' }, Period: 60, Stat };
    return (await data([{ Id: 'q', MetricStat: stat }])).MetricDataResults?.[0]?.Values;
  };
  expect(await ask('Sum')).toEqual([13, 20]);
  expect(await ask('SampleCount')).toEqual([5, 4]);
  expect(await ask('Maximum')).toEqual([5, 10]);
  const reserved = cloudwatch.send(new PutMetricDataCommand({ Namespace: 'AWS/ECS', MetricData }));
  await expect(reserved).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  const late = [{ MetricName: 'Sets', Value: 1, Timestamp: new Date(hour - 15 * 24 * HOUR_MS) }];
  const old = cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Demo', MetricData: late }));
  await expect(old).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
});

test('the old query protocol answers in XML', async () => {
  const form = new URLSearchParams({ Action: 'ListMetrics', Version: '2010-08-01', Namespace: 'Nobody’s' });
  const answer = await fetch(sandbox.url, { method: 'POST', body: form });
  expect(answer.headers.get('content-type')).toBe('text/xml');
  expect(await answer.text()).toContain('<ListMetricsResult>');
});

test('the AWS CLI puts, lists and reads', async () => {
  await sandbox.aws(
    'cloudwatch',
    'put-metric-data',
    '--namespace',
    'Cli',
    '--metric-name',
    'M',
    '--value',
    '3',
    '--dimensions',
    'A=b',
  );
  const listed = await sandbox.aws('cloudwatch', 'list-metrics', '--namespace', 'Cli');
  expect(listed).toEqual({
    Metrics: [{ Namespace: 'Cli', MetricName: 'M', Dimensions: [{ Name: 'A', Value: 'b' }] }],
  });
  const times = ['--start-time', at(0).toISOString(), '--end-time', at(3 * 3600).toISOString()];
  const metric = { Namespace: 'Cli', MetricName: 'M', Dimensions: [{ Name: 'A', Value: 'b' }] };
  const queries = JSON.stringify([{ Id: 'q', MetricStat: { Metric: metric, Period: 60, Stat: 'Sum' } }]);
  const read = await sandbox.aws('cloudwatch', 'get-metric-data', ...times, '--metric-data-queries', queries);
  expect(read).toMatchObject({ MetricDataResults: [{ Values: [3] }] });
});

test('a load balancer’s requests are counted, for all of it and for each target group', async () => {
  const lb = await aLoadBalancer(sandbox);
  const target = await aTarget('a');
  target.onRequest = (request, response) => response.writeHead(request.url === '/bad' ? 500 : 200).end();
  await lb.register(lb.groups[0], target.port);
  await lb.untilHealth(lb.groups[0], { [target.port]: 'healthy' });
  for (const path of ['/', '/', '/', '/bad']) await (await fetch(`${lb.url}${path}`)).text();
  await target.close();
  expect((await fetch(lb.url)).status).toBe(502);

  const LoadBalancer = lb.loadBalancerArn.split(':loadbalancer/')[1] ?? '';
  const TargetGroup = lb.groups[0].split(':').at(-1) ?? '';
  const sum = async (
    MetricName: string,
    dimensions: Record<string, string>,
    Stat = 'Sum',
  ): Promise<number | undefined> => {
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const Metric = { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions };
    const times = { StartTime: new Date(hour), EndTime: new Date(hour + 3 * HOUR_MS) };
    const found = await data([{ Id: 'q', MetricStat: { Metric, Period: 6 * 3600, Stat } }], times);
    return found.MetricDataResults?.[0]?.Values?.[0];
  };
  for (const dimensions of [{ LoadBalancer }, { LoadBalancer, TargetGroup }]) {
    expect(await sum('RequestCount', dimensions)).toBe(5);
    expect(await sum('HTTPCode_Target_2XX_Count', dimensions)).toBe(3);
    expect(await sum('HTTPCode_Target_5XX_Count', dimensions)).toBe(1);
    expect(await sum('HTTPCode_Target_4XX_Count', dimensions)).toBeUndefined();
    expect(await sum('TargetConnectionErrorCount', dimensions)).toBe(1);
    expect(await sum('TargetResponseTime', dimensions, 'SampleCount')).toBe(4);
    expect(await sum('TargetResponseTime', dimensions, 'PR(:10)')).toBe(100);
  }
  expect(await sum('HTTPCode_ELB_5XX_Count', { LoadBalancer })).toBe(1);
  expect(await sum('HTTPCode_ELB_502_Count', { LoadBalancer })).toBe(1);
  expect(await sum('HTTPCode_ELB_5XX_Count', { LoadBalancer, TargetGroup })).toBeUndefined();
  expect(await sum('HealthyHostCount', { LoadBalancer, TargetGroup }, 'Maximum')).toBe(1);
});

describe('alarms', () => {
  const alarm = (AlarmName: string, more: Partial<PutMetricAlarmCommandInput> = {}) =>
    cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'Demo',
        MetricName: 'Alarmed',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        Threshold: 10,
        ComparisonOperator: 'GreaterThanThreshold',
        ...more,
      }),
    );
  const state = async (name: string) => {
    const found = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
    return found.MetricAlarms?.[0]?.StateValue;
  };
  const until = async (name: string, wanted: string): Promise<void> => {
    const deadline = Date.now() + 5000;
    while ((await state(name)) !== wanted) {
      if (Date.now() > deadline) throw new Error(`${name} isn't ${wanted}`);
    }
  };

  test('one follows what is measured', async () => {
    const minute = new Date(Date.now() - 60_000);
    const MetricData = [{ MetricName: 'Alarmed', Value: 11, Timestamp: minute }];
    await alarm('follows');
    expect(await state('follows')).toBe('INSUFFICIENT_DATA');
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Demo', MetricData }));
    await until('follows', 'ALARM');
    await alarm('follows', { Threshold: 12 });
    await until('follows', 'OK');
  });

  test('a set state lasts until the next evaluation', async () => {
    await alarm('set', { MetricName: 'Never', TreatMissingData: 'ignore' });
    const set = { AlarmName: 'set', StateValue: 'ALARM', StateReason: 'a drill' } as const;
    await cloudwatch.send(new SetAlarmStateCommand(set));
    expect(await state('set')).toBe('ALARM');
    await alarm('back', { MetricName: 'Never' });
    await cloudwatch.send(new SetAlarmStateCommand({ ...set, AlarmName: 'back' }));
    await until('back', 'INSUFFICIENT_DATA');
  });

  test('they are deleted by name; an unknown one deletes none', async () => {
    await alarm('kept');
    const unknown = cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['kept', 'no such'] }));
    await expect(unknown).rejects.toMatchObject({ name: 'ResourceNotFound' });
    expect(await state('kept')).toBeDefined();
    await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['kept'] }));
    expect(await state('kept')).toBeUndefined();
  });

  test('what can’t be evaluated is refused', async () => {
    await expect(alarm('bad', { ExtendedStatistic: 'p90' })).rejects.toMatchObject({
      Code: 'ValidationError',
    });
    await expect(alarm('bad', { Period: 45 })).rejects.toMatchObject({ Code: 'ValidationError' });
    await expect(alarm('bad', { DatapointsToAlarm: 3 })).rejects.toMatchObject({ Code: 'ValidationError' });
    await expect(alarm('bad', { TreatMissingData: 'perhaps' })).rejects.toMatchObject({
      Code: 'ValidationError',
    });
    expect(await state('bad')).toBeUndefined();
  });
});

test('metrics are listed by namespace and dimension', async () => {
  await put('Listed', [0, 1]);
  const list = async (Dimensions: { Name: string; Value?: string }[]) =>
    (await cloudwatch.send(new ListMetricsCommand({ Namespace: 'Demo', MetricName: 'Listed', Dimensions })))
      .Metrics?.length;
  expect(await list([{ Name: 'A' }])).toBe(1);
  expect(await list([{ Name: 'A', Value: 'other' }])).toBe(0);
});
