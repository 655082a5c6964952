import type { Container, Tag, TaskOverride } from '@aws-sdk/client-ecs';
import type { StopCause } from '../tasks/types.ts';
import { arn, hexId, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { TaskDefinitionRecord, TaskRecord } from './records.ts';
import { specOf } from './task-spec.ts';
import { writeTags } from './tags.ts';

/** How long ECS shows a stopped task, in milliseconds. */
const SHOWN_MS = 60 * 60 * 1000;

export interface NewTask {
  readonly clusterArn: string;
  readonly definition: TaskDefinitionRecord;
  readonly group: string;
  readonly startedBy?: string;
  readonly launchType?: TaskRecord['launchType'];
  readonly platformVersion?: string;
  readonly overrides?: TaskOverride;
  readonly service?: NonNullable<TaskRecord['service']>;
  readonly tags: readonly Tag[];
}

/** Puts a task on record and begins to run it. */
export function startTask(ecs: EcsContext, wanted: NewTask): TaskRecord {
  const { clusterArn, definition, tags, service, ...rest } = wanted;
  const taskArn = arn(ecs, `task/${shortName(clusterArn)}/${hexId()}`);
  const task: TaskRecord = {
    ...rest,
    taskArn,
    clusterArn,
    taskDefinitionArn: definition.taskDefinitionArn,
    ...(service ? { service } : {}),
    lastStatus: 'PROVISIONING',
    desiredStatus: 'RUNNING',
    healthStatus: 'UNKNOWN',
    createdAt: nowIso(ecs),
    connectivity: 'CONNECTED',
    connectivityAt: nowIso(ecs),
    version: 1,
    ...(definition.cpu === undefined ? {} : { cpu: definition.cpu }),
    ...(definition.memory === undefined ? {} : { memory: definition.memory }),
    attachments: definition.networkMode === 'awsvpc' ? [networkInterface()] : [],
    containers: (definition.containerDefinitions ?? []).map((container): Container => ({
      containerArn: arn(
        ecs,
        `container/${shortName(clusterArn)}/${shortName(taskArn)}/${crypto.randomUUID()}`,
      ),
      taskArn,
      name: container.name,
      image: container.image,
      lastStatus: 'PENDING',
      healthStatus: 'UNKNOWN',
      networkInterfaces: [],
      networkBindings: [],
      cpu: String(container.cpu ?? 0),
    })),
    ports: {},
    succeeded: false,
  };
  ecs.tables.tasks.set(taskArn, task);
  writeTags(ecs, taskArn, tags);
  ecs.runner.start(specOf(ecs, task));
  return task;
}

function networkInterface(): NonNullable<TaskRecord['attachments']>[number] {
  return {
    id: crypto.randomUUID(),
    type: 'ElasticNetworkInterface',
    status: 'ATTACHED',
    details: [{ name: 'privateIPv4Address', value: '127.0.0.1' }],
  };
}

/** Changes a task's record; the change counts as a new version of it. */
export function changeTask(ecs: EcsContext, task: TaskRecord, change: Partial<TaskRecord>): TaskRecord {
  const changed: TaskRecord = { ...task, ...change, version: (task.version ?? 1) + 1 };
  ecs.tables.tasks.set(task.taskArn, changed);
  return changed;
}

/**
 * Ends a task: out of its target groups, drained, then stopped. Does nothing to one that is ending already.
 */
export function endTask(ecs: EcsContext, task: TaskRecord, cause: StopCause): void {
  if (task.desiredStatus === 'STOPPED') return;
  const targets = targetsOf(ecs, task);
  changeTask(ecs, task, {
    desiredStatus: 'STOPPED',
    lastStatus: task.lastStatus === 'RUNNING' && targets.length > 0 ? 'DEACTIVATING' : task.lastStatus,
    stopCode: cause.code,
    stoppedReason: cause.reason,
  });
  const drained = targets.map(({ targetGroupArn, target }) => ecs.targets.deregister(targetGroupArn, target));
  void Promise.allSettled(drained).then(() => ecs.runner.stop(task.taskArn, cause));
}

export interface TaskTarget {
  readonly targetGroupArn: string;
  readonly target: { readonly id: string; readonly port: number };
}

/** Where a service's running task is registered: by its revision's load balancers and its own ports. */
export function targetsOf(ecs: EcsContext, task: TaskRecord): TaskTarget[] {
  const revision = task.service && ecs.tables.revisions.get(task.service.revisionArn);
  const resolved = revision?.resolvedConfiguration.loadBalancers ?? [];
  return (revision?.loadBalancers ?? []).flatMap(({ containerName = '', containerPort }, i) => {
    const targetGroupArn = resolved[i]?.targetGroupArn;
    const bound = task.ports[containerName]?.find((binding) => binding.containerPort === containerPort);
    if (targetGroupArn === undefined || !bound) return [];
    return [{ targetGroupArn, target: { id: '127.0.0.1', port: bound.hostPort } }];
  });
}

/** Forgets the tasks that stopped so long ago that ECS no longer shows them. */
export function forgetOldTasks(ecs: EcsContext): void {
  const before = new Date(ecs.clock.now() - SHOWN_MS).toISOString();
  for (const { taskArn, stoppedAt } of ecs.tables.tasks.values()) {
    if (stoppedAt === undefined || stoppedAt >= before) continue;
    ecs.tables.tasks.delete(taskArn);
    ecs.tables.tags.delete(taskArn);
  }
}
