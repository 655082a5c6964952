import type {
  ContainerDefinition,
  ContainerOverride,
  TaskDefinition,
  TaskOverride,
} from '@aws-sdk/client-ecs';
import type { TaskSpec } from '../tasks/types.ts';
import { shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { TaskDefinitionRecord, TaskRecord } from './records.ts';

/** The task as the runner needs it. */
export function specOf(ecs: EcsContext, task: TaskRecord): TaskSpec {
  const definition = definitionOf(ecs, task.taskDefinitionArn);
  const overrides: TaskOverride = task.overrides ?? {};
  return {
    taskArn: task.taskArn,
    taskId: shortName(task.taskArn),
    clusterName: shortName(task.clusterArn),
    family: definition.family,
    taskDefinitionArn: task.taskDefinitionArn,
    ...(task.service ? { serviceName: shortName(task.service.arn) } : {}),
    containers: (definition.containerDefinitions ?? []).map((container) => overridden(container, overrides)),
    reserved: reservedBy(definition),
  };
}

/** A task definition that is known to exist: records refer to it. */
export function definitionOf(ecs: EcsContext, taskDefinitionArn: string): TaskDefinitionRecord {
  const found = ecs.tables.taskDefinitions.get(shortName(taskDefinitionArn));
  if (!found) throw new Error(`There is no task definition ${taskDefinitionArn}`);
  return found;
}

function overridden(container: ContainerDefinition, overrides: TaskOverride): ContainerDefinition {
  const own: ContainerOverride =
    overrides.containerOverrides?.find(({ name }) => name === container.name) ?? {};
  return {
    ...container,
    ...(own.command ? { command: own.command } : {}),
    // The last entry of a name wins where the environment is made.
    environment: [...(container.environment ?? []), ...(own.environment ?? [])],
  };
}

/** What a task without any size is taken to reserve: one core and 1 GiB. */
const UNSIZED = { cpu: 1024, memory: 1024 };

/** The task's size, or the sum of its containers' reservations; CPU units and MiB. */
export function reservedBy(definition: Pick<TaskDefinition, 'cpu' | 'memory' | 'containerDefinitions'>): {
  cpu: number;
  memory: number;
} {
  const containers = definition.containerDefinitions ?? [];
  const cpu = units(definition.cpu, 'vcpu') ?? sum(containers.map((container) => container.cpu ?? 0));
  const memory =
    units(definition.memory, 'gb') ??
    sum(containers.map((container) => container.memoryReservation ?? container.memory ?? 0));
  return { cpu: cpu || UNSIZED.cpu, memory: memory || UNSIZED.memory };
}

/** `256` or `.25 vCPU`; `512` or `0.5 GB`: a word means 1024 of the small unit. */
function units(text: string | undefined, word: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number.parseFloat(text);
  return text.toLowerCase().includes(word) ? number * 1024 : number;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
