import type { PutParameterRequest, PutParameterResult } from '@aws-sdk/client-ssm';
import type { Clock } from '../clock.ts';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext } from '../protocol/service.ts';
import { checkName, parseReference } from './names.ts';
import { latest } from './parameters.ts';
import type { ParameterTable, ParameterVersion, StoredParameter } from './parameters.ts';
import { DEFAULT_KEY } from './seal.ts';
import { mergeTags } from './tags.ts';
import { checkValue, tierFor } from './value.ts';

type PutInput = Given<PutParameterRequest, 'Name' | 'Value'>;

const MAX_VERSIONS = 100;

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

/** PutParameter: makes a parameter, or its next version when `Overwrite` is set. */
export function putParameter(table: ParameterTable, clock: Clock): Operation<PutInput, PutParameterResult> {
  return (input, request) => {
    checkName(input.Name);
    const existing = table.find(request, parseReference(input.Name));
    checkRequest(input, existing);
    const version = nextVersion(table, input, existing, request, new Date(clock.now()).toISOString());
    table.save(
      existing
        ? { ...existing, versions: [...room(existing), version] }
        : {
            accountId: request.accountId,
            region: request.region,
            name: input.Name,
            versions: [version],
            tags: mergeTags({}, input.Tags ?? []),
          },
    );
    return { Version: version.version, Tier: version.tier };
  };
}

function checkRequest(input: PutInput, existing: StoredParameter | undefined): void {
  if (input.Policies !== undefined && input.Policies !== '' && input.Policies !== '[]') {
    throw new AwsError('InvalidPolicyTypeException', 'Parameter policies are not supported here.');
  }
  if (input.Overwrite === true && input.Tags !== undefined && input.Tags.length > 0) {
    throw invalid(
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove " +
        'overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.',
    );
  }
  if (existing && input.Overwrite !== true) {
    throw new AwsError(
      'ParameterAlreadyExists',
      'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    );
  }
  if (!existing && input.Type === undefined) {
    throw invalid('A parameter type is required when you create a parameter.');
  }
  if (input.KeyId !== undefined && (input.Type ?? (existing && latest(existing).type)) !== 'SecureString') {
    throw invalid('KeyId is required for SecureString type parameter only.');
  }
}

function nextVersion(
  table: ParameterTable,
  input: PutInput,
  existing: StoredParameter | undefined,
  request: RequestContext,
  modified: string,
): ParameterVersion {
  const previous = existing && latest(existing);
  const type = input.Type ?? previous?.type ?? 'String';
  if (previous && (type === 'SecureString') !== (previous.type === 'SecureString')) {
    throw new AwsError(
      'HierarchyTypeMismatchException',
      `Parameter Store doesn't support changing a parameter from a ${previous.type} type to a ${type} type.`,
    );
  }
  const tier = tierFor(input, previous?.tier);
  const dataType = input.DataType ?? previous?.dataType ?? 'text';
  // AWS keeps the earlier pattern when a new version names none.
  const allowedPattern = input.AllowedPattern ?? previous?.allowedPattern;
  checkValue({ value: input.Value, type, tier, dataType, allowedPattern });
  const keyId = type === 'SecureString' ? (input.KeyId ?? previous?.keyId ?? DEFAULT_KEY) : undefined;
  const owner = { ...request, name: input.Name };
  return {
    version: (previous?.version ?? 0) + 1,
    type,
    value: keyId === undefined ? input.Value : table.seal(owner, keyId, input.Value),
    tier,
    dataType,
    keyId,
    description: input.Description ?? previous?.description,
    allowedPattern: allowedPattern === '' ? undefined : allowedPattern,
    labels: [],
    modified,
    modifiedBy: `arn:aws:iam::${request.accountId}:root`,
  };
}

/** The versions that stay when one more comes: the oldest goes at 100, unless a label holds it. */
function room(parameter: StoredParameter): readonly ParameterVersion[] {
  if (parameter.versions.length < MAX_VERSIONS) return parameter.versions;
  const [oldest, ...kept] = parameter.versions;
  if (oldest && oldest.labels.length > 0) {
    throw new AwsError(
      'ParameterMaxVersionLimitExceeded',
      `You attempted to create a new version of ${parameter.name} by calling the PutParameter API with the overwrite ` +
        `flag. Version ${oldest.version}, the oldest version, can't be deleted because it has a label associated with it. ` +
        'Move the label to another version of the parameter, and try again.',
    );
  }
  return kept;
}
