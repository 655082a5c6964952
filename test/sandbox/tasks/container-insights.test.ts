import { expect, test } from '@jest/globals';
import { insightsOf } from '../../../sandbox/tasks/container-insights.ts';
import type { ContainerUsage, Metric } from '../../../sandbox/tasks/container-insights.ts';
import type { TaskSpec } from '../../../sandbox/tasks/types.ts';

const healthCheck = { command: ['CMD', 'true'] };

const aTask = (change: Partial<TaskSpec> = {}): TaskSpec => ({
  taskArn: 'arn:task',
  taskId: 'abc',
  clusterName: 'prod',
  family: 'web',
  taskDefinitionArn: 'arn:aws:ecs:eu-west-1:000000000000:task-definition/web:1',
  serviceName: 'shop',
  containers: [{ name: 'app', cpu: 512, memory: 400, healthCheck }, { name: 'proxy' }],
  reserved: { cpu: 1024, memory: 1000 },
  ...change,
});

const used: ContainerUsage[] = [
  { name: 'app', cpu: 256, memory: 100, health: 'HEALTHY' },
  { name: 'proxy', cpu: 256, memory: 50, health: 'UNKNOWN' },
];

/** Each metric's combinations of dimensions, as the user guide writes them. */
function combinations(metrics: readonly Metric[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { name, dimensions } of metrics) (found[name] ??= []).push(Object.keys(dimensions).join(' '));
  return Object.fromEntries(
    Object.entries(found).map(([name, each]) => [name, [...new Set(each)].toSorted()]),
  );
}

function value(metrics: readonly Metric[], name: string, dimensions: Record<string, string>): unknown {
  const same = JSON.stringify(dimensions);
  return metrics
    .filter((each) => each.name === name && JSON.stringify(each.dimensions) === same)
    .map((each) => each.value);
}

const AGGREGATED = ['ClusterName', 'ClusterName ServiceName', 'ClusterName TaskDefinitionFamily'];
const TASKS = [
  ...AGGREGATED,
  'ClusterName ServiceName TaskId',
  'ClusterName TaskDefinitionFamily TaskId',
].toSorted();
const CONTAINERS = [
  'ClusterName',
  'ClusterName ServiceName ContainerName',
  'ClusterName ServiceName TaskId ContainerName',
  'ClusterName TaskDefinitionFamily ContainerName',
  'ClusterName TaskDefinitionFamily TaskId ContainerName',
];

test('a cluster without Container Insights says nothing', () => {
  expect(insightsOf('disabled', aTask(), used)).toEqual([]);
});

test('`enabled` says what clusters, services and families use, and nothing of a task', () => {
  const metrics = insightsOf('enabled', aTask(), used);
  expect(combinations(metrics)).toEqual({
    CpuUtilized: AGGREGATED,
    CpuReserved: AGGREGATED,
    MemoryUtilized: AGGREGATED,
    MemoryReserved: AGGREGATED,
  });
  expect(value(metrics, 'CpuUtilized', { ClusterName: 'prod', ServiceName: 'shop' })).toEqual([512]);
  expect(value(metrics, 'MemoryReserved', { ClusterName: 'prod' })).toEqual([1000]);
});

test('`enhanced` adds tasks and containers, in the dimensions that CloudWatch’s guide lists', () => {
  expect(combinations(insightsOf('enhanced', aTask(), used))).toEqual({
    CpuUtilized: TASKS,
    CpuReserved: TASKS,
    MemoryUtilized: TASKS,
    MemoryReserved: TASKS,
    TaskCpuUtilization: TASKS,
    TaskMemoryUtilization: TASKS,
    ContainerCpuUtilization: TASKS,
    ContainerCpuUtilized: CONTAINERS,
    ContainerCpuReserved: CONTAINERS,
    ContainerMemoryUtilized: CONTAINERS,
    ContainerMemoryReserved: CONTAINERS,
    ContainerMemoryUtilization: CONTAINERS,
    UnHealthyContainerHealthStatus: CONTAINERS,
  });
});

test('a share is of what the task or, where it has its own, the container reserves', () => {
  const metrics = insightsOf('enhanced', aTask(), used);
  const task = { ClusterName: 'prod', ServiceName: 'shop', TaskId: 'abc' };
  const container = (ContainerName: string): Record<string, string> => ({ ...task, ContainerName });
  expect(value(metrics, 'TaskCpuUtilization', task)).toEqual([50]);
  expect(value(metrics, 'TaskMemoryUtilization', task)).toEqual([15]);
  expect(value(metrics, 'ContainerCpuUtilization', task)).toEqual([50, 25]);
  expect(value(metrics, 'ContainerMemoryUtilization', container('app'))).toEqual([25]);
  expect(value(metrics, 'ContainerMemoryUtilization', container('proxy'))).toEqual([5]);
});

test('health is told of containers that have a check which has said something', () => {
  const health = (app: ContainerUsage['health']): unknown =>
    insightsOf('enhanced', aTask(), [
      { name: 'app', cpu: 0, memory: 0, health: app },
      { name: 'proxy', cpu: 0, memory: 0, health: 'UNKNOWN' },
    ])
      .filter(({ name, dimensions }) => name === 'UnHealthyContainerHealthStatus' && dimensions['TaskId'])
      .map((metric) => metric.value);
  expect(health('UNHEALTHY')).toEqual([1, 1]);
  expect(health('HEALTHY')).toEqual([0, 0]);
  expect(health('UNKNOWN')).toEqual([]);
});

test('a task of no service has no metrics with a service’s name', () => {
  const { serviceName: _none, ...alone } = aTask();
  const all = insightsOf('enhanced', alone, used);
  expect(all.filter(({ dimensions }) => 'ServiceName' in dimensions)).toEqual([]);
  expect(
    value(all, 'CpuUtilized', { ClusterName: 'prod', TaskDefinitionFamily: 'web', TaskId: 'abc' }),
  ).toEqual([512]);
});
