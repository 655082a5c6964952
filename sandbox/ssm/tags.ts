import type {
  AddTagsToResourceRequest,
  ListTagsForResourceRequest,
  RemoveTagsFromResourceRequest,
  Tag,
} from '@aws-sdk/client-ssm';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext } from '../protocol/service.ts';
import { parseReference } from './names.ts';
import type { ParameterTable, StoredParameter } from './parameters.ts';

const MAX_TAGS = 50;

type Resource = Given<ListTagsForResourceRequest, 'ResourceType' | 'ResourceId'>;

/** @throws AwsError TooManyTagsError beyond 50 tags */
export function mergeTags(
  existing: Readonly<Record<string, string>>,
  tags: readonly Tag[],
): Record<string, string> {
  const merged = {
    ...existing,
    ...Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
  };
  if (Object.keys(merged).length > MAX_TAGS) {
    throw new AwsError('TooManyTagsError', `A resource can have ${MAX_TAGS} tags at most.`);
  }
  return merged;
}

export function addTagsToResource(
  table: ParameterTable,
): Operation<Resource & Given<AddTagsToResourceRequest, 'Tags'>> {
  return (input, request) => {
    const parameter = tagged(table, input, request);
    table.save({ ...parameter, tags: mergeTags(parameter.tags, input.Tags) });
    return {};
  };
}

export function removeTagsFromResource(
  table: ParameterTable,
): Operation<Resource & Given<RemoveTagsFromResourceRequest, 'TagKeys'>> {
  return (input, request) => {
    const parameter = tagged(table, input, request);
    const kept = Object.entries(parameter.tags).filter(([key]) => !input.TagKeys.includes(key));
    table.save({ ...parameter, tags: Object.fromEntries(kept) });
    return {};
  };
}

export function listTagsForResource(table: ParameterTable): Operation<Resource> {
  return (input, request) => {
    const { tags } = tagged(table, input, request);
    return { TagList: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
  };
}

function tagged(table: ParameterTable, input: Resource, request: RequestContext): StoredParameter {
  if (input.ResourceType !== 'Parameter') {
    throw new AwsError(
      'InvalidResourceType',
      `Only resources of type Parameter exist here, not ${input.ResourceType}.`,
    );
  }
  const parameter = table.find(request, parseReference(input.ResourceId));
  if (!parameter) {
    throw new AwsError(
      'InvalidResourceId',
      `The resource ID "${input.ResourceId}" is not valid. Verify the ID and try again.`,
    );
  }
  return parameter;
}
