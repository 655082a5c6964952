import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { originOf } from '../../../../src/activities/terraform/workspace/origin.ts';
import type { Origin } from '../../../../src/domain/terraform/change-set.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { StateBackend } from '../../../terraform/state-backend.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { TARGET, aTerraform, failureOf } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();
const WEB = 'resource "terraform_data" "web" {}';
let backend: StateBackend;
beforeAll(async () => {
  backend = await startStateBackend();
});
afterAll(() => backend.close());

async function originOfPlan(t: Fixture, input: Parameters<Fixture['plan']>[0]): Promise<Origin> {
  const { changeSet } = await t.plan(input);
  return changeSet.origin;
}

/** The origin in a data directory as `init` leaves it, as all versions of Terraform and OpenTofu write it. */
async function originFrom(
  type: string,
  config: object,
  environment: Record<string, string> = {},
  selected?: string,
): Promise<Origin> {
  const TF_DATA_DIR = await newDirectory();
  await writeFile(join(TF_DATA_DIR, 'terraform.tfstate'), JSON.stringify({ backend: { type, config } }));
  if (selected !== undefined) await writeFile(join(TF_DATA_DIR, 'environment'), selected);
  return originOf({ target: TARGET, directory: 'terraform', environment: { ...environment, TF_DATA_DIR } });
}

describe('an approval does not let the same changes be applied', () => {
  test.each<[string, (t: Fixture) => Parameters<Fixture['plan']>[0]]>([
    ['to another state', (t) => t.release(WEB, { backend: { path: join(t.base, 'other.tfstate') } })],
    ['by another backend', (t) => t.release(WEB, { backend: backend.settings() }, '1.0.0', 'http')],
    [
      'from another directory',
      (t) => {
        t.repository.commit({ 'other/main.tf': `terraform {\n  backend "local" {}\n}\n${WEB}` });
        return t.release(WEB, { directory: 'other' });
      },
    ],
  ])('%s', async (_name, elsewhere) => {
    const t = aTerraform(await newDirectory());
    const { changeSet: approved } = await t.plan(t.release(WEB));
    const other = elsewhere(t);
    const failure = await failureOf(t.apply({ ...other, approved }));
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers', nonRetryable: true });
    expect(await t.outputs(other)).toEqual({});
    expect(await t.plan(other)).toMatchObject({ changeSet: { counts: { create: 1 } } });
  });

  test('in another workspace', async () => {
    const t = aTerraform(await newDirectory());
    const { changeSet: approved } = await t.plan(t.release(WEB));
    const there = aTerraform(await newDirectory(), {
      environment: { ...process.env, TF_WORKSPACE: 'other' },
    });
    const input = there.release(WEB, { backend: { path: t.state } });
    const failure = await failureOf(there.apply({ ...input, approved }));
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers', nonRetryable: true });
  });
});

describe('the origin of a real plan', () => {
  test('tells directory, backend and workspace', async () => {
    const t = aTerraform(await newDirectory());
    expect(await originOfPlan(t, t.release(WEB))).toEqual({
      directory: 'terraform',
      backend: 'local',
      workspace: 'default',
      location: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test('is another when the address comes from the environment and is another', async () => {
    const addressed = async (path: string) => {
      const { address = '' } = backend.settings(path);
      const t = aTerraform(await newDirectory(), {
        environment: { ...process.env, TF_HTTP_ADDRESS: address },
      });
      return originOfPlan(t, t.release(WEB, { backend: {} }, '1.0.0', 'http'));
    };
    const first = await addressed('/a');
    expect(first).toMatchObject({ backend: 'http' });
    expect((await addressed('/a')).location).toBe(first.location);
    expect((await addressed('/b')).location).not.toBe(first.location);
  });

  test('is the same whoever asks: no user, password or token is in it', async () => {
    const asked = async (userinfo: string, password: string) => {
      const t = aTerraform(await newDirectory());
      const settings = backend.settings('/c');
      const address = (settings['address'] ?? '').replace('://', `://${userinfo}`);
      return originOfPlan(
        t,
        t.release(WEB, { backend: { ...settings, address, password } }, '1.0.0', 'http'),
      );
    };
    expect(await asked('ada:first-password@', 'x')).toEqual(await asked('ben:second-password@', 'y'));
  });
});

describe('the origin in a data directory', () => {
  const BUCKET = { bucket: 'states', key: 'production', region: 'eu-west-1' };
  const REMOTE = {
    hostname: 'app.terraform.io',
    organization: 'writing',
    token: 'a',
    workspaces: { name: 'a' },
  };

  test.each<[string, () => Promise<Origin>, () => Promise<Origin>]>([
    ['of another bucket', () => originFrom('s3', BUCKET), () => originFrom('s3', { ...BUCKET, bucket: 'b' })],
    ['of another key', () => originFrom('s3', BUCKET), () => originFrom('s3', { ...BUCKET, key: 'b' })],
    [
      'of another endpoint, which the environment gives',
      () => originFrom('s3', BUCKET, { AWS_ENDPOINT_URL_S3: 'https://a' }),
      () => originFrom('s3', BUCKET, { AWS_ENDPOINT_URL_S3: 'https://b' }),
    ],
    [
      'of another remote workspace',
      () => originFrom('cloud', REMOTE),
      () => originFrom('cloud', { ...REMOTE, workspaces: { name: 'b' } }),
    ],
    [
      'of another organization, which the environment gives',
      () => originFrom('cloud', {}, { TF_CLOUD_ORGANIZATION: 'a' }),
      () => originFrom('cloud', {}, { TF_CLOUD_ORGANIZATION: 'b' }),
    ],
    [
      'of another backend with the same settings',
      () => originFrom('remote', REMOTE),
      () => originFrom('cloud', REMOTE),
    ],
    [
      'of another selected workspace',
      () => originFrom('s3', BUCKET, {}, 'blue\n'),
      () => originFrom('s3', BUCKET, {}, 'green\n'),
    ],
  ])('is another %s', async (_name, one, other) => {
    expect(await one()).not.toEqual(await other());
  });

  test('has the workspace of the variable before the selected one, as Terraform has it', async () => {
    expect(await originFrom('s3', BUCKET, { TF_WORKSPACE: 'blue' }, 'green')).toMatchObject({
      workspace: 'blue',
    });
    expect(await originFrom('s3', BUCKET, { TF_WORKSPACE: '' }, 'green')).toMatchObject({
      workspace: 'green',
    });
  });

  test.each([
    ['a token', { token: 'b' }],
    ['what is not set', { prefix: null }],
  ])('does not hang on %s', async (_name, more) => {
    expect(await originFrom('cloud', { ...REMOTE, ...more })).toEqual(await originFrom('cloud', REMOTE));
  });

  test('does not hang on variables of other backends', async () => {
    const variables = { TF_HTTP_ADDRESS: 'http://a', TF_CLOUD_ORGANIZATION: 'b' };
    expect(await originFrom('s3', BUCKET, variables)).toEqual(await originFrom('s3', BUCKET));
  });
});
