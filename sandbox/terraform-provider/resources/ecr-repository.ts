import type { Repository } from '@aws-sdk/client-ecr';
import type { AwsResource, Session } from '../clients.ts';
import { block, flag, map, required, text } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { changeTags, computed, fromUpperTags, id, oneOf, tags, unless, upperTags } from './common.ts';

const scanOnPush = (state: State): boolean =>
  flag(block(state, 'image_scanning_configuration') ?? {}, 'scan_on_push') ?? false;

export const ecrRepository: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      image_tag_mutability: {
        type: 'string',
        optional: true,
        default: 'MUTABLE',
        check: oneOf('MUTABLE', 'IMMUTABLE'),
      },
      force_delete: { type: 'bool', optional: true },
      tags,
      id,
      arn: computed,
      registry_id: computed,
      repository_url: computed,
    },
    blocks: {
      image_scanning_configuration: {
        nesting: 'list',
        max: 1,
        attributes: { scan_on_push: { type: 'bool', required: true } },
      },
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const name = required(plan, 'name');
    await (
      await clients.ecr()
    ).createRepository({
      repositoryName: name,
      imageTagMutability: required(plan, 'image_tag_mutability') as 'MUTABLE' | 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: scanOnPush(plan) },
      tags: upperTags(map(plan, 'tags')),
    });
    return { id: name };
  },
  async read(state, session) {
    const found = await find(required(state, 'id'), session);
    if (found === undefined) return undefined;
    const ecr = await session.clients.ecr();
    const tagged = await ecr.listTagsForResource({ resourceArn: found.repositoryArn });
    const scans = found.imageScanningConfiguration?.scanOnPush ?? false;
    const said = block(state, 'image_scanning_configuration') !== undefined;
    return {
      ...state,
      id: found.repositoryName ?? null,
      name: found.repositoryName ?? null,
      image_tag_mutability: found.imageTagMutability ?? null,
      image_scanning_configuration: said || scans ? [{ scan_on_push: scans }] : [],
      tags: fromUpperTags(tagged.tags),
      arn: found.repositoryArn ?? null,
      registry_id: found.registryId ?? null,
      repository_url: found.repositoryUri ?? null,
    };
  },
  async update(prior, plan, { clients }) {
    const ecr = await clients.ecr();
    const repositoryName = required(prior, 'id');
    const imageTagMutability = required(plan, 'image_tag_mutability') as 'MUTABLE' | 'IMMUTABLE';
    if (imageTagMutability !== text(prior, 'image_tag_mutability')) {
      await ecr.putImageTagMutability({ repositoryName, imageTagMutability });
    }
    if (scanOnPush(plan) !== scanOnPush(prior)) {
      const imageScanningConfiguration = { scanOnPush: scanOnPush(plan) };
      await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration });
    }
    const resourceArn = required(prior, 'arn');
    await changeTags(map(prior, 'tags'), map(plan, 'tags'), {
      add: (added) => ecr.tagResource({ resourceArn, tags: upperTags(added) }),
      remove: (tagKeys) => ecr.untagResource({ resourceArn, tagKeys }),
    });
  },
  async delete(state, { clients }) {
    const request = { repositoryName: required(state, 'id'), force: flag(state, 'force_delete') ?? false };
    await unless(['RepositoryNotFoundException'], (await clients.ecr()).deleteRepository(request));
  },
  import: (name) => ({ id: name }),
};

async function find(name: string, { clients }: Session): Promise<Repository | undefined> {
  const call = (await clients.ecr()).describeRepositories({ repositoryNames: [name] });
  return (await unless(['RepositoryNotFoundException'], call))?.repositories?.[0];
}
