import type { ParameterTier, ParameterType } from '@aws-sdk/client-ssm';
import type { AwsResource } from '../clients.ts';
import { map, required, text } from '../plugin/value.ts';
import { changeTags, computed, fromUpperTags, id, oneOf, tags, unless, upperTags } from './common.ts';

export const ssmParameter: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      type: { type: 'string', required: true, check: oneOf('String', 'StringList', 'SecureString') },
      value: { type: 'string', required: true, sensitive: true },
      description: { type: 'string', optional: true },
      tier: {
        type: 'string',
        optional: true,
        computed: true,
        check: oneOf('Standard', 'Advanced', 'Intelligent-Tiering'),
      },
      data_type: { type: 'string', optional: true, computed: true },
      allowed_pattern: { type: 'string', optional: true },
      tags,
      id,
      arn: computed,
      version: {
        type: 'number',
        computed: true,
        changesWith: ['value', 'type', 'description', 'tier', 'allowed_pattern'],
      },
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const Name = required(plan, 'name');
    const Tags = upperTags(map(plan, 'tags'));
    await (
      await clients.ssm()
    ).putParameter({ ...request(plan), Name, Tags, DataType: text(plan, 'data_type') });
    return { id: Name };
  },
  async read(state, { clients }) {
    const ssm = await clients.ssm();
    const Name = required(state, 'id');
    const got = await unless(['ParameterNotFound'], ssm.getParameter({ Name, WithDecryption: true }));
    if (got?.Parameter === undefined) return undefined;
    const { Parameter: found } = got;
    const described = await ssm.describeParameters({
      ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [Name] }],
    });
    const { Description, Tier, AllowedPattern } = described.Parameters?.[0] ?? {};
    const tagged = await ssm.listTagsForResource({ ResourceType: 'Parameter', ResourceId: Name });
    return {
      ...state,
      id: Name,
      name: found.Name ?? null,
      type: found.Type ?? null,
      value: found.Value ?? null,
      description: Description ?? null,
      tier: Tier ?? null,
      data_type: found.DataType ?? null,
      allowed_pattern: AllowedPattern ?? null,
      tags: fromUpperTags(tagged.TagList),
      arn: found.ARN ?? null,
      version: found.Version ?? null,
    };
  },
  async update(prior, plan, { clients }) {
    const ssm = await clients.ssm();
    const Name = required(prior, 'id');
    const wanted = request(plan);
    if (JSON.stringify(wanted) !== JSON.stringify(request(prior))) {
      // A description that is left out would stay.
      await ssm.putParameter({ ...wanted, Name, Overwrite: true, Description: wanted.Description ?? '' });
    }
    const resource = { ResourceType: 'Parameter', ResourceId: Name } as const;
    await changeTags(map(prior, 'tags'), map(plan, 'tags'), {
      add: (added) => ssm.addTagsToResource({ ...resource, Tags: upperTags(added) }),
      remove: (TagKeys) => ssm.removeTagsFromResource({ ...resource, TagKeys }),
    });
  },
  async delete(state, { clients }) {
    await unless(
      ['ParameterNotFound'],
      (await clients.ssm()).deleteParameter({ Name: required(state, 'id') }),
    );
  },
  import: (name) => ({ id: name }),
};

function request(state: Parameters<AwsResource['read']>[0]): {
  Type: ParameterType;
  Value: string;
  Description: string | undefined;
  Tier: ParameterTier | undefined;
  AllowedPattern: string | undefined;
} {
  return {
    Type: required(state, 'type') as ParameterType,
    Value: required(state, 'value'),
    Description: text(state, 'description'),
    Tier: text(state, 'tier') as ParameterTier | undefined,
    AllowedPattern: text(state, 'allowed_pattern'),
  };
}
