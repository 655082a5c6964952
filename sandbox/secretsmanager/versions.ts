import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../protocol/service.ts';
import { CURRENT, PREVIOUS } from './secrets.ts';
import type { SecretValue, SecretVersion, StoredSecret } from './secrets.ts';

/** Versions without a stage are deprecated; AWS keeps about a hundred versions. */
const MAX_VERSIONS = 100;
const MAX_BYTES = 65_536;

interface ValueInput {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
}

/** The value in a request; undefined when there is none. @throws AwsError InvalidParameterException */
export function valueIn({ SecretString, SecretBinary }: ValueInput): SecretValue | undefined {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw new AwsError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (SecretString !== undefined && Buffer.byteLength(SecretString) > MAX_BYTES) {
    throw new AwsError('InvalidParameterException', `The secret value is longer than ${MAX_BYTES} bytes.`);
  }
  if (SecretString !== undefined) return { text: SecretString };
  return SecretBinary && { binary: Buffer.from(SecretBinary).toString('base64') };
}

/** Whether a version with that token is there with that value: a repeated request. @throws AwsError ResourceExistsException when the value is another */
export function isRepeated(secret: StoredSecret, token: string, value: SecretValue): boolean {
  const version = secret.versions.find(({ id }) => id === token);
  if (!version) return false;
  if (isDeepStrictEqual([version.text, version.binary], [value.text, value.binary])) return true;
  throw new AwsError(
    'ResourceExistsException',
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
  );
}

/** The secret with one more version. Its stages leave the versions that had them; what was current becomes previous. */
export function withVersion(
  secret: StoredSecret,
  added: { id: string; value: SecretValue; stages: readonly string[]; now: string },
): StoredSecret {
  const { id, value, stages, now } = added;
  const version: SecretVersion = { id, ...value, stages: [], created: now };
  const staged = stages.reduce(
    (versions, stage) => withStage(versions, stage, id),
    [...secret.versions, version],
  );
  return { ...secret, changed: now, versions: withoutDeprecated(staged) };
}

/** Moves a stage to a version. With AWSCURRENT, AWSPREVIOUS goes to the version that it leaves. */
export function withStage(versions: readonly SecretVersion[], stage: string, to: string): SecretVersion[] {
  const from = versions.find(({ stages }) => stages.includes(stage));
  if (from?.id === to) return [...versions];
  const moved = versions.map((version) => {
    const stages = version.stages.filter((one) => one !== stage);
    return { ...version, stages: version.id === to ? [...stages, stage] : stages };
  });
  return stage === CURRENT && from ? withStage(moved, PREVIOUS, from.id) : moved;
}

export function withoutStage(versions: readonly SecretVersion[], stage: string): SecretVersion[] {
  return versions.map((version) => ({ ...version, stages: version.stages.filter((one) => one !== stage) }));
}

function withoutDeprecated(versions: readonly SecretVersion[]): SecretVersion[] {
  let surplus = versions.length - MAX_VERSIONS;
  return versions.filter(({ stages }) => stages.length > 0 || surplus-- <= 0);
}
