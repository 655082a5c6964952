import type {
  AddTagsInput,
  DescribeTagsInput,
  RemoveTagsInput,
  Tag,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import type { Table } from '../store.ts';
import { listenerOf, loadBalancerOf, ruleOf, targetGroupOf } from './records.ts';
import type { ElbTables } from './records.ts';

const MAX_TAGS = 50;

type Tags = Readonly<Record<string, string>>;

/** @throws AwsError DuplicateTagKeysException or TooManyTagsException */
export function mergeTags(before: Tags, tags: readonly Tag[] = []): Record<string, string> {
  const keys = tags.map(({ Key }) => Key ?? '');
  if (new Set(keys).size < keys.length) {
    throw new AwsError('DuplicateTagKeysException', 'A tag key was specified more than once');
  }
  const after = { ...before, ...Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? ''])) };
  if (Object.keys(after).length > MAX_TAGS) {
    throw new AwsError('TooManyTagsException', `A resource can have ${MAX_TAGS} tags at most`);
  }
  return after;
}

export function addTags(tables: ElbTables): Operation<Given<AddTagsInput, 'ResourceArns' | 'Tags'>> {
  return ({ ResourceArns, Tags }) => {
    const merged = ResourceArns.map((arn) => [arn, mergeTags(taggedIn(tables, arn).tags, Tags)] as const);
    for (const [arn, tags] of merged) taggedIn(tables, arn).save(tags);
    return {};
  };
}

export function removeTags(tables: ElbTables): Operation<Given<RemoveTagsInput, 'ResourceArns' | 'TagKeys'>> {
  return ({ ResourceArns, TagKeys }) => {
    const resources = ResourceArns.map((arn) => taggedIn(tables, arn));
    for (const { tags, save } of resources) {
      save(Object.fromEntries(Object.entries(tags).filter(([key]) => !TagKeys.includes(key))));
    }
    return {};
  };
}

export function describeTags(tables: ElbTables): Operation<Given<DescribeTagsInput, 'ResourceArns'>> {
  return ({ ResourceArns }) => ({
    TagDescriptions: ResourceArns.map((arn) => ({
      ResourceArn: arn,
      Tags: Object.entries(taggedIn(tables, arn).tags).map(([Key, Value]) => ({ Key, Value })),
    })),
  });
}

interface Tagged {
  readonly tags: Tags;
  readonly save: (tags: Tags) => void;
}

function taggedIn(tables: ElbTables, arn: string): Tagged {
  const entry = <T extends { readonly tags: Tags }>(table: Table<T>, record: T): Tagged => ({
    tags: record.tags,
    save: (tags) => table.set(arn, { ...record, tags }),
  });
  switch (/^arn:[^:]+:elasticloadbalancing:[^:]*:\d{12}:([a-z-]+)\//.exec(arn)?.[1]) {
    case 'loadbalancer':
      return entry(tables.loadBalancers, loadBalancerOf(tables, arn));
    case 'targetgroup':
      return entry(tables.targetGroups, targetGroupOf(tables, arn));
    case 'listener':
      return entry(tables.listeners, listenerOf(tables, arn));
    case 'listener-rule':
      return entry(tables.rules, ruleOf(tables, arn));
    case undefined:
    default:
      throw new AwsError(
        'ValidationError',
        `'${arn}' is not a valid load balancer, target group, listener or rule ARN`,
      );
  }
}
