import type { ServiceDeployment, ServiceRevision } from '@aws-sdk/client-ecs';
import type { Look } from '../../domain/canary.ts';
import { countTraffic } from '../../domain/metrics.ts';
import type { Point, SampleWindow } from '../../domain/metrics.ts';
import type { TargetClients } from '../aws.ts';
import { readMetrics } from '../observation/metric-data.ts';
import type { Metric, Points } from '../observation/metric-data.ts';
import {
  describeDeployments,
  describeRevisions,
  groupArns,
  servingGroups,
} from '../observation/revisions.ts';
import { balancerMetrics, dimensionsOf, trafficIn, trafficMetrics } from '../observation/target-groups.ts';
import type { GroupDimensions } from '../observation/target-groups.ts';
import type { Shifting } from './types.ts';

/** Where the requests of both revisions of one service are counted. */
export interface Sides {
  readonly service: string;
  readonly canary: readonly GroupDimensions[];
  readonly baseline: readonly GroupDimensions[];
}

export type Seen = Pick<Look, 'canary' | 'baseline' | 'balancer'>;

/** Looks up, once for a watch, which target groups the release's tasks and the old ones are in: a service's groups alternate. */
export async function findSides(
  clients: Pick<TargetClients, 'ecs' | 'elb'>,
  shifting: readonly Shifting[],
): Promise<Sides[]> {
  const arns = shifting.flatMap(({ rollout }) => rollout.serviceDeploymentArn ?? []);
  const deployments = await describeDeployments(clients, arns);
  const revisions = await describeRevisions(clients, [...deployments.values()].flatMap(revisionsOf));
  const groups = shifting.map(({ service, rollout }) => {
    const deployment = deployments.get(rollout.serviceDeploymentArn ?? '');
    return { service: service.name, ...groupsOf(deployment, revisions) };
  });
  const dimensions = await dimensionsOf(
    clients,
    groups.flatMap(({ canary, baseline }) => [...canary, ...baseline]),
  );
  const known = (all: readonly string[]) => all.flatMap((arn) => dimensions.get(arn) ?? []);
  return groups.map(({ service, canary, baseline }) => ({
    service,
    canary: known(canary),
    baseline: known(baseline),
  }));
}

/** Reads the counts of all services at once. @returns by service; @param threshold of the latency, seconds */
export async function readTraffic(
  clients: Pick<TargetClients, 'cloudwatch'>,
  sides: readonly Sides[],
  threshold: number | undefined,
  window: SampleWindow,
): Promise<ReadonlyMap<string, Seen>> {
  const points = await readMetrics(
    clients,
    sides.flatMap((each) => metricsOf(each, threshold)),
    window,
  );
  return new Map(sides.map((each) => [each.service, seenOf(each, points, threshold)]));
}

function revisionsOf({ targetServiceRevision, sourceServiceRevisions = [] }: ServiceDeployment): string[] {
  return [targetServiceRevision, ...sourceServiceRevisions].flatMap((revision) => revision?.arn ?? []);
}

/** A group that both revisions share is the release's alone: nothing of the old version can be told apart in it. */
function groupsOf(
  deployment: ServiceDeployment | undefined,
  revisions: ReadonlyMap<string, ServiceRevision>,
) {
  const canary = servingGroups(revisions.get(deployment?.targetServiceRevision?.arn ?? ''));
  const sources = deployment?.sourceServiceRevisions ?? [];
  const old = sources.flatMap(({ arn = '' }) => {
    const revision = revisions.get(arn);
    const serving = servingGroups(revision);
    return serving.length > 0 ? serving : groupArns(revision?.loadBalancers);
  });
  return { canary, baseline: [...new Set(old)].filter((arn) => !canary.includes(arn)) };
}

function balancersOf({ canary, baseline }: Sides) {
  const names = new Set([...canary, ...baseline].map(({ LoadBalancer }) => LoadBalancer));
  return [...names].map(balancerMetrics);
}

function metricsOf(sides: Sides, threshold: number | undefined): Metric[] {
  return [
    ...[...sides.canary, ...sides.baseline].flatMap((group) => trafficMetrics(group, threshold)),
    ...balancersOf(sides).flatMap(({ requests, own5xx }) => [requests, own5xx]),
  ];
}

function seenOf(sides: Sides, points: Points, threshold: number | undefined): Seen {
  const balancers = balancersOf(sides);
  return {
    canary: countTraffic(trafficIn(points, sides.canary, threshold)),
    baseline: countTraffic(trafficIn(points, sides.baseline, threshold)),
    balancer: {
      requests: total(balancers.flatMap(({ requests }) => points(requests))),
      bad: total(balancers.flatMap(({ own5xx }) => points(own5xx))),
    },
  };
}

function total(points: readonly Point[]): number {
  return points.reduce((all, { value }) => all + value, 0);
}
