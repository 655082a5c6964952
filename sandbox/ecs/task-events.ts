import type { Container, HealthStatus } from '@aws-sdk/client-ecs';
import type { StoppedContainer, TaskEvent } from '../tasks/types.ts';
import { hexId, nowIso } from './context.ts';
import type { EcsContext } from './context.ts';
import type { TaskRecord } from './records.ts';
import { changeTask } from './tasks.ts';

/** Writes what happened to a task into its record. */
export function recordEvent(ecs: EcsContext, task: TaskRecord, event: TaskEvent): TaskRecord {
  const at = nowIso(ecs);
  switch (event.kind) {
    case 'pulling':
      return changeTask(ecs, task, { lastStatus: 'PENDING', pullStartedAt: at });
    case 'pulled':
      return changeTask(ecs, task, {
        lastStatus: 'ACTIVATING',
        pullStoppedAt: at,
        containers: eachContainer(task, ({ name = '' }) => {
          const imageDigest = event.digests[name];
          return imageDigest === undefined ? {} : { imageDigest };
        }),
      });
    case 'running':
      return changeTask(ecs, task, {
        lastStatus: task.desiredStatus === 'STOPPED' ? task.lastStatus : 'RUNNING',
        startedAt: task.startedAt ?? at,
        ports: Object.fromEntries(event.containers.map(({ name, ports }) => [name, ports])),
        containers: eachContainer(task, ({ name, runtimeId = hexId() }) => ({
          lastStatus: 'RUNNING',
          runtimeId,
          networkBindings: (event.containers.find((each) => each.name === name)?.ports ?? []).map(
            (binding) => ({
              bindIP: '127.0.0.1',
              protocol: 'tcp',
              ...binding,
            }),
          ),
        })),
      });
    case 'health':
      return changeTask(ecs, task, {
        healthStatus: overall(Object.values(event.containers)),
        containers: eachContainer(task, ({ name = '' }) => ({
          healthStatus: event.containers[name] ?? 'UNKNOWN',
        })),
      });
    case 'stopping':
      return changeTask(ecs, task, {
        lastStatus: 'STOPPING',
        desiredStatus: 'STOPPED',
        stoppingAt: at,
        stopCode: event.cause.code,
        stoppedReason: event.cause.reason,
      });
    case 'stopped':
      return changeTask(ecs, task, {
        lastStatus: 'STOPPED',
        stoppedAt: at,
        executionStoppedAt: at,
        containers: eachContainer(task, ({ name }) =>
          ended(event.containers.find((each) => each.name === name)),
        ),
      });
  }
}

function ended(stopped: StoppedContainer | undefined): Partial<Container> {
  return {
    lastStatus: 'STOPPED',
    ...(stopped?.exitCode === undefined ? {} : { exitCode: stopped.exitCode }),
    ...(stopped?.reason === undefined ? {} : { reason: stopped.reason }),
  };
}

function eachContainer(task: TaskRecord, change: (container: Container) => Partial<Container>): Container[] {
  return task.containers.map((container) => ({ ...container, ...change(container) }));
}

function overall(each: readonly HealthStatus[]): HealthStatus {
  if (each.includes('UNHEALTHY')) return 'UNHEALTHY';
  return each.includes('HEALTHY') ? 'HEALTHY' : 'UNKNOWN';
}
