import type { TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../clock.ts';
import type { Given } from '../protocol/given.ts';
import type { Operation, ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { deleteSecret, restoreSecret } from './delete.ts';
import { describeSecret, getSecretValue, listSecrets, listSecretVersionIds } from './read.ts';
import { createSecretTable, secretOf } from './secrets.ts';
import type { SecretTable } from './secrets.ts';
import { createSecret, putSecretValue, tagsOf, updateSecret, updateSecretVersionStage } from './write.ts';

/** AWS Secrets Manager, without rotation and replicas. */
export function createSecretsManager({ store, clock }: { store: Store; clock: Clock }): {
  service: ServiceDefinition;
} {
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
