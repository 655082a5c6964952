import type { Compatibility, ContainerDefinition, NetworkMode } from '@aws-sdk/client-ecs';
import { isDeepStrictEqual } from 'node:util';
import type { AwsResource } from '../clients.ts';
import { flag, map, required, text, texts } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { changeTags, computed, id, jsonList, oneOf, tags, unless } from './common.ts';
import { fromLowerTags, lowerTags } from './ecs-tags.ts';

const optional = { type: 'string', optional: true, forceNew: true } as const;

/** A revision. Whatever changes makes a new one; the old one is deregistered unless `skip_destroy` is set. */
export const ecsTaskDefinition: AwsResource = {
  schema: {
    attributes: {
      family: { type: 'string', required: true, forceNew: true },
      container_definitions: {
        type: 'string',
        required: true,
        forceNew: true,
        check: jsonList,
        equivalent: (a, b) => isDeepStrictEqual(JSON.parse(a), JSON.parse(b)),
      },
      network_mode: { ...optional, computed: true, check: oneOf('awsvpc', 'bridge', 'host', 'none') },
      requires_compatibilities: { type: ['set', 'string'], optional: true, forceNew: true },
      cpu: optional,
      memory: optional,
      execution_role_arn: optional,
      task_role_arn: optional,
      skip_destroy: { type: 'bool', optional: true, default: false },
      tags,
      id,
      arn: computed,
      arn_without_revision: computed,
      revision: { type: 'number', computed: true },
    },
  },
  name: (state) => text(state, 'family') ?? text(state, 'arn') ?? '?',
  async create(plan, { clients }) {
    const { taskDefinition } = await (
      await clients.ecs()
    ).registerTaskDefinition({
      family: required(plan, 'family'),
      containerDefinitions: JSON.parse(required(plan, 'container_definitions')) as ContainerDefinition[],
      networkMode: text(plan, 'network_mode') as NetworkMode | undefined,
      requiresCompatibilities: texts(plan, 'requires_compatibilities') as Compatibility[] | undefined,
      cpu: text(plan, 'cpu'),
      memory: text(plan, 'memory'),
      executionRoleArn: text(plan, 'execution_role_arn'),
      taskRoleArn: text(plan, 'task_role_arn'),
      tags: lowerTags(map(plan, 'tags')),
    });
    return { arn: taskDefinition?.taskDefinitionArn ?? null, id: taskDefinition?.family ?? null };
  },
  async read(state, { clients }) {
    const call = (await clients.ecs()).describeTaskDefinition({
      taskDefinition: required(state, 'arn'),
      include: ['TAGS'],
    });
    // ECS says ClientException for a revision that doesn't exist.
    const { taskDefinition: found, tags: tagged } = (await unless(['ClientException'], call)) ?? {};
    if (found === undefined || found.status !== 'ACTIVE') return undefined;
    const arn = found.taskDefinitionArn ?? '';
    return {
      ...state,
      id: found.family ?? null,
      family: found.family ?? null,
      // A revision can't change: the state keeps the words of the configuration.
      container_definitions:
        text(state, 'container_definitions') ?? JSON.stringify(found.containerDefinitions),
      network_mode: found.networkMode ?? null,
      requires_compatibilities: found.requiresCompatibilities ?? null,
      cpu: found.cpu ?? null,
      memory: found.memory ?? null,
      execution_role_arn: found.executionRoleArn ?? null,
      task_role_arn: found.taskRoleArn ?? null,
      skip_destroy: flag(state, 'skip_destroy') ?? false,
      tags: fromLowerTags(tagged),
      arn,
      arn_without_revision: arn.slice(0, arn.lastIndexOf(':')),
      revision: found.revision ?? null,
    };
  },
  async update(prior, plan, { clients }) {
    const ecs = await clients.ecs();
    const resourceArn = required(prior, 'arn');
    await changeTags(map(prior, 'tags'), map(plan, 'tags'), {
      add: (added) => ecs.tagResource({ resourceArn, tags: lowerTags(added) }),
      remove: (tagKeys) => ecs.untagResource({ resourceArn, tagKeys }),
    });
  },
  async delete(state: State, { clients }) {
    if (flag(state, 'skip_destroy') === true) return;
    const taskDefinition = required(state, 'arn');
    await unless(['ClientException'], (await clients.ecs()).deregisterTaskDefinition({ taskDefinition }));
  },
  import: (arn) => ({ arn }),
};
