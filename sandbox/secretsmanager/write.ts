import { randomUUID } from 'node:crypto';
import type {
  CreateSecretRequest,
  PutSecretValueRequest,
  Tag,
  UpdateSecretRequest,
  UpdateSecretVersionStageRequest,
} from '@aws-sdk/client-secrets-manager';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { CURRENT, newSecretArn, secretOf } from './secrets.ts';
import type { SecretTable, StoredSecret } from './secrets.ts';
import { isRepeated, valueIn, withoutStage, withStage, withVersion } from './versions.ts';

type Now = () => string;

export function createSecret(table: SecretTable, now: Now): Operation<Given<CreateSecretRequest, 'Name'>> {
  return (input, request) => {
    checkCreate(input);
    const { Name, ClientRequestToken: id = randomUUID() } = input;
    const value = valueIn(input);
    const existing = table.find(request, Name);
    if (existing) {
      if (value && existing.deletion === undefined && isRepeated(existing, id, value))
        return answer(existing, id);
      throw existing.deletion === undefined ? alreadyThere(Name) : scheduled();
    }
    const empty: StoredSecret = {
      arn: newSecretArn(request, Name),
      name: Name,
      description: input.Description,
      kmsKeyId: input.KmsKeyId,
      tags: tagsOf(input.Tags),
      created: now(),
      changed: now(),
      versions: [],
    };
    const secret = value ? withVersion(empty, { id, value, stages: [CURRENT], now: now() }) : empty;
    table.save(secret);
    return answer(secret, value && id);
  };
}

function checkCreate({ Name, AddReplicaRegions = [], Type }: Given<CreateSecretRequest, 'Name'>): void {
  if (!/^[\w/+=.@!-]+$/.test(Name)) {
    throw new AwsError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  }
  if (AddReplicaRegions.length > 0 || Type !== undefined) {
    throw new AwsError(
      'InvalidParameterException',
      'Replicas and managed external secrets are not supported here.',
    );
  }
}

const alreadyThere = (name: string): AwsError =>
  new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);

const scheduled = (): AwsError =>
  new AwsError(
    'InvalidRequestException',
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
  );

function answer({ arn, name }: StoredSecret, versionId: string | undefined): object {
  return { ARN: arn, Name: name, VersionId: versionId };
}

/** @throws AwsError InvalidParameterException for a tag given twice, LimitExceededException beyond 50 */
export function tagsOf(
  tags: readonly Tag[] = [],
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const after = { ...before, ...Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? ''])) };
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) {
    throw new AwsError('InvalidParameterException', 'A tag key was given more than once.');
  }
  if (Object.keys(after).length > 50)
    throw new AwsError('LimitExceededException', 'A secret can have 50 tags at most.');
  return after;
}

export function putSecretValue(
  table: SecretTable,
  now: Now,
): Operation<Given<PutSecretValueRequest, 'SecretId'>> {
  return (input, request) => {
    const secret = secretOf(table, request, input.SecretId);
    const value = valueIn(input);
    if (!value)
      throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
    const { ClientRequestToken: id = randomUUID(), VersionStages: stages = [CURRENT] } = input;
    const changed = isRepeated(secret, id, value)
      ? secret
      : withVersion(secret, { id, value, stages, now: now() });
    table.save(changed);
    const version = changed.versions.find((one) => one.id === id);
    return { ...answer(changed, id), VersionStages: version?.stages };
  };
}

export function updateSecret(
  table: SecretTable,
  now: Now,
): Operation<Given<UpdateSecretRequest, 'SecretId'>> {
  return (input, request) => {
    const secret = secretOf(table, request, input.SecretId);
    const value = valueIn(input);
    const { ClientRequestToken: id = randomUUID() } = input;
    const described = {
      ...secret,
      description: input.Description ?? secret.description,
      kmsKeyId: input.KmsKeyId ?? secret.kmsKeyId,
      changed: now(),
    };
    const add = value && !isRepeated(secret, id, value);
    table.save(add ? withVersion(described, { id, value, stages: [CURRENT], now: now() }) : described);
    return answer(secret, value && id);
  };
}

export function updateSecretVersionStage(
  table: SecretTable,
  now: Now,
): Operation<Given<UpdateSecretVersionStageRequest, 'SecretId' | 'VersionStage'>> {
  return ({ SecretId, VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to }, request) => {
    const secret = secretOf(table, request, SecretId);
    const holder = secret.versions.find(({ stages }) => stages.includes(stage));
    if (to !== undefined && !secret.versions.some(({ id }) => id === to)) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret version: ${to}`,
      );
    }
    if (from !== undefined ? holder?.id !== from : holder !== undefined && holder.id !== to) {
      throw new AwsError(
        'InvalidParameterException',
        `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder?.id}, ` +
          'so you must explicitly reference that version in RemoveFromVersionId.',
      );
    }
    if (to === undefined && stage === CURRENT) {
      throw new AwsError(
        'InvalidParameterException',
        `You can only move staging label ${CURRENT} to a different secret version. It can’t be completely removed.`,
      );
    }
    const versions =
      to === undefined ? withoutStage(secret.versions, stage) : withStage(secret.versions, stage, to);
    table.save({ ...secret, versions, changed: now() });
    return { ARN: secret.arn, Name: secret.name };
  };
}
