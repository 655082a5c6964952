import type { AwsResource } from '../clients.ts';
import { ProviderError } from '../plugin/diagnostics.ts';
import { required, text, texts } from '../plugin/value.ts';
import { computed, id, unless } from './common.ts';

/** A value of a secret. Another value is another version; a secret always keeps its current one. */
export const secretVersion: AwsResource = {
  schema: {
    attributes: {
      secret_id: { type: 'string', required: true, forceNew: true },
      secret_string: { type: 'string', required: true, forceNew: true, sensitive: true },
      version_stages: { type: ['set', 'string'], optional: true, computed: true, forceNew: true },
      id,
      arn: computed,
      version_id: computed,
    },
  },
  name: (state) => text(state, 'secret_id') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const { ARN = '', VersionId = '' } = await (
      await clients.secrets()
    ).putSecretValue({
      SecretId: required(plan, 'secret_id'),
      SecretString: required(plan, 'secret_string'),
      VersionStages: texts(plan, 'version_stages'),
    });
    return { id: `${ARN}|${VersionId}`, arn: ARN, version_id: VersionId };
  },
  async read(state, { clients }) {
    const [SecretId = '', VersionId = ''] = required(state, 'id').split('|');
    const call = (await clients.secrets()).getSecretValue({ SecretId, VersionId });
    // InvalidRequestException: the secret is waiting for its deletion.
    const found = await unless(['ResourceNotFoundException', 'InvalidRequestException'], call);
    if (found === undefined) return undefined;
    return {
      ...state,
      secret_id: text(state, 'secret_id') ?? found.ARN ?? null,
      secret_string: found.SecretString ?? null,
      version_stages: found.VersionStages ?? [],
      arn: found.ARN ?? null,
      version_id: found.VersionId ?? null,
    };
  },
  async delete(state, { clients }) {
    const secrets = await clients.secrets();
    const SecretId = required(state, 'secret_id');
    const RemoveFromVersionId = required(state, 'version_id');
    for (const VersionStage of texts(state, 'version_stages') ?? []) {
      // AWSCURRENT can only be moved, by the version that comes next.
      if (VersionStage === 'AWSCURRENT') continue;
      const call = secrets.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId });
      await unless(
        ['ResourceNotFoundException', 'InvalidRequestException', 'InvalidParameterException'],
        call,
      );
    }
  },
  import(given) {
    if (!given.includes('|')) throw new ProviderError('Invalid import id', 'expected SECRET_ARN|VERSION_ID');
    return { id: given };
  },
};
