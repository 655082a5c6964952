import { isPending, isRunning } from './clusters.ts';
import type { EcsContext } from './context.ts';
import type { DeploymentRecord, ServiceRecord, TaskRecord } from './records.ts';
import { tagsOf } from './tags.ts';

/** A service as the API shows it. */
export function shownService(ecs: EcsContext, service: ServiceRecord, withTags: boolean): unknown {
  const tasks = ecs.tables.tasks.values().filter((task) => task.service?.arn === service.serviceArn);
  return {
    ...service,
    runningCount: tasks.filter(isRunning).length,
    pendingCount: tasks.filter(isPending).length,
    deployments: service.deployments.map((deployment) => shownDeployment(ecs, service, deployment, tasks)),
    currentServiceRevisions: service.deployments.map(({ id, revisionArn }) => ({
      arn: revisionArn,
      ...revisionCounts(service, id, tasks),
    })),
    ...(withTags ? { tags: tagsOf(ecs, service.serviceArn) } : {}),
  };
}

function shownDeployment(
  ecs: EcsContext,
  service: ServiceRecord,
  deployment: DeploymentRecord,
  tasks: readonly TaskRecord[],
): unknown {
  const own = tasks.filter((task) => task.service?.deploymentId === deployment.id);
  const revision = ecs.tables.revisions.get(deployment.revisionArn);
  return {
    ...deployment,
    desiredCount: desiredOf(service, deployment.id, own),
    runningCount: own.filter(isRunning).length,
    pendingCount: own.filter(isPending).length,
    launchType: revision?.launchType,
    capacityProviderStrategy: revision?.capacityProviderStrategy,
    platformVersion: revision?.platformVersion,
    networkConfiguration: revision?.networkConfiguration,
  };
}

function revisionCounts(
  service: ServiceRecord,
  deploymentId: string,
  tasks: readonly TaskRecord[],
): { requestedTaskCount: number; runningTaskCount: number; pendingTaskCount: number } {
  const own = tasks.filter((task) => task.service?.deploymentId === deploymentId);
  return {
    requestedTaskCount: desiredOf(service, deploymentId, own),
    runningTaskCount: own.filter(isRunning).length,
    pendingTaskCount: own.filter(isPending).length,
  };
}

/** The PRIMARY deployment wants them all; of the others only those are wanted that nothing has replaced yet. */
function desiredOf(service: ServiceRecord, deploymentId: string, tasks: readonly TaskRecord[]): number {
  const primary = service.deployments.find(({ status }) => status === 'PRIMARY');
  if (primary?.id === deploymentId) return service.desiredCount;
  return tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING').length;
}
