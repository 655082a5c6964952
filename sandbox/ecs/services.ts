import type { CreateServiceRequest, DeleteServiceRequest, UpdateServiceRequest } from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { RequestContext } from '../protocol/service.ts';
import { activeCluster, arn, given, invalid, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { ServiceRecord, TaskDefinitionRecord } from './records.ts';
import { beginRollout, currentRollout, resolveImages } from './rollout.ts';
import type { Scheduler } from './scheduler.ts';
import { configurationOf } from './deployment-configuration.ts';
import { checkService } from './service-rules.ts';
import { shownService } from './service-shown.ts';
import { writeTags } from './tags.ts';
import { usableDefinition } from './task-definitions.ts';

export function createService(ecs: EcsContext, scheduler: Scheduler) {
  return async (
    input: Given<CreateServiceRequest, 'serviceName'>,
    request: RequestContext,
  ): Promise<unknown> => {
    const cluster = activeCluster(ecs, input.cluster);
    const { serviceName } = input;
    if (!/^[a-zA-Z0-9_-]{1,255}$/.test(serviceName))
      throw invalid('Service name contains invalid characters.');
    const serviceArn = arn(ecs, `service/${cluster.clusterName}/${serviceName}`);
    const before = existing(ecs, serviceArn);
    if (before) return { service: again(ecs, before, input) };
    const definition = usableDefinition(ecs, input.taskDefinition);
    const deploymentConfiguration = configurationOf(input.deploymentConfiguration);
    checkService(ecs, { ...input, deploymentConfiguration }, definition);
    const images = await resolveImages(ecs, definition.taskDefinitionArn);
    // Another creation may have been faster while the images were looked up.
    const faster = existing(ecs, serviceArn);
    if (faster) return { service: again(ecs, faster, input) };
    const service = newService(ecs, input, {
      serviceArn,
      clusterArn: cluster.clusterArn,
      definition,
      request,
    });
    writeTags(ecs, serviceArn, input.tags ?? []);
    const begun = beginRollout(ecs, service, images, false);
    ecs.tables.services.set(serviceArn, begun);
    scheduler.look(serviceArn);
    return { service: shownService(ecs, begun, true) };
  };
}

function existing(ecs: EcsContext, serviceArn: string): ServiceRecord | undefined {
  const service = ecs.tables.services.get(serviceArn);
  return service?.status === 'INACTIVE' ? undefined : service;
}

/** A repeated creation with the same client token is answered as the first was. @throws AwsError otherwise */
function again(ecs: EcsContext, known: ServiceRecord, input: CreateServiceRequest): unknown {
  if (known.status === 'DRAINING') throw invalid('Unable to Start a service that is still Draining.');
  if (input.clientToken === undefined || input.clientToken !== known.clientToken) {
    throw invalid('Creation of service was not idempotent.');
  }
  return shownService(ecs, known, true);
}

function newService(
  ecs: EcsContext,
  input: Given<CreateServiceRequest, 'serviceName'>,
  where: {
    serviceArn: string;
    clusterArn: string;
    definition: TaskDefinitionRecord;
    request: RequestContext;
  },
): ServiceRecord {
  const { cluster: _cluster, tags: _tags, clientToken, role, ...rest } = given(input);
  return {
    placementConstraints: [],
    placementStrategy: [],
    serviceRegistries: [],
    schedulingStrategy: 'REPLICA',
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    propagateTags: 'NONE',
    deploymentController: { type: 'ECS' },
    ...(input.capacityProviderStrategy ? {} : { launchType: input.launchType ?? 'EC2' }),
    ...rest,
    serviceName: input.serviceName,
    serviceArn: where.serviceArn,
    clusterArn: where.clusterArn,
    status: 'ACTIVE',
    desiredCount: input.desiredCount ?? 0,
    taskDefinition: where.definition.taskDefinitionArn,
    loadBalancers: input.loadBalancers ?? [],
    deploymentConfiguration: configurationOf(input.deploymentConfiguration),
    deployments: [],
    events: [],
    steady: false,
    createdAt: nowIso(ecs),
    createdBy: `arn:aws:iam::${where.request.accountId}:root`,
    ...(role === undefined ? {} : { roleArn: role }),
    ...(clientToken === undefined ? {} : { clientToken }),
  };
}

export function updateService(ecs: EcsContext, scheduler: Scheduler) {
  return async (input: Given<UpdateServiceRequest, 'service'>): Promise<unknown> => {
    const { serviceArn } = activeService(ecs, input.cluster, input.service);
    const definition =
      input.taskDefinition === undefined ? undefined : usableDefinition(ecs, input.taskDefinition);
    const before = activeService(ecs, input.cluster, input.service);
    const changed = updated(before, input, definition);
    checkService(ecs, changed, definition ?? usedDefinition(ecs, changed));
    const rollsOut = input.forceNewDeployment === true || needsRollout(before, changed);
    const images = rollsOut ? await resolveImages(ecs, changed.taskDefinition) : [];
    // The scheduler may have worked while the images were looked up.
    const latest = activeService(ecs, input.cluster, input.service);
    checkStrategyChange(ecs, latest, changed);
    const current = updated(latest, input, definition);
    const stored = rollsOut ? beginRollout(ecs, current, images, latest.desiredCount > 0) : current;
    ecs.tables.services.set(serviceArn, stored);
    scheduler.look(serviceArn);
    return { service: shownService(ecs, stored, false) };
  };
}

/** "You can't migrate a service if there is an ongoing deployment": that goes for changes of its strategy. */
function checkStrategyChange(ecs: EcsContext, before: ServiceRecord, after: ServiceRecord): void {
  if (!currentRollout(ecs, before)) return;
  if (before.deploymentConfiguration.strategy === after.deploymentConfiguration.strategy) return;
  throw invalid('The deployment strategy cannot be changed while a service deployment is in progress.');
}

function usedDefinition(ecs: EcsContext, service: ServiceRecord): TaskDefinitionRecord {
  const found = ecs.tables.taskDefinitions.get(shortName(service.taskDefinition));
  if (!found) throw invalid('TaskDefinition not found.');
  return found;
}

function updated(
  service: ServiceRecord,
  input: Given<UpdateServiceRequest, 'service'>,
  definition: TaskDefinitionRecord | undefined,
): ServiceRecord {
  const {
    cluster: _c,
    service: _s,
    forceNewDeployment: _f,
    taskDefinition: _t,
    deploymentConfiguration,
    ...rest
  } = given(input);
  return {
    ...service,
    ...rest,
    ...(definition ? { taskDefinition: definition.taskDefinitionArn } : {}),
    deploymentConfiguration: configurationOf(deploymentConfiguration, service.deploymentConfiguration),
  };
}

/** The members whose change makes a deployment, by the API reference of UpdateService. */
const ROLLED_OUT = [
  'taskDefinition',
  'networkConfiguration',
  'platformVersion',
  'loadBalancers',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
] as const;

function needsRollout(before: ServiceRecord, after: ServiceRecord): boolean {
  const [was, is] = [before, after].map((service) => {
    const fields = service as unknown as Record<string, unknown>;
    return JSON.stringify(ROLLED_OUT.map((name) => fields[name] ?? null));
  });
  return was !== is;
}

/** Marks the service as draining; with `force` its tasks are stopped whatever its desired count. */
export function deleteService(ecs: EcsContext, scheduler: Scheduler) {
  return (input: Given<DeleteServiceRequest, 'service'>): unknown => {
    const service = findService(ecs, input.cluster, input.service);
    if (service.status !== 'ACTIVE') return { service: shownService(ecs, service, false) };
    if (input.force !== true && service.desiredCount > 0) {
      throw invalid('The service cannot be stopped while it is scaled above 0.');
    }
    const draining: ServiceRecord = { ...service, status: 'DRAINING', desiredCount: 0 };
    ecs.tables.services.set(service.serviceArn, draining);
    scheduler.look(service.serviceArn);
    return { service: shownService(ecs, draining, false) };
  };
}

/** @throws AwsError ServiceNotFoundException */
export function findService(ecs: EcsContext, cluster: string | undefined, nameOrArn: string): ServiceRecord {
  const { clusterName } = activeCluster(ecs, cluster ?? clusterInArn(nameOrArn));
  const service = ecs.tables.services.get(arn(ecs, `service/${clusterName}/${shortName(nameOrArn)}`));
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
  return service;
}

function clusterInArn(nameOrArn: string): string | undefined {
  return /:service\/([^/]+)\/[^/]+$/.exec(nameOrArn)?.[1];
}

function activeService(ecs: EcsContext, cluster: string | undefined, nameOrArn: string): ServiceRecord {
  const service = findService(ecs, cluster, nameOrArn);
  if (service.status !== 'ACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');
  return service;
}
