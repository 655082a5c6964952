import type { Point, SampleWindow, ServiceSamples } from '../../domain/metrics.ts';
import type { MetricPolicy, Target } from '../../domain/policy.ts';
import type { TargetClients } from '../aws.ts';
import { readMetrics } from '../observation/metric-data.ts';
import type { Metric, Points } from '../observation/metric-data.ts';
import { dimensionsOf, trafficIn, trafficMetrics } from '../observation/target-groups.ts';

/** Latency is reported at this threshold when the policy sets none: seconds. */
const USUAL_LATENCY = 1;

/** One service whose metrics are read. */
export interface Subject {
  /** As the platform names it. */
  readonly name: string;
  readonly ecsService: string;
  /** ARNs of the target groups that the release's tasks are in; none without a load balancer. */
  readonly targetGroups: readonly string[];
  /** Ids of the release's tasks, where a canary's old tasks still run beside them. */
  readonly tasks?: readonly string[];
}

type Kind = 'cpu' | 'memory';

const PER_TASK: Readonly<Record<Kind, string>> = {
  cpu: 'TaskCpuUtilization',
  memory: 'TaskMemoryUtilization',
};
const PER_SERVICE: Readonly<Record<Kind, { percent: string; used: string; reserved: string }>> = {
  cpu: { percent: 'CPUUtilization', used: 'CpuUtilized', reserved: 'CpuReserved' },
  memory: { percent: 'MemoryUtilization', used: 'MemoryUtilized', reserved: 'MemoryReserved' },
};

/** Reads from CloudWatch what the metrics' policy judges of the services: their samples by name. */
export async function readSamples(
  clients: TargetClients,
  target: Target,
  subjects: readonly Subject[],
  policy: MetricPolicy,
  window: SampleWindow,
): Promise<ReadonlyMap<string, ServiceSamples>> {
  const threshold = policy.latency?.thresholdSeconds ?? USUAL_LATENCY;
  const dimensions = await dimensionsOf(
    clients,
    subjects.flatMap(({ targetGroups }) => targetGroups),
  );
  const groupsOf = ({ targetGroups }: Subject) => targetGroups.flatMap((arn) => dimensions.get(arn) ?? []);
  const metrics = subjects.flatMap((subject) => [
    ...usageMetrics(target, subject),
    ...groupsOf(subject).flatMap((group) => trafficMetrics(group, threshold)),
  ]);
  const points = await readMetrics(clients, metrics, window);
  const samplesOf = (subject: Subject): ServiceSamples => ({
    ...((subject.targetGroups.length > 0 || subject.tasks) && {
      traffic: trafficIn(points, groupsOf(subject), threshold),
    }),
    cpu: usageIn(points, target, subject, 'cpu'),
    memory: usageIn(points, target, subject, 'memory'),
    ...(subject.tasks && {
      withoutUsage:
        'ECS gives the average of the new and the old tasks, and the cluster has no Container Insights with enhanced observability',
    }),
  });
  return new Map(subjects.map((subject) => [subject.name, samplesOf(subject)]));
}

function usageMetrics(target: Target, subject: Subject): Metric[] {
  const kinds: readonly Kind[] = ['cpu', 'memory'];
  if (subject.tasks) return kinds.flatMap((kind) => perTask(target, subject, kind));
  return kinds.flatMap((kind) => Object.values(perService(target, subject, kind)));
}

function usageIn(points: Points, target: Target, subject: Subject, kind: Kind): readonly Point[] {
  if (subject.tasks) return perTask(target, subject, kind).flatMap(points);
  const { percent, used, reserved } = perService(target, subject, kind);
  const direct = points(percent);
  if (direct.length > 0) return direct;
  const reservations = new Map(points(reserved).map(({ at, value }) => [at, value]));
  return points(used).flatMap(({ at, value }) => {
    const all = reservations.get(at);
    return all ? [{ at, value: (100 * value) / all }] : [];
  });
}

/** Percent of each task's size, as Container Insights with enhanced observability has it. */
function perTask({ cluster }: Target, { ecsService, tasks = [] }: Subject, kind: Kind): Metric[] {
  return tasks.map((TaskId) => ({
    ...average('ECS/ContainerInsights', PER_TASK[kind]),
    dimensions: { ClusterName: cluster, ServiceName: ecsService, TaskId },
  }));
}

/** In percent as ECS gives it, and what Container Insights has where ECS gives none. */
function perService({ cluster }: Target, { ecsService }: Subject, kind: Kind) {
  const { percent, used, reserved } = PER_SERVICE[kind];
  const dimensions = { ClusterName: cluster, ServiceName: ecsService };
  return {
    percent: { ...average('AWS/ECS', percent), dimensions },
    used: { ...average('ECS/ContainerInsights', used), dimensions },
    reserved: { ...average('ECS/ContainerInsights', reserved), dimensions },
  };
}

function average(namespace: string, name: string) {
  return { namespace, name, statistic: 'Average' };
}
