import type { Tag } from '@aws-sdk/client-ecs';
import { invalid } from './context.ts';
import type { EcsContext } from './context.ts';

const MOST_TAGS = 50;

/** A resource's tags; empty when it has none. */
export function tagsOf(ecs: EcsContext, resourceArn: string): Tag[] {
  return ecs.tables.tags.get(resourceArn) ?? [];
}

/** Adds tags; one of the same key is replaced. Callers have checked what users gave. */
export function writeTags(ecs: EcsContext, resourceArn: string, tags: readonly Tag[]): void {
  if (tags.length === 0) return;
  const byKey = new Map(
    [...tagsOf(ecs, resourceArn), ...tags].map(({ key, value }) => [key ?? '', value ?? '']),
  );
  ecs.tables.tags.set(
    resourceArn,
    [...byKey].map(([key, value]) => ({ key, value })),
  );
}

/**
 * What ECS refuses of tags that a user gives.
 * @param kept the tags that stay beside them
 * @throws AwsError InvalidParameterException
 */
export function checkTags(tags: readonly Tag[], kept: readonly Tag[] = []): void {
  const keys = new Set([...kept, ...tags].map(({ key }) => key));
  if (keys.size > MOST_TAGS)
    throw invalid(`The maximum number of tags has been exceeded. Limit: ${MOST_TAGS}`);
  for (const { key = '', value = '' } of tags) {
    if (key.length < 1 || key.length > 128)
      throw invalid(`Tag key must be between 1 and 128 characters: ${key}`);
    if (value.length > 256) throw invalid(`Tag value must be at most 256 characters: ${key}`);
    if (/^aws:/i.test(key)) throw invalid(`Tag keys that start with aws: are reserved: ${key}`);
  }
}

/** The tags that ECS itself gives to a task, where `enableECSManagedTags` asks for them. */
export function managedTags(clusterName: string, serviceName?: string): Tag[] {
  return [
    { key: 'aws:ecs:clusterName', value: clusterName },
    ...(serviceName === undefined ? [] : [{ key: 'aws:ecs:serviceName', value: serviceName }]),
  ];
}
