import type { Clock } from '../clock.ts';
import type { MetricRecorder } from '../cloudwatch/recorder.ts';
import { insightsOf, percent } from './container-insights.ts';
import type { ContainerUsage, InsightsLevel, Metric } from './container-insights.ts';
import type { RunningTask, TaskSpec } from './types.ts';
import { usageByGroup } from './usage.ts';
import type { GroupUsage } from './usage.ts';

/** True milliseconds between two looks. */
const EVERY_MS = 1000;
const MIB = 1024 * 1024;

export interface SamplerDependencies {
  readonly tasks: () => RunningTask[];
  readonly metrics: MetricRecorder;
  readonly clock: Clock;
  /** A cluster's `containerInsights` setting as it is now. */
  readonly insights: (clusterName: string) => InsightsLevel;
}

/**
 * Measures the tasks' CPU and memory and records them as AWS does: per service in percent of what its tasks reserve
 * (namespace AWS/ECS), and what the cluster's Container Insights setting asks for (ECS/ContainerInsights).
 */
export function startSampler({ tasks, metrics, clock, insights }: SamplerDependencies): { stop(): void } {
  const meter = new Meter();
  const look = async (): Promise<void> => {
    const groups = await usageByGroup();
    const timestamp = clock.now();
    const running = tasks();
    for (const { spec, containers } of running) {
      const used = meter.read(spec, containers, groups, timestamp);
      if (!used) continue;
      const record = (namespace: string, measured: readonly Metric[]): void => {
        for (const metric of measured) metrics.record({ namespace, ...metric, timestamp });
      };
      record('AWS/ECS', utilization(spec, used));
      record('ECS/ContainerInsights', insightsOf(insights(spec.clusterName), spec, used));
    }
    meter.forgetAllBut(running);
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

/** Turns the CPU time that a task's processes have used so far into what they use now. */
class Meter {
  readonly #before = new Map<
    string,
    { readonly at: number; readonly cpuSeconds: ReadonlyMap<string, number> }
  >();

  /** Undefined at the first look, which has nothing to compare with. */
  read(
    { taskArn }: TaskSpec,
    containers: RunningTask['containers'],
    groups: ReadonlyMap<number, GroupUsage>,
    at: number,
  ): ContainerUsage[] | undefined {
    const usageOf = (group: number | undefined): GroupUsage | undefined =>
      group === undefined ? undefined : groups.get(group);
    const last = this.#before.get(taskArn);
    const cpuSeconds = new Map(containers.map(({ name, group }) => [name, usageOf(group)?.cpuSeconds ?? 0]));
    this.#before.set(taskArn, { at, cpuSeconds });
    if (!last || at <= last.at) return undefined;
    return containers.map(({ name, group, health }) => {
      const spent = (cpuSeconds.get(name) ?? 0) - (last.cpuSeconds.get(name) ?? 0);
      const cpu = (Math.max(0, spent) / ((at - last.at) / 1000)) * 1024;
      return { name, health, cpu, memory: (usageOf(group)?.residentBytes ?? 0) / MIB };
    });
  }

  forgetAllBut(running: readonly RunningTask[]): void {
    const kept = new Set(running.map(({ spec }) => spec.taskArn));
    for (const taskArn of this.#before.keys()) if (!kept.has(taskArn)) this.#before.delete(taskArn);
  }
}

/** What ECS itself says of every service, in percent of what the task reserves. */
function utilization(spec: TaskSpec, used: readonly ContainerUsage[]): Metric[] {
  const { clusterName: ClusterName, serviceName: ServiceName, reserved } = spec;
  if (ServiceName === undefined) return [];
  const share = (name: string, of: 'cpu' | 'memory'): Metric => ({
    name,
    value: percent(
      used.reduce((sum, container) => sum + container[of], 0),
      reserved[of],
    ),
    unit: 'Percent',
    dimensions: { ClusterName, ServiceName },
  });
  return [share('CPUUtilization', 'cpu'), share('MemoryUtilization', 'memory')];
}
