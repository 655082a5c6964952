import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { ImageProcess } from './images.ts';
import { StartFailure } from './types.ts';
import type { PortBinding } from './types.ts';

/**
 * The value that `valueFrom` of a container's secret refers to: a parameter's name or ARN, or a secret's ARN with
 * optional `:json-key:version-stage:version-id`. Rejects when there is none.
 */
export type SecretReader = (valueFrom: string) => Promise<string>;

/** @throws StartFailure ResourceInitializationError when a secret can't be read */
export async function secretsOf(
  container: ContainerDefinition,
  read: SecretReader,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { name, valueFrom } of container.secrets ?? []) {
    try {
      values[name ?? ''] = await read(valueFrom ?? '');
    } catch (error) {
      throw new StartFailure(
        `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ` +
          `unable to retrieve secret ${valueFrom}: ${(error as Error).message}`,
      );
    }
  }
  return values;
}

/**
 * All that a container's process is given: the image's variables, the definition's, its secrets, `PORT` and, for
 * each further port, `PORT_<containerPort>`. Of the sandbox's own environment it gets the PATH alone.
 */
export function environmentOf(
  image: ImageProcess,
  container: ContainerDefinition,
  given: {
    readonly secrets: Readonly<Record<string, string>>;
    readonly port: number;
    readonly ports: readonly PortBinding[];
    readonly region: string;
    readonly hostPath: string;
  },
): Record<string, string> {
  const declared = (container.environment ?? []).map(({ name, value }) => [name ?? '', value ?? '']);
  return {
    AWS_REGION: given.region,
    AWS_DEFAULT_REGION: given.region,
    AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
    ...Object.fromEntries((image.Env ?? []).map(splitEntry)),
    PATH: given.hostPath,
    ...Object.fromEntries(declared),
    ...given.secrets,
    ...Object.fromEntries(
      given.ports.map(({ containerPort, hostPort }) => [`PORT_${containerPort}`, String(hostPort)]),
    ),
    PORT: String(given.port),
  };
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
