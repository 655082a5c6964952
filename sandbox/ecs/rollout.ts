import type { ServiceDeploymentStatus } from '@aws-sdk/client-ecs';
import { arn, digitId, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { DeploymentRecord, RevisionRecord, ServiceDeploymentRecord, ServiceRecord } from './records.ts';
import { watchesAlarms } from './deployment-alarms.ts';
import { settleAll } from './hooks.ts';
import { shiftsTraffic } from './strategy.ts';
import { definitionOf } from './task-spec.ts';
import { canDivide, resetTraffic, resolveGroups } from './traffic.ts';
import { breakerThreshold } from './view.ts';
import { parseImage } from '../tasks/image-reference.ts';

const ENDED: ReadonlySet<ServiceDeploymentStatus> = new Set([
  'SUCCESSFUL',
  'STOPPED',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
]);

export function hasEnded({ status }: ServiceDeploymentRecord): boolean {
  return ENDED.has(status);
}

/** The service deployment in progress; undefined when there is none. */
export function currentRollout(ecs: EcsContext, service: ServiceRecord): ServiceDeploymentRecord | undefined {
  const current = service.currentServiceDeployment;
  return current === undefined ? undefined : ecs.tables.serviceDeployments.get(current);
}

export function changeRollout(
  ecs: EcsContext,
  rollout: ServiceDeploymentRecord,
  change: Partial<ServiceDeploymentRecord>,
): ServiceDeploymentRecord {
  const changed = { ...rollout, ...change, updatedAt: nowIso(ecs) };
  ecs.tables.serviceDeployments.set(rollout.serviceDeploymentArn, changed);
  return changed;
}

/** The deployment has failed or is unwanted: the scheduler takes it back. @param because what the status reason ends with */
export function requestRollback(ecs: EcsContext, rollout: ServiceDeploymentRecord, because: string): void {
  changeRollout(ecs, rollout, {
    status: 'ROLLBACK_REQUESTED',
    statusReason: `Service deployment rolled back ${because}`,
    hooks: settleAll(rollout.hooks),
  });
}

/** Digests that the revision's images stand for, as far as the registry knows them now. */
export async function resolveImages(
  ecs: EcsContext,
  taskDefinition: string,
): Promise<RevisionRecord['containerImages']> {
  const containers = definitionOf(ecs, taskDefinition).containerDefinitions ?? [];
  return Promise.all(
    containers.map(async ({ name: containerName = '', image = '' }) => {
      const { repository, reference } = parseImage(image);
      const found = await ecs.images.resolve(repository, reference);
      return found ? { containerName, image, imageDigest: found.digest } : { containerName, image };
    }),
  );
}

/**
 * Begins a service deployment of what the service now says: a new revision, a new PRIMARY deployment, and the one
 * that was in progress ends as stopped.
 * @param served whether the service had tasks to serve with before
 */
export function beginRollout(
  ecs: EcsContext,
  before: ServiceRecord,
  containerImages: RevisionRecord['containerImages'],
  served: boolean,
): ServiceRecord {
  const at = nowIso(ecs);
  const path = `${shortName(before.clusterArn)}/${before.serviceName}`;
  const service = supersede(ecs, before);
  const source = sourceOf(service);
  const serving = source && ecs.tables.revisions.get(source.revisionArn);
  const { deploymentConfiguration } = service;
  const shifts = shiftsTraffic(deploymentConfiguration);
  const serves = served && canDivide(service.loadBalancers, serving);
  const revision: RevisionRecord = {
    ...revisionOf(ecs, service, arn(ecs, `service-revision/${path}/${digitId()}`), containerImages),
    resolvedConfiguration: { loadBalancers: resolveGroups(service.loadBalancers, serving, shifts) },
  };
  const deployment = deploymentOf(revision, at);
  const rollout: ServiceDeploymentRecord = {
    serviceDeploymentArn: arn(ecs, `service-deployment/${path}/${digitId()}`),
    serviceArn: service.serviceArn,
    clusterArn: service.clusterArn,
    deploymentId: deployment.id,
    createdAt: at,
    updatedAt: at,
    sourceRevisionArns: service.deployments.map(({ revisionArn }) => revisionArn),
    targetRevisionArn: revision.serviceRevisionArn,
    status: 'PENDING',
    stageSince: at,
    ...(source && serves ? { sourceDeploymentId: source.id } : {}),
    ...(source ? { servingRevisionArn: source.revisionArn } : {}),
    weights: { production: 0, test: 0 },
    hooks: [],
    alarmsWatched: watchesAlarms(ecs, { deploymentConfiguration }),
    triggeredAlarms: [],
    deploymentConfiguration,
    failureCount: 0,
    threshold: breakerThreshold(service.desiredCount),
    breakerTriggered: false,
  };
  ecs.tables.revisions.set(revision.serviceRevisionArn, revision);
  ecs.tables.serviceDeployments.set(rollout.serviceDeploymentArn, rollout);
  if (shifts && service.deployments.length > 1) resetTraffic(ecs, rollout);
  return {
    ...service,
    deployments: [
      deployment,
      ...service.deployments.map((old): DeploymentRecord => ({ ...old, status: 'ACTIVE' })),
    ],
    currentServiceDeployment: rollout.serviceDeploymentArn,
    steady: false,
  };
}

/** What serves: the deployment that last completed, or, when none ever has, the latest. */
function sourceOf({ deployments, lastCompleted }: ServiceRecord): DeploymentRecord | undefined {
  return deployments.find(({ id }) => id === lastCompleted?.deploymentId) ?? deployments[0];
}

/** Ends the deployment in progress. One that has shifted and baked everything is what a rollback goes back to. */
function supersede(ecs: EcsContext, service: ServiceRecord): ServiceRecord {
  const running = currentRollout(ecs, service);
  if (!running) return service;
  const at = nowIso(ecs);
  changeRollout(ecs, running, {
    status: 'STOPPED',
    statusReason: 'Service deployment stopped because a new service deployment was started.',
    stoppedAt: at,
    finishedAt: at,
    hooks: settleAll(running.hooks),
  });
  const { deploymentId, targetRevisionArn: revisionArn, deploymentConfiguration, rollback, stage } = running;
  const took = shiftsTraffic(deploymentConfiguration) && !rollback && stage === 'CLEAN_UP';
  return took ? { ...service, lastCompleted: { deploymentId, revisionArn } } : service;
}

function revisionOf(
  ecs: EcsContext,
  service: ServiceRecord,
  serviceRevisionArn: string,
  containerImages: RevisionRecord['containerImages'],
): Omit<RevisionRecord, 'resolvedConfiguration'> {
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration, serviceRegistries } =
    service;
  return {
    serviceRevisionArn,
    serviceArn: service.serviceArn,
    clusterArn: service.clusterArn,
    taskDefinition: service.taskDefinition,
    loadBalancers: service.loadBalancers,
    containerImages,
    createdAt: nowIso(ecs),
    ...(launchType ? { launchType } : {}),
    ...(capacityProviderStrategy ? { capacityProviderStrategy } : {}),
    ...(platformVersion === undefined ? {} : { platformVersion }),
    ...(networkConfiguration ? { networkConfiguration } : {}),
    ...(serviceRegistries ? { serviceRegistries } : {}),
  };
}

function deploymentOf(revision: RevisionRecord, at: string): DeploymentRecord {
  const id = `ecs-svc/${digitId()}`;
  return {
    id,
    status: 'PRIMARY',
    revisionArn: revision.serviceRevisionArn,
    taskDefinition: revision.taskDefinition,
    createdAt: at,
    updatedAt: at,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    failedTasks: 0,
    succeeded: false,
    launchFailures: 0,
  };
}

/** The service as it is after going back: the old deployment is PRIMARY again, and the service says what it runs. */
export function revertTo(
  ecs: EcsContext,
  service: ServiceRecord,
  target: { readonly deploymentId: string; readonly revisionArn: string },
  reason: string,
): ServiceRecord {
  const revision = ecs.tables.revisions.get(target.revisionArn);
  if (!revision) throw new Error(`There is no service revision ${target.revisionArn}`);
  const at = nowIso(ecs);
  const known = service.deployments.find(({ id }) => id === target.deploymentId);
  const revived: DeploymentRecord = {
    ...(known ?? { ...deploymentOf(revision, at), id: target.deploymentId }),
    status: 'PRIMARY',
    updatedAt: at,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: reason,
    failedTasks: 0,
    launchFailures: 0,
    succeeded: false,
  };
  const others = service.deployments
    .filter(({ id }) => id !== target.deploymentId)
    .map((old): DeploymentRecord => ({ ...old, status: 'ACTIVE', updatedAt: at }));
  const { networkConfiguration, platformVersion } = revision;
  return {
    ...service,
    deployments: [revived, ...others],
    taskDefinition: revision.taskDefinition,
    loadBalancers: [...revision.loadBalancers],
    ...(networkConfiguration ? { networkConfiguration } : {}),
    ...(platformVersion === undefined ? {} : { platformVersion }),
  };
}
