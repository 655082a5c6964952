import type {
  ClusterSetting,
  CreateClusterRequest,
  DeleteClusterRequest,
  DescribeClustersRequest,
  ListClustersRequest,
} from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { InsightsLevel } from '../tasks/container-insights.ts';
import { activeCluster, arn, invalid, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { ClusterRecord } from './records.ts';
import { checkTags, tagsOf, writeTags } from './tags.ts';

/** A page of any of ECS's lists holds 100 at most. */
export const PAGE = 100;

export const badToken = (): AwsError => invalid('Invalid token');

export function createCluster(ecs: EcsContext) {
  return (input: CreateClusterRequest): unknown => {
    const clusterName = input.clusterName ?? 'default';
    if (!/^[a-zA-Z0-9_-]{1,255}$/.test(clusterName)) {
      throw invalid(
        'Cluster name can only contain alphanumeric characters, hyphens and underscores, 255 at most.',
      );
    }
    checkTags(input.tags ?? []);
    checkSettings(input.settings ?? []);
    const known = ecs.tables.clusters.get(clusterName);
    if (known?.status === 'ACTIVE') return { cluster: shown(ecs, known, ['TAGS', 'SETTINGS']) };
    const cluster: ClusterRecord = {
      clusterArn: arn(ecs, `cluster/${clusterName}`),
      clusterName,
      status: 'ACTIVE',
      settings: input.settings ?? [{ name: 'containerInsights', value: 'disabled' }],
      capacityProviders: input.capacityProviders ?? [],
      defaultCapacityProviderStrategy: input.defaultCapacityProviderStrategy ?? [],
      ...(input.configuration ? { configuration: input.configuration } : {}),
    };
    ecs.tables.clusters.set(clusterName, cluster);
    writeTags(ecs, cluster.clusterArn, input.tags ?? []);
    return { cluster: shown(ecs, cluster, ['TAGS', 'SETTINGS']) };
  };
}

const LEVELS: readonly InsightsLevel[] = ['enhanced', 'enabled', 'disabled'];

function checkSettings(settings: readonly ClusterSetting[]): void {
  for (const { value } of settings) {
    if (!LEVELS.some((level) => level === value)) {
      throw invalid(`The value of containerInsights must be one of ${LEVELS.join(', ')}, not ${value}.`);
    }
  }
}

/** What Container Insights is to say of the cluster's tasks; nothing when the cluster isn't there. */
export function containerInsights(ecs: EcsContext, clusterName: string): InsightsLevel {
  const { settings = [] } = ecs.tables.clusters.get(clusterName) ?? {};
  const value = settings.find(({ name }) => name === 'containerInsights')?.value;
  return LEVELS.find((level) => level === value) ?? 'disabled';
}

export function describeClusters(ecs: EcsContext) {
  return ({ clusters = ['default'], include = [] }: DescribeClustersRequest): unknown => {
    const asked = clusters.map((name) => ({ name, cluster: ecs.tables.clusters.get(shortName(name)) }));
    return {
      clusters: asked.flatMap(({ cluster }) => (cluster ? [shown(ecs, cluster, include)] : [])),
      failures: asked.flatMap(({ name, cluster }) =>
        cluster
          ? []
          : [{ arn: name.startsWith('arn:') ? name : arn(ecs, `cluster/${name}`), reason: 'MISSING' }],
      ),
    };
  };
}

export function listClusters(ecs: EcsContext) {
  return ({ maxResults = PAGE, nextToken }: ListClustersRequest): unknown => {
    const active = ecs.tables.clusters.values().filter(({ status }) => status === 'ACTIVE');
    const arns = active.map(({ clusterArn }) => clusterArn).toSorted();
    const { items, next } = pageOf(arns, Math.min(maxResults, PAGE), nextToken, badToken);
    return { clusterArns: items, nextToken: next };
  };
}

export function deleteCluster(ecs: EcsContext) {
  return ({ cluster: name }: Given<DeleteClusterRequest, 'cluster'>): unknown => {
    const cluster = activeCluster(ecs, name);
    const { activeServicesCount, runningTasksCount, pendingTasksCount } = counts(ecs, cluster);
    if (activeServicesCount > 0) {
      throw new AwsError(
        'ClusterContainsServicesException',
        'The Cluster cannot be deleted while Services are active.',
      );
    }
    if (runningTasksCount + pendingTasksCount > 0) {
      throw new AwsError(
        'ClusterContainsTasksException',
        'The Cluster cannot be deleted while Tasks are active.',
      );
    }
    const inactive: ClusterRecord = { ...cluster, status: 'INACTIVE' };
    ecs.tables.clusters.set(cluster.clusterName, inactive);
    return { cluster: shown(ecs, inactive, []) };
  };
}

function shown(ecs: EcsContext, cluster: ClusterRecord, include: readonly string[]): unknown {
  const { settings, ...rest } = cluster;
  return {
    ...rest,
    ...counts(ecs, cluster),
    registeredContainerInstancesCount: 0,
    statistics: [],
    settings: include.includes('SETTINGS') ? settings : [],
    tags: include.includes('TAGS') ? tagsOf(ecs, cluster.clusterArn) : [],
  };
}

function counts(
  ecs: EcsContext,
  { clusterArn }: ClusterRecord,
): { activeServicesCount: number; runningTasksCount: number; pendingTasksCount: number } {
  const tasks = ecs.tables.tasks.values().filter((task) => task.clusterArn === clusterArn);
  const services = ecs.tables.services.values().filter((service) => service.clusterArn === clusterArn);
  return {
    activeServicesCount: services.filter(({ status }) => status === 'ACTIVE').length,
    runningTasksCount: tasks.filter(isRunning).length,
    pendingTasksCount: tasks.filter(isPending).length,
  };
}

export function isRunning({ lastStatus }: { readonly lastStatus: string }): boolean {
  return lastStatus === 'RUNNING';
}

export function isPending({ lastStatus }: { readonly lastStatus: string }): boolean {
  return ['PROVISIONING', 'PENDING', 'ACTIVATING'].includes(lastStatus);
}
