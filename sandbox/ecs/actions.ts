import { nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord } from './records.ts';
import { changeRollout, currentRollout, revertTo } from './rollout.ts';
import { namedTasks, say } from './service-events.ts';
import { rollbackStrategy } from './strategy.ts';
import type { StageName } from './strategy.ts';
import { definitionOf } from './task-spec.ts';
import { endTask, startTask, targetsOf } from './tasks.ts';
import { managedTags, tagsOf } from './tags.ts';
import type { Action } from './view.ts';

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

const THRESHOLD_EXCEEDED =
  'Service deployment rolled back because the circuit breaker threshold was exceeded.';
const ROLLBACK_ASKED =
  'Service deployment rolled back because a user asked for it with StopServiceDeployment.';

/** Carries one action out on the record and the tasks. @returns the service as it is now; not yet stored */
export function carryOut(ecs: EcsContext, service: ServiceRecord, action: Action): ServiceRecord {
  switch (action.kind) {
    case 'startTasks':
      return startTasks(ecs, service, action);
    case 'stopTask':
      return stopTask(ecs, service, action);
    case 'enterStage':
      return onRollout(ecs, service, { stage: action.stage as StageName });
    case 'complete':
      return complete(ecs, service, action);
    case 'tripBreaker':
      return tripBreaker(ecs, service, action);
    case 'rollBack':
      return rollBack(ecs, service, action);
    case 'giveUp':
      return giveUp(ecs, service, action);
    case 'dropDeployment':
      return { ...service, deployments: service.deployments.filter(({ id }) => id !== action.deploymentId) };
    case 'sayMarked':
      return {
        ...(action.steady ? say(ecs, service, 'has reached a steady state.') : service),
        steady: action.steady,
      };
    case 'inactivate':
      return { ...service, status: 'INACTIVE', deployments: [] };
    case 'lookAgain':
      return service;
  }
}

function startTasks(ecs: EcsContext, service: ServiceRecord, action: ActionOf<'startTasks'>): ServiceRecord {
  const deployment = service.deployments.find(({ id }) => id === action.deploymentId);
  if (!deployment) return service;
  const definition = definitionOf(ecs, deployment.taskDefinition);
  const source = service.propagateTags;
  const tagged =
    source === 'SERVICE'
      ? service.serviceArn
      : source === 'TASK_DEFINITION'
        ? definition.taskDefinitionArn
        : '';
  const managed = service.enableECSManagedTags
    ? managedTags(shortName(service.clusterArn), service.serviceName)
    : [];
  const started = Array.from({ length: action.count }, () =>
    startTask(ecs, {
      clusterArn: service.clusterArn,
      definition,
      group: `service:${service.serviceName}`,
      startedBy: deployment.id,
      service: { arn: service.serviceArn, deploymentId: deployment.id, revisionArn: deployment.revisionArn },
      tags: [...managed, ...tagsOf(ecs, tagged)],
      ...(service.launchType ? { launchType: service.launchType } : {}),
      ...(service.platformVersion === undefined ? {} : { platformVersion: service.platformVersion }),
    }),
  );
  const tasks = namedTasks(started.map(({ taskArn }) => taskArn));
  return say(ecs, service, `has started ${started.length} tasks: ${tasks}.`);
}

function stopTask(ecs: EcsContext, service: ServiceRecord, action: ActionOf<'stopTask'>): ServiceRecord {
  const task = ecs.tables.tasks.get(action.taskArn);
  if (!task) return service;
  const targets = task.lastStatus === 'RUNNING' ? targetsOf(ecs, task) : [];
  const unhealthy = action.why === 'unhealthy';
  const reason = unhealthy
    ? (action.reason ?? 'Task failed health checks')
    : `Scaling activity initiated by deployment ${service.deployments[0]?.id ?? ''}`;
  let said = service;
  for (const { targetGroupArn, target } of targets) {
    if (unhealthy) said = say(ecs, said, unhealthyText(ecs, targetGroupArn, target.port));
    said = say(ecs, said, `deregistered 1 targets in (target-group ${targetGroupArn})`);
  }
  endTask(ecs, { ...task, failedChecks: unhealthy }, { code: 'ServiceSchedulerInitiated', reason });
  if (targets.length > 0) said = say(ecs, said, 'has begun draining connections on 1 tasks.');
  return say(ecs, said, `has stopped 1 running tasks: ${namedTasks([task.taskArn])}.`);
}

function unhealthyText(ecs: EcsContext, targetGroupArn: string, port: number): string {
  const known = ecs.targets.health(targetGroupArn).find(({ target }) => target.port === port);
  const why = known?.health.description;
  const because = why === undefined ? '' : ` due to (reason ${why})`;
  return `(port ${port}) is unhealthy in (target-group ${targetGroupArn})${because}.`;
}

/** Changes the service deployment in progress, where there is one. */
function onRollout(
  ecs: EcsContext,
  service: ServiceRecord,
  change: Partial<ServiceDeploymentRecord>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (rollout) changeRollout(ecs, rollout, change);
  return service;
}

/** Ends the service deployment. */
function endRollout(
  ecs: EcsContext,
  service: ServiceRecord,
  change: Partial<ServiceDeploymentRecord>,
): ServiceRecord {
  onRollout(ecs, service, { finishedAt: nowIso(ecs), ...change });
  const { currentServiceDeployment: _ended, ...rest } = service;
  return rest;
}

function changeDeployment(
  ecs: EcsContext,
  service: ServiceRecord,
  id: string,
  change: Partial<DeploymentRecord>,
): ServiceRecord {
  const updatedAt = nowIso(ecs);
  return {
    ...service,
    deployments: service.deployments.map((each) =>
      each.id === id ? { ...each, ...change, updatedAt } : each,
    ),
  };
}

function complete(
  ecs: EcsContext,
  service: ServiceRecord,
  { deploymentId }: ActionOf<'complete'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const revisionArn = service.deployments.find(({ id }) => id === deploymentId)?.revisionArn ?? '';
  const done = changeDeployment(ecs, service, deploymentId, {
    rolloutState: 'COMPLETED',
    rolloutStateReason: `ECS deployment ${deploymentId} completed.`,
  });
  const said = say(ecs, done, `(deployment ${deploymentId}) deployment completed.`);
  const status = rollout?.rollback ? 'ROLLBACK_SUCCESSFUL' : 'SUCCESSFUL';
  return { ...endRollout(ecs, said, { status }), lastCompleted: { deploymentId, revisionArn } };
}

/** The circuit breaker has seen enough: the deployment has failed and is to be rolled back. */
function tripBreaker(
  ecs: EcsContext,
  service: ServiceRecord,
  { deploymentId }: ActionOf<'tripBreaker'>,
): ServiceRecord {
  onRollout(ecs, service, {
    status: 'ROLLBACK_REQUESTED',
    statusReason: THRESHOLD_EXCEEDED,
    breakerTriggered: true,
  });
  return failDeployment(ecs, service, deploymentId);
}

function failDeployment(ecs: EcsContext, service: ServiceRecord, deploymentId: string): ServiceRecord {
  const failed = changeDeployment(ecs, service, deploymentId, {
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
  });
  return say(ecs, failed, `(deployment ${deploymentId}) deployment failed: tasks failed to start.`);
}

function rollBack(
  ecs: EcsContext,
  service: ServiceRecord,
  { from, to }: ActionOf<'rollBack'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const target = service.lastCompleted;
  if (!target || !rollout) return service;
  const reason = rollout.breakerTriggered ? THRESHOLD_EXCEEDED : ROLLBACK_ASKED;
  const cause = rollout.breakerTriggered ? 'ECS deployment circuit breaker' : 'ECS deployment stopped';
  const startedAt = nowIso(ecs);
  onRollout(ecs, service, {
    status: 'ROLLBACK_IN_PROGRESS',
    statusReason: reason,
    stage: rollbackStrategy.stages[0].name,
    rollback: { reason, startedAt, serviceRevisionArn: target.revisionArn },
  });
  const reverted = revertTo(ecs, service, target, `${cause}: rolling back to deploymentId ${to}.`);
  const failed = rollout.breakerTriggered
    ? reverted
    : changeDeployment(ecs, reverted, from, {
        rolloutState: 'FAILED',
        rolloutStateReason: `ECS deployment ${from} stopped by StopServiceDeployment.`,
      });
  return say(ecs, failed, `rolling back to deployment ${to}.`);
}

/** The deployment can't go on and there is nothing to go back to: it starts no more tasks. */
function giveUp(ecs: EcsContext, service: ServiceRecord, action: ActionOf<'giveUp'>): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const alreadyFailed = service.deployments.some(
    ({ id, rolloutState }) => id === action.deploymentId && rolloutState === 'FAILED',
  );
  const failed = alreadyFailed ? service : failDeployment(ecs, service, action.deploymentId);
  const stoppedAt = nowIso(ecs);
  switch (action.because) {
    case 'noRollback':
      return endRollout(ecs, failed, {
        status: 'STOPPED',
        statusReason: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
        stoppedAt,
        breakerTriggered: true,
      });
    case 'noCandidate':
      return endRollout(ecs, failed, {
        status: 'ROLLBACK_FAILED',
        statusReason: 'No rollback candidate was found to run the rollback.',
        stoppedAt,
      });
    case 'rollbackFailed':
      return endRollout(ecs, failed, {
        status: 'ROLLBACK_FAILED',
        statusReason: `The rollback failed: tasks failed to start.${rollout?.statusReason === undefined ? '' : ` It began so: ${rollout.statusReason}`}`,
        stoppedAt,
      });
  }
}
