import {
  ClusterNotFoundException,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import type {
  DeploymentLifecycleHookDetail,
  ListTasksRequest,
  Service,
  ServiceDeployment,
  ServiceDeploymentStatus,
  Task,
} from '@aws-sdk/client-ecs';
import type { Target } from '../../domain/policy.ts';
import type { ObservedDeployment, ObservedHook } from '../../domain/rollout.ts';
import type { AwsClients } from '../aws.ts';
import { describeDeployments, describeRevisions } from '../observation/revisions.ts';
import { allPages, chunks, createBatcher } from './batch.ts';
import { trafficWeight } from './state.ts';

const UNFINISHED: ServiceDeploymentStatus[] = [
  'PENDING',
  'IN_PROGRESS',
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
];

/** Reads ECS. Polls of all followers of one worker are coalesced; everything else is read at once. */
export type EcsReader = ReturnType<typeof createEcsReader>;

/** @param interval least milliseconds between two polls of one cluster */
export function createEcsReader(aws: AwsClients, interval: number) {
  const taskDefinitionOfRevision = new Map<string, string>();
  const services = createBatcher({ interval, size: 10, keyOf: clusterKey, fetch: describeServices });
  const deployments = createBatcher({ interval, size: 20, keyOf: accountKey, fetch: readDeployments });

  async function describeServices(target: Target, names: string[]): Promise<ReadonlyMap<string, Service>> {
    const found = await aws
      .clientsFor(target)
      .ecs.send(new DescribeServicesCommand({ cluster: target.cluster, services: names }));
    const active = (found.services ?? []).filter(({ status }) => status !== 'INACTIVE');
    return new Map(active.map((service) => [service.serviceName ?? '', service]));
  }

  async function readDeployments(
    target: Target,
    arns: string[],
  ): Promise<ReadonlyMap<string, ObservedDeployment>> {
    const known = [...(await describeDeployments(aws.clientsFor(target), arns))];
    const targets = await taskDefinitions(
      target,
      known.map(([, each]) => each.targetServiceRevision?.arn),
    );
    return new Map(
      known.map(([arn, each]) => [
        arn,
        { ...observed(each, each.targetServiceRevision?.arn, targets), ...progressOf(each) },
      ]),
    );
  }

  async function readDeployment(target: Target, arn: string): Promise<ObservedDeployment | undefined> {
    return (await readDeployments(target, [arn])).get(arn);
  }

  /** Task definition ARNs by revision ARN. A revision never changes, so it is read once. */
  async function taskDefinitions(
    target: Target,
    revisions: (string | undefined)[],
  ): Promise<ReadonlyMap<string, string>> {
    const unknown = new Set(revisions.filter((arn) => arn !== undefined));
    for (const known of taskDefinitionOfRevision.keys()) unknown.delete(known);
    const found = await describeRevisions(aws.clientsFor(target), [...unknown]);
    for (const [arn, { taskDefinition }] of found)
      if (taskDefinition) taskDefinitionOfRevision.set(arn, taskDefinition);
    return taskDefinitionOfRevision;
  }

  async function listDeployments(
    target: Target,
    service: string,
    filter: { status: ServiceDeploymentStatus[] } | { createdAt: { after: Date } },
  ): Promise<ObservedDeployment[]> {
    const { ecs } = aws.clientsFor(target);
    const briefs = await allPages(async (nextToken) => {
      const input = { cluster: target.cluster, service, nextToken, ...filter };
      const page = await ecs.send(new ListServiceDeploymentsCommand(input));
      return { items: page.serviceDeployments, nextToken: page.nextToken };
    });
    const targets = await taskDefinitions(
      target,
      briefs.map((each) => each.targetServiceRevisionArn),
    );
    return briefs
      .map((brief) => observed(brief, brief.targetServiceRevisionArn, targets))
      .toSorted((a, b) => b.createdAt - a.createdAt);
  }

  async function listTasks(target: Target, filter: ListTasksRequest): Promise<Task[]> {
    const { ecs } = aws.clientsFor(target);
    const arns = await allPages(async (nextToken) => {
      const page = await ecs.send(new ListTasksCommand({ cluster: target.cluster, nextToken, ...filter }));
      return { items: page.taskArns, nextToken: page.nextToken };
    });
    return describeTasks(target, arns);
  }

  async function describeTasks(target: Target, arns: string[]): Promise<Task[]> {
    const { ecs } = aws.clientsFor(target);
    const described = await Promise.all(
      chunks(arns, 100).map((tasks) =>
        ecs.send(new DescribeTasksCommand({ cluster: target.cluster, tasks })),
      ),
    );
    return described.flatMap(({ tasks = [] }) => tasks);
  }

  async function readServices(target: Target, names: string[]): Promise<ReadonlyMap<string, Service>> {
    const some = chunks(names, 10).map((chunk) => describeServices(target, chunk).catch(noneWithoutCluster));
    return new Map((await Promise.all(some)).flatMap((found) => [...found]));
  }

  return {
    listTasks,
    describeTasks,
    /** The services as they are now, by name; without those that do not exist, or whose cluster doesn't. */
    services: readServices,
    service: async (target: Target, name: string) => (await readServices(target, [name])).get(name),
    /** The same at the next poll. */
    polledService: (target: Target, name: string) => services.ask(target, name),
    polledDeployment: (target: Target, arn: string) => deployments.ask(target, arn),
    /** The deployment as it is now, with its stage, weight and hooks. */
    deployment: readDeployment,
    /** Newest first. @param since milliseconds since the epoch */
    deploymentsSince: (target: Target, service: string, since: number) =>
      listDeployments(target, service, { createdAt: { after: new Date(since) } }),
    /** The newest deployment that ECS still works on, with its stage, weight and hooks. */
    async unfinishedDeployment(target: Target, service: string): Promise<ObservedDeployment | undefined> {
      const [newest] = await listDeployments(target, service, { status: UNFINISHED });
      return newest && ((await readDeployment(target, newest.arn)) ?? newest);
    },
    runningTasks: (target: Target, service: string) =>
      listTasks(target, { serviceName: service, desiredStatus: 'RUNNING' }),
    /** ECS tells of them for about an hour. */
    stoppedTasks: (target: Target, service: string) =>
      listTasks(target, { serviceName: service, desiredStatus: 'STOPPED' }),
    /** Image digests by container name, of the containers whose image the task definition pins by digest. */
    async pinnedDigests(target: Target, taskDefinition: string): Promise<ReadonlyMap<string, string>> {
      const { ecs } = aws.clientsFor(target);
      const found = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
      const containers = found.taskDefinition?.containerDefinitions ?? [];
      return new Map(
        containers.flatMap(({ name = '', image = '' }) => {
          const [, digest] = image.split('@');
          return digest ? [[name, digest] as const] : [];
        }),
      );
    },
  };
}

function observed(
  deployment: Pick<ServiceDeployment, 'serviceDeploymentArn' | 'status' | 'statusReason' | 'createdAt'>,
  revision: string | undefined,
  taskDefinitions: ReadonlyMap<string, string>,
): ObservedDeployment {
  const taskDefinition = taskDefinitions.get(revision ?? '');
  return {
    arn: deployment.serviceDeploymentArn ?? '',
    status: deployment.status ?? 'PENDING',
    createdAt: deployment.createdAt?.getTime() ?? 0,
    ...(deployment.statusReason && { statusReason: deployment.statusReason }),
    ...(taskDefinition && { taskDefinition }),
  };
}

/** What a list of deployments doesn't tell. */
function progressOf(
  deployment: ServiceDeployment,
): Pick<ObservedDeployment, 'strategy' | 'stage' | 'weight' | 'hooks' | 'alarms'> {
  const { deploymentConfiguration, lifecycleStage: stage, lifecycleHookDetails = [], alarms } = deployment;
  const weight = trafficWeight(deployment);
  return {
    strategy: deploymentConfiguration?.strategy ?? 'ROLLING',
    ...(stage && { stage }),
    ...(weight !== undefined && { weight }),
    hooks: lifecycleHookDetails.flatMap(hookOf),
    alarms: alarms?.triggeredAlarmNames ?? [],
  };
}

function hookOf({ hookId, targetType, status, expiresAt }: DeploymentLifecycleHookDetail): ObservedHook[] {
  if (hookId === undefined || status === undefined) return [];
  const hook = { id: hookId, target: targetType ?? 'AWS_LAMBDA', status };
  return [{ ...hook, ...(expiresAt && { expiresAt: expiresAt.getTime() }) }];
}

function noneWithoutCluster(error: unknown): ReadonlyMap<string, Service> {
  if (error instanceof ClusterNotFoundException) return new Map();
  throw error;
}

function accountKey({ region, role = '', account }: Target): string {
  return [region, role, account].join(' ');
}

function clusterKey(target: Target): string {
  return `${accountKey(target)} ${target.cluster}`;
}
