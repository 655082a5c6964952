import type { Clock } from '../clock.ts';
import type { RunningTask, TaskSpec } from './types.ts';
import { usageByGroup } from './usage.ts';

/** Where measurements go: CloudWatch's raw samples. */
export interface MetricRecorder {
  record(metric: {
    readonly namespace: string;
    readonly name: string;
    readonly dimensions: Record<string, string>;
    readonly value: number;
    readonly unit?: string;
    readonly timestamp?: number;
  }): void;
}

/** True milliseconds between two looks. */
const EVERY_MS = 1000;
const MIB = 1024 * 1024;

/**
 * Measures the tasks' CPU and memory and records them as ECS and Container Insights do: per service in percent of
 * what the tasks reserve (namespace AWS/ECS), and per service, family and task (ECS/ContainerInsights).
 */
export function startSampler(
  tasks: () => RunningTask[],
  metrics: MetricRecorder,
  clock: Clock,
): { stop(): void } {
  const before = new Map<string, { cpuSeconds: number; at: number }>();
  const look = async (): Promise<void> => {
    const groups = await usageByGroup();
    const at = clock.now();
    const seen = new Set<string>();
    for (const { spec, groups: own } of tasks()) {
      seen.add(spec.taskArn);
      const cpuSeconds = total(own.map((group) => groups.get(group)?.cpuSeconds ?? 0));
      const memory = total(own.map((group) => groups.get(group)?.residentBytes ?? 0)) / MIB;
      const last = before.get(spec.taskArn);
      before.set(spec.taskArn, { cpuSeconds, at });
      if (!last || at <= last.at) continue;
      const used = Math.max(0, ((cpuSeconds - last.cpuSeconds) / ((at - last.at) / 1000)) * 1024);
      recordTask(metrics, spec, used, memory, at);
    }
    for (const taskArn of before.keys()) if (!seen.has(taskArn)) before.delete(taskArn);
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

function recordTask(
  metrics: MetricRecorder,
  spec: TaskSpec,
  cpu: number,
  memory: number,
  timestamp: number,
): void {
  const { clusterName: ClusterName, serviceName: ServiceName, family, taskId: TaskId, reserved } = spec;
  const cpuPercent = (cpu / reserved.cpu) * 100;
  const memoryPercent = (memory / reserved.memory) * 100;
  const record = (
    namespace: string,
    dimensions: Record<string, string>,
    values: Readonly<Record<string, readonly [value: number, unit: string]>>,
  ): void => {
    for (const [name, [value, unit]] of Object.entries(values)) {
      metrics.record({ namespace, name, dimensions, value, unit, timestamp });
    }
  };
  if (ServiceName !== undefined) {
    record(
      'AWS/ECS',
      { ClusterName, ServiceName },
      {
        CPUUtilization: [cpuPercent, 'Percent'],
        MemoryUtilization: [memoryPercent, 'Percent'],
      },
    );
  }
  const insights = {
    CpuUtilized: [cpu, 'None'],
    CpuReserved: [reserved.cpu, 'None'],
    MemoryUtilized: [memory, 'Megabytes'],
    MemoryReserved: [reserved.memory, 'Megabytes'],
    TaskCpuUtilization: [cpuPercent, 'Percent'],
    TaskMemoryUtilization: [memoryPercent, 'Percent'],
  } as const;
  const service = ServiceName === undefined ? {} : { ServiceName };
  record('ECS/ContainerInsights', { ClusterName, TaskDefinitionFamily: family }, insights);
  record('ECS/ContainerInsights', { ClusterName, TaskDefinitionFamily: family, TaskId }, insights);
  if (ServiceName === undefined) return;
  record('ECS/ContainerInsights', { ClusterName, ServiceName }, insights);
  record('ECS/ContainerInsights', { ClusterName, ...service, TaskId }, insights);
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
