import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { clientError, unsupported } from './context.ts';

type Definition = Omit<Given<RegisterTaskDefinitionRequest, 'family' | 'containerDefinitions'>, 'tags'>;

/** Fargate's sizes: CPU units and the MiB of memory that go with them. See "Task CPU and memory" in the ECS Developer Guide. */
const FARGATE_MEMORY: Readonly<Record<number, readonly [min: number, max: number, step: number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

/** What ECS refuses of a task definition. @throws AwsError ClientException */
export function checkTaskDefinition(definition: Definition): void {
  const { family, containerDefinitions: containers } = definition;
  if (family === '') throw clientError('Family can not be blank.');
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(family)) throw clientError('Family contains invalid characters.');
  if (containers.length === 0) throw clientError('Container list cannot be empty.');
  for (const container of containers) checkContainer(container);
  const names = new Set(containers.map(({ name }) => name));
  if (names.size < containers.length)
    throw clientError('Container names must be unique within a task definition.');
  if (!containers.some(({ essential = true }) => essential)) {
    throw clientError('Invalid setting for container. At least one container must be essential.');
  }
  for (const { dependsOn = [] } of containers) {
    const unknown = dependsOn.find(({ containerName }) => !names.has(containerName));
    if (unknown)
      throw clientError(`dependsOn refers to a container that doesn't exist: ${unknown.containerName}`);
  }
  if (definition.requiresCompatibilities?.includes('FARGATE')) checkFargate(definition);
}

function checkContainer(container: ContainerDefinition): void {
  if (!container.name) throw clientError('Container.name should not be null or empty.');
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(container.name))
    throw clientError('Container.name contains invalid characters.');
  if (!container.image) throw clientError('Container.image should not be null or empty.');
  for (const { containerPort = 0 } of container.portMappings ?? []) {
    if (containerPort < 0 || containerPort > 65_535)
      throw clientError(`Invalid container port: ${containerPort}`);
  }
  for (const { name, valueFrom } of container.secrets ?? []) {
    if (!name || !valueFrom) throw clientError('Secrets need a name and a valueFrom.');
  }
  if ((container.environmentFiles ?? []).length > 0) throw unsupported('An environment file');
  if (container.restartPolicy?.enabled === true) throw unsupported('A restart policy of a container');
  if (container.healthCheck && (container.healthCheck.command ?? []).length === 0) {
    throw clientError('Health check command is empty.');
  }
}

function checkFargate(definition: Definition): void {
  if (definition.networkMode !== 'awsvpc') {
    throw clientError('Fargate only supports network mode ‘awsvpc’.');
  }
  if (definition.cpu === undefined || definition.memory === undefined) {
    throw clientError("Fargate requires that 'cpu' be defined at the task level.");
  }
  const [min, max, step] = FARGATE_MEMORY[inUnits(definition.cpu)] ?? [];
  const memory = inUnits(definition.memory);
  if (min === undefined || max === undefined || step === undefined) throw noSuchSize();
  if (memory < min || memory > max || memory % step !== 0) throw noSuchSize();
}

function inUnits(text: string): number {
  return Number.parseFloat(text) * (/vcpu|gb/i.test(text) ? 1024 : 1);
}

function noSuchSize(): Error {
  return clientError('No Fargate configuration exists for given values.');
}
