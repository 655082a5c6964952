import type { EcsContext } from './context.ts';
import type { DeploymentRecord, ServiceRecord, TaskRecord } from './records.ts';
import { currentRollout } from './rollout.ts';
import { judgeTask } from './task-health.ts';
import type { Judgement } from './task-health.ts';
import type { RolloutView, ServiceView, TaskView } from './view.ts';

export interface Observation {
  readonly view: ServiceView;
  /** The tasks that run successfully and aren't on record as such. */
  readonly succeeded: readonly TaskRecord[];
  /** When time alone changes the view, in milliseconds since the epoch. */
  readonly until?: number;
}

/** Looks at a service: its record, its tasks and their health, as the scheduler's decision needs them. */
export function observe(ecs: EcsContext, service: ServiceRecord): Observation {
  const tasks = ecs.tables.tasks
    .values()
    .filter((task) => task.service?.arn === service.serviceArn && task.lastStatus !== 'STOPPED');
  const judged = tasks.map((task) => ({ task, judgement: judgeTask(ecs, service, task) }));
  const until = judged.flatMap(({ judgement }) => judgement.until ?? []);
  const { deploymentConfiguration: configuration, lastCompleted } = service;
  const rollout = rolloutView(ecs, service);
  const view: ServiceView = {
    now: ecs.clock.now(),
    desiredCount: service.desiredCount,
    minimumHealthyPercent: configuration.minimumHealthyPercent ?? 100,
    maximumPercent: configuration.maximumPercent ?? 200,
    breaker: {
      enable: configuration.deploymentCircuitBreaker?.enable ?? false,
      rollback: configuration.deploymentCircuitBreaker?.rollback ?? false,
    },
    deployments: service.deployments.map(deploymentView),
    tasks: judged.map(({ task, judgement }) => taskView(task, judgement)),
    draining: service.status === 'DRAINING',
    steady: service.steady,
    ...(rollout ? { rollout } : {}),
    ...(lastCompleted ? { rollbackTo: lastCompleted.deploymentId } : {}),
  };
  return {
    view,
    succeeded: judged
      .filter(({ task, judgement }) => judgement.successful && !task.succeeded)
      .map(({ task }) => task),
    ...(until.length > 0 ? { until: Math.min(...until) } : {}),
  };
}

function rolloutView(ecs: EcsContext, service: ServiceRecord): RolloutView | undefined {
  const rollout = currentRollout(ecs, service);
  return (
    rollout && {
      stage: rollout.stage,
      rollingBack: rollout.rollback !== undefined,
      rollbackRequested: rollout.status === 'ROLLBACK_REQUESTED',
    }
  );
}

function deploymentView(deployment: DeploymentRecord): ServiceView['deployments'][number] {
  const { id, status, rolloutState, failedTasks, notBefore } = deployment;
  return {
    id,
    primary: status === 'PRIMARY',
    rolloutState,
    failedTasks,
    notBefore: notBefore === undefined ? 0 : Date.parse(notBefore),
  };
}

function taskView(task: TaskRecord, { health, reason }: Judgement): TaskView {
  return {
    taskArn: task.taskArn,
    deploymentId: task.service?.deploymentId ?? '',
    phase: phaseOf(task),
    health,
    createdAt: Date.parse(task.createdAt),
    ...(reason === undefined ? {} : { reason }),
  };
}

function phaseOf(task: TaskRecord): TaskView['phase'] {
  if (task.desiredStatus === 'STOPPED') return 'stopping';
  return task.lastStatus === 'RUNNING' ? 'running' : 'starting';
}
