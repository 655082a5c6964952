import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { Health, TaskSpec } from './types.ts';

/** A cluster's `containerInsights` setting. */
export type InsightsLevel = 'disabled' | 'enabled' | 'enhanced';

/** What is used at a moment: CPU units (1024 a core) and MiB. */
export interface Usage {
  readonly cpu: number;
  readonly memory: number;
}

export interface ContainerUsage extends Usage {
  readonly name: string;
  readonly health: Health;
}

export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: 'None' | 'Percent' | 'Megabytes' | 'Count';
  readonly dimensions: Readonly<Record<string, string>>;
}

type Dimension = 'ClusterName' | 'ServiceName' | 'TaskDefinitionFamily' | 'TaskId' | 'ContainerName';
type Combination = readonly Dimension[];

const AGGREGATED: readonly Combination[] = [
  ['ClusterName'],
  ['ClusterName', 'ServiceName'],
  ['ClusterName', 'TaskDefinitionFamily'],
];
const PER_TASK: readonly Combination[] = [
  ['ClusterName', 'ServiceName', 'TaskId'],
  ['ClusterName', 'TaskDefinitionFamily', 'TaskId'],
];
const PER_CONTAINER: readonly Combination[] = [
  ['ClusterName'],
  ['ClusterName', 'ServiceName', 'ContainerName'],
  ['ClusterName', 'TaskDefinitionFamily', 'ContainerName'],
  ['ClusterName', 'ServiceName', 'TaskId', 'ContainerName'],
  ['ClusterName', 'TaskDefinitionFamily', 'TaskId', 'ContainerName'],
];

type Values = Readonly<Record<string, readonly [value: number, unit: Metric['unit']]>>;

/**
 * What Container Insights says of a running task at a moment: names, dimensions and units as the CloudWatch user guide
 * lists them in "Amazon ECS Container Insights metrics" for `enabled` and "… with enhanced observability metrics" for
 * `enhanced`, as far as they are of CPU, memory and health. A service's or cluster's value is that of each of its tasks.
 */
export function insightsOf(
  level: InsightsLevel,
  spec: TaskSpec,
  containers: readonly ContainerUsage[],
): Metric[] {
  if (level === 'disabled') return [];
  const { reserved } = spec;
  const used = { cpu: total(containers, 'cpu'), memory: total(containers, 'memory') };
  const amounts: Values = {
    CpuUtilized: [used.cpu, 'None'],
    CpuReserved: [reserved.cpu, 'None'],
    MemoryUtilized: [used.memory, 'Megabytes'],
    MemoryReserved: [reserved.memory, 'Megabytes'],
  };
  if (level === 'enabled') return metrics(spec, undefined, AGGREGATED, amounts);
  const shares: Values = {
    TaskCpuUtilization: [percent(used.cpu, reserved.cpu), 'Percent'],
    TaskMemoryUtilization: [percent(used.memory, reserved.memory), 'Percent'],
  };
  return [
    ...metrics(spec, undefined, [...AGGREGATED, ...PER_TASK], { ...amounts, ...shares }),
    ...containers.flatMap((container) => ofContainer(spec, container)),
  ];
}

function ofContainer(spec: TaskSpec, { name, cpu, memory, health }: ContainerUsage): Metric[] {
  const definition = spec.containers.find((each) => each.name === name) ?? {};
  const reserved = reservedBy(definition, spec.reserved);
  // The guide lists this one without the container's name, unlike its sister for memory.
  const cpuShare: Values = { ContainerCpuUtilization: [percent(cpu, reserved.cpu), 'Percent'] };
  const values: Values = {
    ContainerCpuUtilized: [cpu, 'None'],
    ContainerCpuReserved: [reserved.cpu, 'None'],
    ContainerMemoryUtilized: [memory, 'Megabytes'],
    ContainerMemoryReserved: [reserved.memory, 'Megabytes'],
    ContainerMemoryUtilization: [percent(memory, reserved.memory), 'Percent'],
    ...healthOf(definition, health),
  };
  return [
    ...metrics(spec, name, [...AGGREGATED, ...PER_TASK], cpuShare),
    ...metrics(spec, name, PER_CONTAINER, values),
  ];
}

/** Only for containers that have a health check, and only once it has said something. */
function healthOf({ healthCheck }: ContainerDefinition, health: Health): Values {
  if (!healthCheck || health === 'UNKNOWN') return {};
  return { UnHealthyContainerHealthStatus: [health === 'UNHEALTHY' ? 1 : 0, 'Count'] };
}

/** A container's own reservation, or what its task has. */
function reservedBy(definition: ContainerDefinition, task: Usage): Usage {
  const { cpu, memoryReservation, memory } = definition;
  return { cpu: cpu || task.cpu, memory: memoryReservation ?? memory ?? task.memory };
}

/** The values under each combination of dimensions; a task that belongs to no service has none with a service's name. */
function metrics(
  { clusterName, serviceName, family, taskId }: TaskSpec,
  containerName: string | undefined,
  combinations: readonly Combination[],
  values: Values,
): Metric[] {
  const known: Readonly<Record<Dimension, string | undefined>> = {
    ClusterName: clusterName,
    ServiceName: serviceName,
    TaskDefinitionFamily: family,
    TaskId: taskId,
    ContainerName: containerName,
  };
  return combinations.flatMap((combination) => {
    const dimensions: Record<string, string> = {};
    for (const dimension of combination) {
      const value = known[dimension];
      if (value === undefined) return [];
      dimensions[dimension] = value;
    }
    return Object.entries(values).map(([name, [value, unit]]) => ({ name, value, unit, dimensions }));
  });
}

function total(usages: readonly Usage[], of: keyof Usage): number {
  return usages.reduce((sum, usage) => sum + usage[of], 0);
}

export function percent(used: number, reserved: number): number {
  return (used / reserved) * 100;
}
