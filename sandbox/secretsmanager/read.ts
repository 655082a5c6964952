import type {
  DescribeSecretRequest,
  Filter,
  GetSecretValueRequest,
  ListSecretsRequest,
  ListSecretVersionIdsRequest,
} from '@aws-sdk/client-secrets-manager';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { anySecretOf, secretOf, versionOf } from './secrets.ts';
import type { SecretTable, StoredSecret } from './secrets.ts';

const PAGE = 100;

const invalidToken = (): AwsError =>
  new AwsError('InvalidNextTokenException', 'The NextToken value is invalid.');

export function getSecretValue(
  table: SecretTable,
  now: () => number,
): Operation<Given<GetSecretValueRequest, 'SecretId'>> {
  return ({ SecretId, VersionId, VersionStage }, request) => {
    const secret = secretOf(table, request, SecretId);
    const version = versionOf(secret, { id: VersionId, stage: VersionStage });
    // AWS tells the day of the last access, without the time.
    const day = `${new Date(now()).toISOString().slice(0, 10)}T00:00:00.000Z`;
    if (secret.accessed !== day) table.save({ ...secret, accessed: day });
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      SecretString: version.text,
      SecretBinary: version.binary === undefined ? undefined : Buffer.from(version.binary, 'base64'),
      VersionStages: version.stages,
      CreatedDate: version.created,
    };
  };
}

export function describeSecret(table: SecretTable): Operation<Given<DescribeSecretRequest, 'SecretId'>> {
  return ({ SecretId }, request) => {
    const secret = anySecretOf(table, request, SecretId);
    return { ...description(secret), VersionIdsToStages: stagesOf(secret) };
  };
}

export function listSecretVersionIds(
  table: SecretTable,
): Operation<Given<ListSecretVersionIdsRequest, 'SecretId'>> {
  return ({ SecretId, IncludeDeprecated = false, MaxResults = PAGE, NextToken }, request) => {
    const secret = anySecretOf(table, request, SecretId);
    const shown = secret.versions.filter(({ stages }) => IncludeDeprecated || stages.length > 0);
    const { items, next } = pageOf(shown, MaxResults, NextToken, invalidToken);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Versions: items.map(({ id, stages, created }) => ({
        VersionId: id,
        VersionStages: stages,
        CreatedDate: created,
      })),
      NextToken: next,
    };
  };
}

export function listSecrets(table: SecretTable): Operation<ListSecretsRequest> {
  return (input, request) => {
    const {
      Filters = [],
      SortOrder = 'desc',
      SortBy = 'created-date',
      IncludePlannedDeletion = false,
    } = input;
    const found = table
      .list(request)
      .filter(({ deletion }) => IncludePlannedDeletion || deletion === undefined)
      .filter((secret) => Filters.every((filter) => passes(filter, secret, request.region)))
      .toSorted((a, b) => (sortKey(a, SortBy) < sortKey(b, SortBy) ? -1 : 1));
    const sorted = SortOrder === 'asc' ? found : found.toReversed();
    const { items, next } = pageOf(sorted, input.MaxResults ?? PAGE, input.NextToken, invalidToken);
    return {
      SecretList: items.map((secret) => ({
        ...description(secret),
        SecretVersionsToStages: stagesOf(secret),
      })),
      NextToken: next,
    };
  };
}

function sortKey(
  { name, created, changed, accessed = '' }: StoredSecret,
  by: ListSecretsRequest['SortBy'],
): string {
  const keys = {
    name,
    'created-date': created,
    'last-changed-date': changed,
    'last-accessed-date': accessed,
  };
  return keys[by ?? 'created-date'];
}

/** A filter's values are beginnings; one of them is enough. A value with `!` in front must not match. */
function passes({ Key = 'all', Values = [] }: Filter, secret: StoredSecret, region: string): boolean {
  const fields = fieldsOf(Key, secret, region);
  return Values.some((value) =>
    value.startsWith('!')
      ? !fields.some((field) => begins(Key, field, value.slice(1)))
      : fields.some((field) => begins(Key, field, value)),
  );
}

/** Names and tags are compared with case, descriptions and `all` word by word and without. */
function begins(key: string, field: string, value: string): boolean {
  if (key !== 'description' && key !== 'all') return field.startsWith(value);
  const lower = value.toLowerCase();
  return (
    field.toLowerCase().startsWith(lower) ||
    field
      .toLowerCase()
      .split(/[\s/_+=.@-]+/)
      .some((word) => word.startsWith(lower))
  );
}

function fieldsOf(
  key: string,
  { name, description: text = '', tags }: StoredSecret,
  region: string,
): string[] {
  switch (key) {
    case 'name':
      return [name];
    case 'description':
      return [text];
    case 'tag-key':
      return Object.keys(tags);
    case 'tag-value':
      return Object.values(tags);
    case 'primary-region':
      return [region];
    case 'owning-service':
      return [];
    default:
      return [name, text, ...Object.keys(tags), ...Object.values(tags)];
  }
}

function description(secret: StoredSecret): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: false,
    LastChangedDate: secret.changed,
    LastAccessedDate: secret.accessed,
    DeletedDate: secret.deletion?.asked,
    Tags: Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value })),
    CreatedDate: secret.created,
  };
}

function stagesOf({ versions }: StoredSecret): Record<string, readonly string[]> {
  return Object.fromEntries(
    versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
  );
}
