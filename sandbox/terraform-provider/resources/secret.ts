import type { AwsResource } from '../clients.ts';
import { map, number, required, text } from '../plugin/value.ts';
import { changeTags, computed, fromUpperTags, id, tags, unless, upperTags } from './common.ts';

const days = (value: unknown): string | undefined =>
  value === 0 || (typeof value === 'number' && value >= 7 && value <= 30)
    ? undefined
    : 'expected 0, or 7 to 30 days';

/** A secret without a value; `aws_secretsmanager_secret_version` gives it one. */
export const secret: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      description: { type: 'string', optional: true },
      /** Days until a deleted secret is gone for good; 0: at once. */
      recovery_window_in_days: { type: 'number', optional: true, default: 30, check: days },
      tags,
      id,
      arn: computed,
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const { ARN = null } = await (
      await clients.secrets()
    ).createSecret({
      Name: required(plan, 'name'),
      Description: text(plan, 'description'),
      Tags: upperTags(map(plan, 'tags')),
    });
    return { id: ARN, arn: ARN };
  },
  async read(state, { clients }) {
    const call = (await clients.secrets()).describeSecret({ SecretId: required(state, 'id') });
    const found = await unless(['ResourceNotFoundException'], call);
    if (found === undefined || found.DeletedDate !== undefined) return undefined;
    return {
      ...state,
      id: found.ARN ?? null,
      arn: found.ARN ?? null,
      name: found.Name ?? null,
      description: found.Description ?? null,
      recovery_window_in_days: number(state, 'recovery_window_in_days') ?? 30,
      tags: fromUpperTags(found.Tags),
    };
  },
  async update(prior, plan, { clients }) {
    const secrets = await clients.secrets();
    const SecretId = required(prior, 'id');
    if (text(plan, 'description') !== text(prior, 'description')) {
      await secrets.updateSecret({ SecretId, Description: text(plan, 'description') ?? '' });
    }
    await changeTags(map(prior, 'tags'), map(plan, 'tags'), {
      add: (added) => secrets.tagResource({ SecretId, Tags: upperTags(added) }),
      remove: (TagKeys) => secrets.untagResource({ SecretId, TagKeys }),
    });
  },
  async delete(state, { clients }) {
    const window = number(state, 'recovery_window_in_days') ?? 30;
    const request = {
      SecretId: required(state, 'id'),
      ...(window === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: window }),
    };
    await unless(['ResourceNotFoundException'], (await clients.secrets()).deleteSecret(request));
  },
  import: (arn) => ({ id: arn }),
};
