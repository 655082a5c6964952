import type { TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../clock.ts';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { deleteSecret, restoreSecret } from './delete.ts';
import { describeSecret, getSecretValue, listSecrets, listSecretVersionIds } from './read.ts';
import { createSecretTable, secretOf, versionOf } from './secrets.ts';
import type { Scope, SecretTable } from './secrets.ts';
import { createSecret, putSecretValue, tagsOf, updateSecret, updateSecretVersionStage } from './write.ts';

/** Secrets for the sandbox's own use: what a task's `secrets` refer to. */
export interface SecretReader {
  /**
   * A secret's text.
   * @param reference a name or an ARN; behind an ARN ECS's `:json-key:version-stage:version-id`, of which each may be empty or left out
   * @throws AwsError ResourceNotFoundException, InvalidRequestException (marked for deletion, no text, no such key in it)
   */
  value(reference: string, scope: Scope): string;
}

export interface SecretsManager {
  readonly service: ServiceDefinition;
  readonly secrets: SecretReader;
}

/** AWS Secrets Manager, without rotation and replicas. */
export function createSecretsManager({ store, clock }: { store: Store; clock: Clock }): SecretsManager {
  const now = (): number => clock.now();
  const iso = (): string => new Date(now()).toISOString();
  const table = createSecretTable(store, now);
  return {
    service: {
      model: 'secretsmanager',
      operations: {
        CreateSecret: createSecret(table, iso),
        DescribeSecret: describeSecret(table),
        GetSecretValue: getSecretValue(table, now),
        PutSecretValue: putSecretValue(table, iso),
        UpdateSecret: updateSecret(table, iso),
        UpdateSecretVersionStage: updateSecretVersionStage(table, iso),
        ListSecrets: listSecrets(table),
        ListSecretVersionIds: listSecretVersionIds(table),
        DeleteSecret: deleteSecret(table, now),
        RestoreSecret: restoreSecret(table),
        TagResource: tagResource(table),
        UntagResource: untagResource(table),
      },
    },
    secrets: { value: (reference, scope) => valueOf(table, reference, scope) },
  };
}

function tagResource(table: SecretTable): Operation<Given<TagResourceRequest, 'SecretId' | 'Tags'>> {
  return ({ SecretId, Tags }, request) => {
    const secret = secretOf(table, request, SecretId);
    table.save({ ...secret, tags: tagsOf(Tags, secret.tags) });
    return {};
  };
}

function untagResource(table: SecretTable): Operation<Given<UntagResourceRequest, 'SecretId' | 'TagKeys'>> {
  return ({ SecretId, TagKeys }, request) => {
    const secret = secretOf(table, request, SecretId);
    const kept = Object.entries(secret.tags).filter(([key]) => !TagKeys.includes(key));
    table.save({ ...secret, tags: Object.fromEntries(kept) });
    return {};
  };
}

/** An ARN has seven parts; what ECS adds comes behind. */
const ARN_PARTS = 7;

function valueOf(table: SecretTable, reference: string, scope: Scope): string {
  const parts = reference.startsWith('arn:') ? reference.split(':') : [reference];
  const id = parts.slice(0, ARN_PARTS).join(':');
  const [key, stage, versionId] = parts.slice(ARN_PARTS).map((part) => (part === '' ? undefined : part));
  const { text } = versionOf(secretOf(table, scope, id), { stage, id: versionId });
  if (text === undefined) throw new AwsError('InvalidRequestException', `The secret ${id} has no text value`);
  return key === undefined ? text : fieldOf(text, key, id);
}

function fieldOf(text: string, key: string, id: string): string {
  const value = parse(text)?.[key];
  if (value === undefined) {
    throw new AwsError(
      'InvalidRequestException',
      `retrieved secret from Secrets Manager did not contain json key ${key} (${id})`,
    );
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
