import type { ServiceDeploymentStatus } from '@aws-sdk/client-ecs';
import { arn, digitId, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { DeploymentRecord, RevisionRecord, ServiceDeploymentRecord, ServiceRecord } from './records.ts';
import { strategyNamed } from './strategy.ts';
import { definitionOf } from './task-spec.ts';
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
 */
export function beginRollout(
  ecs: EcsContext,
  service: ServiceRecord,
  containerImages: RevisionRecord['containerImages'],
): ServiceRecord {
  const at = nowIso(ecs);
  const path = `${shortName(service.clusterArn)}/${service.serviceName}`;
  const revision = revisionOf(
    ecs,
    service,
    arn(ecs, `service-revision/${path}/${digitId()}`),
    containerImages,
  );
  const deployment = deploymentOf(revision, at);
  supersede(ecs, service);
  const strategy = strategyNamed(service.deploymentConfiguration.strategy ?? 'ROLLING');
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
    stage: strategy?.stages[0].name ?? 'SCALE_UP',
    deploymentConfiguration: service.deploymentConfiguration,
    failureCount: 0,
    threshold: breakerThreshold(service.desiredCount),
    breakerTriggered: false,
  };
  ecs.tables.revisions.set(revision.serviceRevisionArn, revision);
  ecs.tables.serviceDeployments.set(rollout.serviceDeploymentArn, rollout);
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

function supersede(ecs: EcsContext, service: ServiceRecord): void {
  const running = currentRollout(ecs, service);
  if (!running) return;
  const at = nowIso(ecs);
  changeRollout(ecs, running, {
    status: 'STOPPED',
    statusReason: 'Service deployment stopped because a new service deployment was started.',
    stoppedAt: at,
    finishedAt: at,
  });
}

function revisionOf(
  ecs: EcsContext,
  service: ServiceRecord,
  serviceRevisionArn: string,
  containerImages: RevisionRecord['containerImages'],
): RevisionRecord {
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
