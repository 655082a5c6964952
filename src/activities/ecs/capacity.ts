import {
  DescribeCapacityProvidersCommand,
  DescribeContainerInstancesCommand,
  ListContainerInstancesCommand,
} from '@aws-sdk/client-ecs';
import type { CapacityProvider, ContainerInstance, Resource, Service } from '@aws-sdk/client-ecs';
import type { Target } from '../../domain/policy.ts';
import type { TaskDefinition } from '../../domain/task-definition.ts';
import type { AwsClients } from '../aws.ts';
import { allPages, chunks } from './batch.ts';

/** What a task takes of an instance, and what an instance has left: CPU units (1,024 a vCPU) and MiB. */
export interface Resources {
  readonly cpu: number;
  readonly memory: number;
}

/** A container instance that takes tasks, and what it has left for them. */
export interface Instance extends Resources {
  /** Its capacity provider. */
  readonly provider?: string;
}

/** Where a service's tasks go: where ECS finds the room itself, or to instances (of the capacity providers, if any are named). */
export type Capacity =
  | { readonly kind: 'found by ECS'; readonly where: string }
  | { readonly kind: 'instances'; readonly providers: readonly string[] };

const FARGATE = ['FARGATE', 'FARGATE_SPOT'];

/** @returns the capacity of each service, in the order of `services`, and the cluster's instances where one goes to them */
export async function readCapacity(
  aws: AwsClients,
  target: Target,
  services: readonly Service[],
): Promise<{ readonly capacities: readonly Capacity[]; readonly instances: readonly Instance[] }> {
  const names = new Set(services.flatMap(providersOf).filter((name) => !FARGATE.includes(name)));
  const providers = names.size > 0 ? await readProviders(aws, target, [...names]) : [];
  const capacities = services.map((service) => capacityOf(service, providers));
  const needed = capacities.some(({ kind }) => kind === 'instances');
  return { capacities, instances: needed ? await readInstances(aws, target) : [] };
}

function providersOf({ capacityProviderStrategy = [] }: Service): string[] {
  return capacityProviderStrategy.map(({ capacityProvider = '' }) => capacityProvider);
}

function capacityOf(service: Service, known: readonly CapacityProvider[]): Capacity {
  const names = providersOf(service);
  const { launchType } = service;
  if (names.length === 0 && launchType === 'FARGATE') return { kind: 'found by ECS', where: 'on Fargate' };
  if (names.length === 0 && launchType === 'MANAGED_INSTANCES')
    return { kind: 'found by ECS', where: 'on managed instances' };
  const scales = (name: string) =>
    FARGATE.includes(name) || known.some((provider) => provider.name === name && scalesOut(provider));
  return names.length > 0 && names.every(scales)
    ? { kind: 'found by ECS', where: `by ${names.join(' and ')}` }
    : { kind: 'instances', providers: names };
}

function scalesOut({ autoScalingGroupProvider, managedInstancesProvider }: CapacityProvider): boolean {
  return (
    managedInstancesProvider !== undefined || autoScalingGroupProvider?.managedScaling?.status === 'ENABLED'
  );
}

async function readProviders(aws: AwsClients, target: Target, names: string[]): Promise<CapacityProvider[]> {
  const request = new DescribeCapacityProvidersCommand({ capacityProviders: names });
  return (await aws.clientsFor(target).ecs.send(request)).capacityProviders ?? [];
}

async function readInstances(aws: AwsClients, { cluster, ...target }: Target): Promise<Instance[]> {
  const { ecs } = aws.clientsFor(target);
  const arns = await allPages(async (nextToken) => {
    const page = await ecs.send(new ListContainerInstancesCommand({ cluster, status: 'ACTIVE', nextToken }));
    return { items: page.containerInstanceArns, nextToken: page.nextToken };
  });
  const described = await Promise.all(
    chunks(arns, 100).map((containerInstances) =>
      ecs.send(new DescribeContainerInstancesCommand({ cluster, containerInstances })),
    ),
  );
  return described
    .flatMap(({ containerInstances = [] }) => containerInstances)
    .filter(({ agentConnected }) => agentConnected)
    .map(leftOn);
}

function leftOn({ remainingResources = [], capacityProviderName: provider }: ContainerInstance): Instance {
  const left = (wanted: string) =>
    remainingResources.find(({ name }: Resource) => name === wanted)?.integerValue ?? 0;
  return { cpu: left('CPU'), memory: left('MEMORY'), ...(provider && { provider }) };
}

/** What ECS reserves for a task: what the task says, otherwise what its containers say (a soft limit before a hard one). */
export function needsOf({ cpu, memory, containerDefinitions }: TaskDefinition): Resources {
  const sum = (amount: (container: Readonly<Record<string, unknown>>) => number) =>
    containerDefinitions.reduce((total, container) => total + amount({ ...container }), 0);
  return {
    cpu: amountOf(cpu) ?? sum((container) => amountOf(container['cpu']) ?? 0),
    memory:
      amountOf(memory) ??
      sum((container) => amountOf(container['memoryReservation']) ?? amountOf(container['memory']) ?? 0),
  };
}

/** CPU units or MiB, from ECS's notations: `256`, `"256"`, `".25 vCPU"`, `"1 GB"`. */
function amountOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const [, amount, unit] = (typeof value === 'string' && /^([\d.]+)\s*(vCPU|GB)?$/i.exec(value.trim())) || [];
  return amount === undefined ? undefined : Number(amount) * (unit === undefined ? 1 : 1024);
}

/**
 * Puts `count` tasks on the instances (of `providers`, if any are named), each on the first that has room.
 * @returns how many found room, and what is left then
 */
export function place(
  instances: readonly Instance[],
  { cpu, memory }: Resources,
  count: number,
  providers: readonly string[] = [],
): { readonly placed: number; readonly left: readonly Instance[] } {
  const left = [...instances];
  for (let placed = 0; placed < count; placed++) {
    const at = left.findIndex(
      (instance) =>
        instance.cpu >= cpu &&
        instance.memory >= memory &&
        (providers.length === 0 || providers.includes(instance.provider ?? '')),
    );
    const instance = left[at];
    if (!instance) return { placed, left };
    left[at] = { ...instance, cpu: instance.cpu - cpu, memory: instance.memory - memory };
  }
  return { placed: count, left };
}
