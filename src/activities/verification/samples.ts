import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Service } from '@aws-sdk/client-ecs';
import { DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Point, SampleWindow, ServiceSamples, TrafficSamples } from '../../domain/metrics.ts';
import type { MetricPolicy, Target } from '../../domain/policy.ts';
import type { AwsClients, TargetClients } from '../aws.ts';

/** Latency is reported at this threshold when the policy sets none: seconds. */
const USUAL_LATENCY = 1;

/** One metric to read: its name among the answers, and how CloudWatch calls it. */
interface Wanted {
  readonly id: string;
  readonly namespace: string;
  readonly metric: string;
  readonly statistic: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

type Answers = ReadonlyMap<string, Point[]>;

/** Reads from CloudWatch what the metrics' policy judges of one service. */
export async function readSamples(
  aws: AwsClients,
  target: Target,
  service: Service,
  policy: MetricPolicy,
  window: SampleWindow,
): Promise<ServiceSamples> {
  const clients = aws.clientsFor(target);
  const groups = await targetGroups(clients, service);
  const traffic = groups.flatMap((dimensions, i) => trafficOf(dimensions, i, policy));
  const answers = await getMetricData(clients, [...usageOf(target, service), ...traffic], window);
  return {
    ...(groups.length > 0 && { traffic: collect(answers, groups.length) }),
    cpu: usagePoints(answers, 'cpu'),
    memory: usagePoints(answers, 'memory'),
  };
}

/** The dimensions of each of the service's target groups; none when it has no load balancer. */
async function targetGroups(
  { elb }: TargetClients,
  { loadBalancers = [] }: Service,
): Promise<Record<string, string>[]> {
  const arns = [...new Set(loadBalancers.flatMap(({ targetGroupArn }) => targetGroupArn ?? []))];
  if (arns.length === 0) return [];
  const { TargetGroups = [] } = await elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: arns }));
  return TargetGroups.flatMap(({ TargetGroupArn = '', LoadBalancerArns = [] }) =>
    LoadBalancerArns.map((arn) => ({
      TargetGroup: TargetGroupArn.slice(TargetGroupArn.indexOf('targetgroup/')),
      LoadBalancer: arn.split('loadbalancer/')[1] ?? '',
    })),
  );
}

function trafficOf(dimensions: Record<string, string>, i: number, { latency }: MetricPolicy): Wanted[] {
  const threshold = latency?.thresholdSeconds ?? USUAL_LATENCY;
  const metric = (id: string, name: string, statistic = 'Sum'): Wanted => ({
    id: `${id}${i}`,
    namespace: 'AWS/ApplicationELB',
    metric: name,
    statistic,
    dimensions,
  });
  return [
    metric('requests', 'RequestCount'),
    metric('target5xx', 'HTTPCode_Target_5XX_Count'),
    metric('connectionErrors', 'TargetConnectionErrorCount'),
    // Percentile rank: the percentage of values at or under the threshold.
    metric('withinLatency', 'TargetResponseTime', `PR(:${threshold})`),
  ];
}

/** CPU and memory in percent as ECS gives them, and what Container Insights has where ECS gives none. */
function usageOf({ cluster }: Target, { serviceName = '' }: Service): Wanted[] {
  const dimensions = { ClusterName: cluster, ServiceName: serviceName };
  const metric = (id: string, namespace: string, name: string): Wanted => ({
    id,
    namespace,
    metric: name,
    statistic: 'Average',
    dimensions,
  });
  return [
    metric('cpu', 'AWS/ECS', 'CPUUtilization'),
    metric('memory', 'AWS/ECS', 'MemoryUtilization'),
    metric('cpuUtilized', 'ECS/ContainerInsights', 'CpuUtilized'),
    metric('cpuReserved', 'ECS/ContainerInsights', 'CpuReserved'),
    metric('memoryUtilized', 'ECS/ContainerInsights', 'MemoryUtilized'),
    metric('memoryReserved', 'ECS/ContainerInsights', 'MemoryReserved'),
  ];
}

function usagePoints(answers: Answers, kind: 'cpu' | 'memory'): Point[] {
  const direct = answers.get(kind) ?? [];
  if (direct.length > 0) return direct;
  const reserved = new Map((answers.get(`${kind}Reserved`) ?? []).map(({ at, value }) => [at, value]));
  return (answers.get(`${kind}Utilized`) ?? []).flatMap(({ at, value }) => {
    const all = reserved.get(at);
    return all ? [{ at, value: (100 * value) / all }] : [];
  });
}

function collect(answers: Answers, groups: number): TrafficSamples {
  const all = (id: string) => Array.from({ length: groups }, (_, i) => answers.get(`${id}${i}`) ?? []).flat();
  return {
    requests: all('requests'),
    target5xx: all('target5xx'),
    connectionErrors: all('connectionErrors'),
    withinLatency: all('withinLatency'),
  };
}

async function getMetricData(
  { cloudwatch }: TargetClients,
  wanted: readonly Wanted[],
  { start, end, period }: SampleWindow,
): Promise<Answers> {
  const answers = new Map<string, Point[]>();
  // No whole period has begun since the release serves: there is nothing to ask for yet.
  if (start >= end) return answers;
  const MetricDataQueries = wanted.map((each) => queryOf(each, period));
  const pages = paginateGetMetricData(
    { client: cloudwatch },
    { MetricDataQueries, StartTime: start, EndTime: end },
  );
  for await (const { MetricDataResults = [] } of pages) {
    for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
      const points = Timestamps.map((at, i) => ({ at: at.getTime(), value: Values[i] ?? 0 }));
      answers.set(Id, [...(answers.get(Id) ?? []), ...points]);
    }
  }
  return answers;
}

function queryOf({ id, namespace, metric, statistic, dimensions }: Wanted, period: number): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: metric, Dimensions };
  return { Id: id, MetricStat: { Metric, Period: period, Stat: statistic } };
}
