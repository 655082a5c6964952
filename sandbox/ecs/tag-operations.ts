import type {
  ListTagsForResourceRequest,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import { clientError, invalid, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import { checkTags, tagsOf, writeTags } from './tags.ts';

export function tagResource(ecs: EcsContext) {
  return ({ resourceArn, tags }: Given<TagResourceRequest, 'resourceArn' | 'tags'>): unknown => {
    checkResource(ecs, resourceArn);
    checkTags(tags, tagsOf(ecs, resourceArn));
    writeTags(ecs, resourceArn, tags);
    return {};
  };
}

export function untagResource(ecs: EcsContext) {
  return ({ resourceArn, tagKeys }: Given<UntagResourceRequest, 'resourceArn' | 'tagKeys'>): unknown => {
    checkResource(ecs, resourceArn);
    ecs.tables.tags.set(
      resourceArn,
      tagsOf(ecs, resourceArn).filter(({ key = '' }) => !tagKeys.includes(key)),
    );
    return {};
  };
}

export function listTagsForResource(ecs: EcsContext) {
  return ({ resourceArn }: Given<ListTagsForResourceRequest, 'resourceArn'>): unknown => {
    checkResource(ecs, resourceArn);
    return { tags: tagsOf(ecs, resourceArn) };
  };
}

/** @throws AwsError when the ARN isn't of an existing cluster, service, task or task definition */
function checkResource({ tables }: EcsContext, resourceArn: string): void {
  switch (/^arn:aws:ecs:[^:]*:\d+:([a-z-]+)\//.exec(resourceArn)?.[1]) {
    case 'cluster':
      if (tables.clusters.get(shortName(resourceArn))) return;
      throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
    case 'service':
      if (tables.services.get(resourceArn)) return;
      throw new AwsError('ServiceNotFoundException', 'Service not found.');
    case 'task':
      if (tables.tasks.get(resourceArn)) return;
      throw new AwsError('ResourceNotFoundException', 'The specified task was not found.');
    case 'task-definition':
      if (tables.taskDefinitions.get(shortName(resourceArn))) return;
      throw clientError('The specified task definition was not found.');
    default:
      throw invalid(`Invalid resource ARN: ${resourceArn}`);
  }
}
