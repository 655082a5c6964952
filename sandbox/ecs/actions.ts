import { shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { ServiceRecord } from './records.ts';
import * as rollouts from './rollout-actions.ts';
import { namedTasks, say } from './service-events.ts';
import { managedTags, tagsOf } from './tags.ts';
import { definitionOf } from './task-spec.ts';
import { endTask, startTask, targetsOf } from './tasks.ts';
import type { Action } from './view.ts';

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

/** Carries one action out on the record and the tasks. @returns the service as it is now; not yet stored */
export function carryOut(ecs: EcsContext, service: ServiceRecord, action: Action): ServiceRecord {
  switch (action.kind) {
    case 'startTasks':
      return startTasks(ecs, service, action);
    case 'stopTask':
      return stopTask(ecs, service, action);
    case 'enterStage':
      return rollouts.enterStage(ecs, service, action);
    case 'shiftTraffic':
      return rollouts.shiftTraffic(ecs, service, action);
    case 'timeOutHook':
      return rollouts.timeOutHook(ecs, service, action);
    case 'complete':
      return rollouts.complete(ecs, service, action);
    case 'tripBreaker':
      return rollouts.tripBreaker(ecs, service, action);
    case 'fail':
      return rollouts.fail(ecs, service, action);
    case 'rollBack':
      return rollouts.rollBack(ecs, service, action);
    case 'giveUp':
      return rollouts.giveUp(ecs, service, action);
    case 'dropDeployment':
      return { ...service, deployments: service.deployments.filter(({ id }) => id !== action.deploymentId) };
    case 'sayMarked':
      return {
        ...(action.steady ? say(ecs, service, 'has reached a steady state.') : service),
        steady: action.steady,
      };
    case 'inactivate':
      return inactivate(ecs, service);
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

/** "When you delete a service, Amazon ECS deletes the corresponding service deployments." */
function inactivate(ecs: EcsContext, service: ServiceRecord): ServiceRecord {
  for (const { serviceArn, serviceDeploymentArn } of ecs.tables.serviceDeployments.values()) {
    if (serviceArn === service.serviceArn) ecs.tables.serviceDeployments.delete(serviceDeploymentArn);
  }
  const { currentServiceDeployment: _gone, ...rest } = service;
  return { ...rest, status: 'INACTIVE', deployments: [] };
}
