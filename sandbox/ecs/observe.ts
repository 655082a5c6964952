import type { EcsContext } from './context.ts';
import { alarmsOf, ASKED_EVERY_MS } from './deployment-alarms.ts';
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord, TaskRecord } from './records.ts';
import { currentRollout } from './rollout.ts';
import { shiftsTraffic } from './strategy.ts';
import { judgeTask } from './task-health.ts';
import type { Judgement } from './task-health.ts';
import { networkingTrouble } from './traffic.ts';
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
  const record = currentRollout(ecs, service);
  const { lastCompleted } = service;
  // A deployment goes by the configuration that it was started with.
  const configuration = record?.deploymentConfiguration ?? service.deploymentConfiguration;
  const breaker = shiftsTraffic(configuration) ? undefined : configuration.deploymentCircuitBreaker;
  const rollout = record && rolloutView(ecs, record);
  const until = [
    ...judged.flatMap(({ judgement }) => judgement.until ?? []),
    ...(record && isWatched(record) ? [ecs.clock.now() + ASKED_EVERY_MS / ecs.clock.speed] : []),
  ];
  const view: ServiceView = {
    now: ecs.clock.now(),
    desiredCount: service.desiredCount,
    minimumHealthyPercent: configuration.minimumHealthyPercent ?? 100,
    maximumPercent: configuration.maximumPercent ?? 200,
    breaker: {
      enable: breaker?.enable ?? false,
      rollback: breaker?.rollback ?? false,
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

function isWatched({ alarmsWatched, rollback }: ServiceDeploymentRecord): boolean {
  return alarmsWatched && rollback === undefined;
}

function rolloutView(ecs: EcsContext, record: ServiceDeploymentRecord): RolloutView {
  const { stage, step, sourceDeploymentId: source, interrupted, deploymentConfiguration } = record;
  const rollingBack = record.rollback !== undefined;
  const networking =
    shiftsTraffic(deploymentConfiguration) && !rollingBack ? networkingTrouble(ecs, record) : undefined;
  return {
    ...(stage === undefined ? {} : { stage }),
    ...(step === undefined ? {} : { step }),
    ...(source === undefined ? {} : { source }),
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(networking === undefined ? {} : { networking }),
    since: Date.parse(record.stageSince),
    rollingBack,
    rollbackRequested: record.status === 'ROLLBACK_REQUESTED',
    weights: record.weights,
    hooks: record.hooks.map(({ hookId, status, expiresAt }) => ({
      hookId,
      awaiting: status === 'AWAITING_ACTION',
      expiresAt: Date.parse(expiresAt),
    })),
    alarms: {
      triggered: isWatched(record) ? alarmsOf(ecs, record) : [],
      rollback: deploymentConfiguration.alarms?.rollback ?? false,
    },
  };
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
