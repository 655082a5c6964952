import { DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TrafficSamples } from '../../domain/metrics.ts';
import type { TargetClients } from '../aws.ts';
import { chunks } from '../ecs/batch.ts';
import type { Metric, Points } from './metric-data.ts';

/** CloudWatch's dimensions of one target group behind one load balancer. */
export interface GroupDimensions extends Readonly<Record<string, string>> {
  readonly TargetGroup: string;
  readonly LoadBalancer: string;
}

const NAMESPACE = 'AWS/ApplicationELB';

/** @returns by target group ARN; none for one that no load balancer uses */
export async function dimensionsOf(
  { elb }: Pick<TargetClients, 'elb'>,
  targetGroups: readonly string[],
): Promise<ReadonlyMap<string, readonly GroupDimensions[]>> {
  const described = await Promise.all(
    chunks([...new Set(targetGroups)], 20).map((arns) =>
      elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: arns })),
    ),
  );
  return new Map(
    described
      .flatMap(({ TargetGroups = [] }) => TargetGroups)
      .map(({ TargetGroupArn: arn = '', LoadBalancerArns = [] }) => [
        arn,
        LoadBalancerArns.map((balancer) => ({
          TargetGroup: arn.slice(arn.indexOf('targetgroup/')),
          LoadBalancer: balancer.split('loadbalancer/')[1] ?? '',
        })),
      ]),
  );
}

/**
 * What is counted of one target group's requests.
 * @param threshold of the latency, seconds; without one there is none
 */
export function trafficMetrics(dimensions: GroupDimensions, threshold?: number): Metric[] {
  const { requests, target5xx, connectionErrors, withinLatency } = metricsOf(dimensions, threshold);
  return [requests, target5xx, connectionErrors, ...(withinLatency ? [withinLatency] : [])];
}

/** The traffic of all `groups` together. */
export function trafficIn(
  points: Points,
  groups: readonly GroupDimensions[],
  threshold?: number,
): TrafficSamples {
  const all = groups.map((dimensions) => metricsOf(dimensions, threshold));
  return {
    requests: all.flatMap(({ requests }) => points(requests)),
    target5xx: all.flatMap(({ target5xx }) => points(target5xx)),
    connectionErrors: all.flatMap(({ connectionErrors }) => points(connectionErrors)),
    withinLatency: all.flatMap(({ withinLatency }) => (withinLatency ? points(withinLatency) : [])),
  };
}

/** Of a load balancer as a whole: its requests, and those that it answered itself with 5xx, for which there is no target group. */
export function balancerMetrics(LoadBalancer: string): {
  readonly requests: Metric;
  readonly own5xx: Metric;
} {
  const dimensions = { LoadBalancer };
  return {
    requests: count('RequestCount', dimensions),
    own5xx: count('HTTPCode_ELB_5XX_Count', dimensions),
  };
}

function metricsOf(dimensions: GroupDimensions, threshold: number | undefined) {
  // Percentile rank: the percentage of values at or under the threshold.
  const latency = threshold !== undefined && {
    ...count('TargetResponseTime', dimensions),
    statistic: `PR(:${threshold})`,
  };
  return {
    requests: count('RequestCount', dimensions),
    target5xx: count('HTTPCode_Target_5XX_Count', dimensions),
    connectionErrors: count('TargetConnectionErrorCount', dimensions),
    ...(latency && { withinLatency: latency }),
  };
}

function count(name: string, dimensions: Readonly<Record<string, string>>): Metric {
  return { namespace: NAMESPACE, name, statistic: 'Sum', dimensions };
}
