import {
  DeleteParametersCommand,
  GetParametersCommand,
  ParameterAlreadyExists,
  PutParameterCommand,
} from '@aws-sdk/client-ssm';
import type { Parameter, SSMClient, Tag } from '@aws-sdk/client-ssm';
import { ApplicationFailure } from '@temporalio/common';

/** Names in one GetParameters or DeleteParameters. */
const BATCH = 10;

/** Asserts the lock right before a write. */
export type BeforeWrite = () => Promise<void>;

/** A parameter as a release wants it. */
export interface Wanted {
  readonly name: string;
  readonly value: string;
}

/** @returns those of `names` that there are, by name */
export async function readParameters(
  ssm: SSMClient,
  names: readonly string[],
): Promise<Map<string, Parameter>> {
  const answers = await Promise.all(
    batches(names).map((batch) =>
      ssm.send(new GetParametersCommand({ Names: batch, WithDecryption: false })),
    ),
  );
  return new Map(
    answers.flatMap(({ Parameters = [] }) =>
      Parameters.map((parameter) => [parameter.Name ?? '', parameter]),
    ),
  );
}

/**
 * Writes parameters once: one that is there with the same value stays as it is.
 * @throws non-retryable `SettingConflict` when one is there with another value; then nothing was written, unless it came meanwhile
 */
export async function writeOnce(
  ssm: SSMClient,
  wanted: readonly Wanted[],
  tags: readonly Tag[],
  beforeWrite: BeforeWrite,
): Promise<void> {
  const missing = await stillMissing(ssm, wanted);
  for (const { name, value } of missing) {
    await beforeWrite();
    try {
      // One at a time: SSM allows 3 of these a second before it throttles.
      await ssm.send(new PutParameterCommand({ Name: name, Value: value, Type: 'String', Tags: [...tags] }));
    } catch (error) {
      if (!(error instanceof ParameterAlreadyExists)) throw error;
      // An attempt whose answer was lost.
      await stillMissing(ssm, [{ name, value }]);
    }
  }
}

/** Deletes parameters. @returns the names that were there */
export async function deleteParameters(
  ssm: SSMClient,
  names: readonly string[],
  beforeWrite: BeforeWrite,
): Promise<string[]> {
  const deleted: string[] = [];
  for (const batch of batches(names)) {
    await beforeWrite();
    const { DeletedParameters = [] } = await ssm.send(new DeleteParametersCommand({ Names: batch }));
    deleted.push(...DeletedParameters);
  }
  return deleted;
}

async function stillMissing(ssm: SSMClient, wanted: readonly Wanted[]): Promise<Wanted[]> {
  const present = await readParameters(
    ssm,
    wanted.map(({ name }) => name),
  );
  const conflicts = wanted
    .filter(({ name, value }) => present.has(name) && present.get(name)?.Value !== value)
    .map(({ name }) => name);
  if (conflicts.length > 0) throw settingConflict(conflicts);
  return wanted.filter(({ name }) => !present.has(name));
}

function settingConflict(names: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `There already, with another value: ${names.join(', ')}. A release's settings are written once: release a new version, or delete these if no task reads them.`,
    'SettingConflict',
    { names },
  );
}

function batches(names: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(names.length / BATCH) }, (_, i) =>
    names.slice(i * BATCH, (i + 1) * BATCH),
  );
}
