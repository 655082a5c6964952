import { nowIso, shortName } from './context.ts';
import { alarmsOf } from './deployment-alarms.ts';
import type { EcsContext } from './context.ts';
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord } from './records.ts';
import { settleHook, hooksAt, settleAll } from './hooks.ts';
import { changeRollout, currentRollout, requestRollback, revertTo } from './rollout.ts';
import { namedTasks, say } from './service-events.ts';
import type { StageName } from './strategy.ts';
import { setTraffic } from './traffic.ts';
import { definitionOf } from './task-spec.ts';
import { endTask, startTask, targetsOf } from './tasks.ts';
import { managedTags, tagsOf } from './tags.ts';
import type { Action } from './view.ts';

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

const THRESHOLD_EXCEEDED = 'because the circuit breaker threshold was exceeded.';

/** Carries one action out on the record and the tasks. @returns the service as it is now; not yet stored */
export function carryOut(ecs: EcsContext, service: ServiceRecord, action: Action): ServiceRecord {
  switch (action.kind) {
    case 'startTasks':
      return startTasks(ecs, service, action);
    case 'stopTask':
      return stopTask(ecs, service, action);
    case 'enterStage':
      return enterStage(ecs, service, action);
    case 'shiftTraffic':
      return shiftTraffic(ecs, service, action);
    case 'timeOutHook':
      return timeOutHook(ecs, service, action);
    case 'complete':
      return complete(ecs, service, action);
    case 'tripBreaker':
      return tripBreaker(ecs, service, action);
    case 'fail':
      return fail(ecs, service, action);
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

function enterStage(
  ecs: EcsContext,
  service: ServiceRecord,
  { stage: name, step }: ActionOf<'enterStage'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  const { step: _before, ...rest } = rollout;
  const stage = name as StageName;
  const hooks = rollout.rollback ? rollout.hooks : hooksAt(ecs, rollout.deploymentConfiguration, stage);
  const entered = { ...rest, stage, stageSince: nowIso(ecs), hooks, ...(step === undefined ? {} : { step }) };
  changeRollout(ecs, entered, {});
  return service;
}

/** The rules first: when the sandbox dies in between, it only does so again. */
function shiftTraffic(
  ecs: EcsContext,
  service: ServiceRecord,
  { weights }: ActionOf<'shiftTraffic'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  setTraffic(ecs, rollout, weights);
  return onRollout(ecs, service, { weights });
}

function timeOutHook(
  ecs: EcsContext,
  service: ServiceRecord,
  { hookId }: ActionOf<'timeOutHook'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const hook = rollout?.hooks.find((each) => each.hookId === hookId);
  if (!rollout || !hook) return service;
  const changed = changeRollout(ecs, rollout, { hooks: settleHook(rollout.hooks, hookId, 'TIMED_OUT') });
  if (hook.timeoutAction === 'CONTINUE') return service;
  requestRollback(ecs, changed, `because the lifecycle hook ${hookId} timed out.`);
  return service;
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
  const rollout = currentRollout(ecs, service);
  if (rollout) requestRollback(ecs, { ...rollout, breakerTriggered: true }, THRESHOLD_EXCEEDED);
  return failDeployment(ecs, service, deploymentId);
}

/** What watches the deployment has found it to have failed: it is to be rolled back. */
function fail(ecs: EcsContext, service: ServiceRecord, { cause, reason }: ActionOf<'fail'>): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  const alarms = cause === 'alarm' ? { triggeredAlarms: alarmsOf(ecs, rollout) } : {};
  requestRollback(ecs, { ...rollout, ...alarms }, reason);
  return service;
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
  const { statusReason: reason = '', stage, step: _step, ...rest } = rollout;
  const cause = rollout.breakerTriggered ? 'ECS deployment circuit breaker' : 'ECS deployment stopped';
  const startedAt = nowIso(ecs);
  changeRollout(ecs, rest, {
    status: 'ROLLBACK_IN_PROGRESS',
    statusReason: reason,
    rollback: { reason, startedAt, serviceRevisionArn: target.revisionArn },
    hooks: settleAll(rollout.hooks),
    ...(stage === undefined ? {} : { interrupted: stage }),
  });
  const reverted = revertTo(ecs, service, target, `${cause}: rolling back to deploymentId ${to}.`);
  const failed = rollout.breakerTriggered
    ? reverted
    : changeDeployment(ecs, reverted, from, { rolloutState: 'FAILED', rolloutStateReason: reason });
  return say(ecs, failed, `rolling back to deployment ${to}.`);
}

/** The deployment can't go on and there is nothing to go back to: it starts no more tasks. */
function giveUp(ecs: EcsContext, service: ServiceRecord, action: ActionOf<'giveUp'>): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const alreadyFailed = service.deployments.some(
    ({ id, rolloutState }) => id === action.deploymentId && rolloutState === 'FAILED',
  );
  const failed = alreadyFailed ? service : failDeployment(ecs, service, action.deploymentId);
  if (rollout) changeRollout(ecs, rollout, { hooks: settleAll(rollout.hooks) });
  const stoppedAt = nowIso(ecs);
  switch (action.because) {
    case 'noRollback':
      return endRollout(ecs, failed, {
        status: 'STOPPED',
        statusReason: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
        stoppedAt,
        breakerTriggered: true,
      });
    case 'alarm':
      return endRollout(ecs, failed, {
        status: 'STOPPED',
        statusReason: 'Service deployment stopped because an alarm was triggered.',
        stoppedAt,
        triggeredAlarms: rollout ? alarmsOf(ecs, rollout) : [],
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
