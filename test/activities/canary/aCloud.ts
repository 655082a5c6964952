import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { GetMetricDataInput, GetMetricDataOutput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { ECSClient } from '@aws-sdk/client-ecs';
import type {
  ListServiceDeploymentsRequest,
  ServiceDeployment,
  ServiceRevision,
  Task,
} from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { createAwsClients } from '../../../src/activities/aws.ts';
import type { AwsClients, TargetClients } from '../../../src/activities/aws.ts';
import { credentials } from '../ecs/aRollout.ts';

type Client = CloudWatchClient | ECSClient | ElasticLoadBalancingV2Client;

/** What the double of AWS knows; it may change under way. */
export interface Cloud {
  deployments: ServiceDeployment[];
  revisions: ServiceRevision[];
  stopped: Task[];
  /** The values of a metric, one of each minute from `metricsFrom` on: by `<name> <target group or load balancer>`. */
  metrics: Record<string, readonly number[]>;
  /** Any time, for which there may be values or not. */
  metricsFrom?: Date;
  /** After a minute is over its value is not there yet for so long. */
  lateSeconds?: number;
  /** Thrown instead of the next answers, in order, by command. */
  failures?: Record<string, Error[]>;
}

/** The AWS SDK's own clients, whose requests `cloud` answers; `asked` are the commands with their inputs, in order. */
export function aCloud(cloud: Cloud): {
  readonly aws: AwsClients;
  readonly asked: { readonly command: string; readonly input: unknown }[];
} {
  const asked: { command: string; input: unknown }[] = [];
  const options = { region: 'eu-west-1', credentials };
  const answers: Record<string, (input: never) => object> = {
    DescribeServiceDeploymentsCommand: (input: { serviceDeploymentArns: string[] }) => ({
      serviceDeployments: cloud.deployments.filter(({ serviceDeploymentArn = '' }) =>
        input.serviceDeploymentArns.includes(serviceDeploymentArn),
      ),
    }),
    DescribeServiceRevisionsCommand: (input: { serviceRevisionArns: string[] }) => ({
      serviceRevisions: cloud.revisions.filter(({ serviceRevisionArn = '' }) =>
        input.serviceRevisionArns.includes(serviceRevisionArn),
      ),
    }),
    DescribeServicesCommand: () => ({ services: [{ serviceName: 'web', taskDefinition: 'web:2' }] }),
    ListServiceDeploymentsCommand: (input: ListServiceDeploymentsRequest) => ({
      serviceDeployments: cloud.deployments
        .filter((each) => isListed(input, each))
        .map(({ targetServiceRevision, ...brief }) => ({
          ...brief,
          targetServiceRevisionArn: targetServiceRevision?.arn,
        })),
    }),
    ListTasksCommand: () => ({ taskArns: cloud.stopped.map(({ taskArn }) => taskArn) }),
    DescribeTasksCommand: () => ({ tasks: cloud.stopped }),
    DescribeTargetGroupsCommand: (input: { TargetGroupArns: string[] }) => ({
      TargetGroups: input.TargetGroupArns.map((TargetGroupArn) => ({
        TargetGroupArn,
        LoadBalancerArns: ['arn:aws:elasticloadbalancing:x:y:loadbalancer/app/shared/1'],
      })),
    }),
    GetMetricDataCommand: (input: GetMetricDataInput) => metricData(cloud, input),
  };
  const answered = <C extends Client>(client: C): C => {
    // The clients' stacks differ in their types alone.
    const { middlewareStack } = client as ECSClient;
    middlewareStack.add(
      (_next, { commandName = '' }) =>
        async ({ input }) => {
          asked.push({ command: commandName, input });
          const failure = cloud.failures?.[commandName]?.shift();
          if (failure) throw failure;
          const answer = answers[commandName];
          if (!answer) throw new Error(`nobody answers ${commandName}`);
          return { output: { $metadata: {}, ...answer(input as never) }, response: {} };
        },
      { step: 'initialize', priority: 'high' },
    );
    return client;
  };
  const clients: TargetClients = {
    ...createAwsClients().clientsFor(options),
    ecs: answered(new ECSClient(options)),
    elb: answered(new ElasticLoadBalancingV2Client(options)),
    cloudwatch: answered(new CloudWatchClient(options)),
  };
  return { aws: { clientsFor: () => clients, destroy: () => undefined }, asked };
}

function isListed(
  { status: wanted, createdAt: since }: ListServiceDeploymentsRequest,
  { status = 'PENDING', createdAt }: ServiceDeployment,
): boolean {
  return (wanted?.includes(status) ?? true) && Number(createdAt ?? 0) > Number(since?.after ?? -1);
}

function metricData(cloud: Cloud, { MetricDataQueries = [], StartTime, EndTime }: GetMetricDataInput) {
  if ((MetricDataQueries?.length ?? 0) > 500) throw new Error('more than 500 queries');
  const from = cloud.metricsFrom?.getTime() ?? 0;
  const known = Date.now() - 60_000 - (cloud.lateSeconds ?? 0) * 1000;
  const isAsked = (at: number) => at >= Number(StartTime) && at < Number(EndTime) && at <= known;
  const result = (query: MetricDataQuery): NonNullable<GetMetricDataOutput['MetricDataResults']>[number] => {
    const points = (cloud.metrics[nameOf(query)] ?? [])
      .map((value, i) => ({ at: from + i * 60_000, value }))
      .filter(({ at }) => isAsked(at));
    const Timestamps = points.map(({ at }) => new Date(at));
    return { Id: query.Id, Timestamps, Values: points.map(({ value }) => value) };
  };
  return { MetricDataResults: MetricDataQueries?.map(result) };
}

/** `RequestCount blue`, `HTTPCode_ELB_5XX_Count shared`; a percentile rank with its statistic before it. */
function nameOf({ MetricStat }: MetricDataQuery): string {
  const { Metric, Stat = '' } = MetricStat ?? {};
  const value = (name: string) => Metric?.Dimensions?.find(({ Name }) => Name === name)?.Value;
  const whose = (value('TargetGroup') ?? value('LoadBalancer') ?? '').split('/')[1] ?? '';
  const what = Stat.startsWith('PR') ? `${Stat} ` : '';
  return `${what}${Metric?.MetricName} ${value('TargetGroup') ? whose : 'balancer'}`;
}
