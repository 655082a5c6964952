import type { AwsResource } from '../clients.ts';
import { blocks, map, required, text } from '../plugin/value.ts';
import { changeTags, computed, id, tags, unless, until } from './common.ts';
import { fromLowerTags, lowerTags } from './ecs-tags.ts';

/** While these hold, a cluster is about to be empty. */
const BUSY = [
  'ClusterContainsServicesException',
  'ClusterContainsTasksException',
  'ClusterContainsContainerInstancesException',
  'UpdateInProgressException',
];

export const ecsCluster: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      tags,
      id,
      arn: computed,
    },
    blocks: {
      setting: {
        nesting: 'set',
        forceNew: true,
        attributes: { name: { type: 'string', required: true }, value: { type: 'string', required: true } },
      },
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const { cluster } = await (
      await clients.ecs()
    ).createCluster({
      clusterName: required(plan, 'name'),
      settings: blocks(plan, 'setting').map((setting) => ({
        name: required(setting, 'name') as 'containerInsights',
        value: required(setting, 'value'),
      })),
      tags: lowerTags(map(plan, 'tags')),
    });
    return { id: cluster?.clusterArn ?? null, arn: cluster?.clusterArn ?? null };
  },
  async read(state, { clients }) {
    const ecs = await clients.ecs();
    const clusters = [required(state, 'id')];
    const [found] = (await ecs.describeClusters({ clusters, include: ['TAGS', 'SETTINGS'] })).clusters ?? [];
    if (found === undefined || found.status === 'INACTIVE') return undefined;
    const declared = new Set(blocks(state, 'setting').map((setting) => text(setting, 'name')));
    const settings = (found.settings ?? []).filter(
      ({ name, value }) => declared.has(name) || (name !== undefined && value !== 'disabled'),
    );
    return {
      ...state,
      id: found.clusterArn ?? null,
      arn: found.clusterArn ?? null,
      name: found.clusterName ?? null,
      setting: settings.map(({ name = '', value = '' }) => ({ name, value })),
      tags: fromLowerTags(found.tags),
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
  async delete(state, { clients, signal }) {
    const ecs = await clients.ecs();
    const cluster = required(state, 'id');
    await unless(
      ['ClusterNotFoundException'],
      until(`the cluster ${cluster} to be empty`, signal, () => unless(BUSY, ecs.deleteCluster({ cluster }))),
    );
  },
  import: (nameOrArn) => ({ id: nameOrArn }),
};
