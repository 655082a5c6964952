import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';

let sandbox: TestSandbox;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  sandbox = await aSandbox();
  secrets = new SecretsManagerClient(sandbox.client);
});
afterAll(() => sandbox.close());

const create = (Name: string, SecretString = 'one', ClientRequestToken = randomUUID()) =>
  secrets.send(new CreateSecretCommand({ Name, SecretString, ClientRequestToken }));
const put = (SecretId: string, SecretString: string, ClientRequestToken = randomUUID()) =>
  secrets.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken }));
const read = (SecretId: string, of: { VersionStage?: string; VersionId?: string } = {}) =>
  secrets.send(new GetSecretValueCommand({ SecretId, ...of }));

test('a new value becomes current and the one before it previous', async () => {
  const { ARN = '' } = await create('app/key');
  await put('app/key', 'two');
  const { VersionId } = await put('app/key', 'three');

  expect(await read('app/key')).toMatchObject({
    SecretString: 'three',
    VersionId,
    VersionStages: ['AWSCURRENT'],
  });
  expect(await read(ARN, { VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'two' });
  expect(await read(ARN.slice(0, -7))).toMatchObject({ SecretString: 'three' });
  expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-west-1:000000000000:secret:app\/key-[A-Za-z0-9]{6}$/);
});

test('going back moves AWSCURRENT, and AWSPREVIOUS to what was left', async () => {
  const first = await create('back', 'good');
  const second = await put('back', 'bad');
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: 'back',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: first.VersionId,
      RemoveFromVersionId: second.VersionId,
    }),
  );
  expect(await read('back')).toMatchObject({ SecretString: 'good' });
  expect(await read('back', { VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'bad' });
});

test('a repeated request changes nothing; the same token with another value is refused', async () => {
  const token = randomUUID();
  const created = await create('once', 'a', token);
  expect(await create('once', 'a', token)).toMatchObject({ ARN: created.ARN, VersionId: token });
  await expect(create('once', 'b', token)).rejects.toMatchObject({ name: 'ResourceExistsException' });
  await expect(create('once', 'a')).rejects.toMatchObject({ name: 'ResourceExistsException' });

  const next = randomUUID();
  await put('once', 'c', next);
  await put('once', 'd');
  expect(await put('once', 'c', next)).toMatchObject({ VersionId: next, VersionStages: ['AWSPREVIOUS'] });
  expect(await read('once')).toMatchObject({ SecretString: 'd' });
});

test('a deleted secret can’t be read, and comes back within its recovery window', async () => {
  await create('lost');
  const deleted = await secrets.send(new DeleteSecretCommand({ SecretId: 'lost', RecoveryWindowInDays: 7 }));
  const days = ((deleted.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(7, 1);
  await expect(read('lost')).rejects.toMatchObject({ name: 'InvalidRequestException' });
  await expect(create('lost')).rejects.toMatchObject({ name: 'InvalidRequestException' });
  await secrets.send(new RestoreSecretCommand({ SecretId: 'lost' }));
  expect(await read('lost')).toMatchObject({ SecretString: 'one' });
});

test('by force it is gone at once, and the name is free', async () => {
  await create('gone');
  await secrets.send(new DeleteSecretCommand({ SecretId: 'gone', ForceDeleteWithoutRecovery: true }));
  await expect(read('gone')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: "Secrets Manager can't find the specified secret.",
  });
  await create('gone', 'new');
  expect(await read('gone')).toMatchObject({ SecretString: 'new' });
  const both = new DeleteSecretCommand({
    SecretId: 'gone',
    ForceDeleteWithoutRecovery: true,
    RecoveryWindowInDays: 7,
  });
  await expect(secrets.send(both)).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('bytes come back as bytes', async () => {
  const SecretBinary = new Uint8Array([0, 255, 7]);
  await secrets.send(new CreateSecretCommand({ Name: 'bytes', SecretBinary }));
  const { SecretBinary: found, SecretString } = await read('bytes');
  expect([...(found ?? [])]).toEqual([0, 255, 7]);
  expect(SecretString).toBeUndefined();
});

test('secrets are listed by filters, without values', async () => {
  await secrets.send(
    new CreateSecretCommand({
      Name: 'listed/one',
      Description: 'for the editor',
      Tags: [{ Key: 'team', Value: 'web' }],
    }),
  );
  const list = async (Key: 'name' | 'tag-value' | 'description', value: string) => {
    const found = await secrets.send(new ListSecretsCommand({ Filters: [{ Key, Values: [value] }] }));
    return found.SecretList?.map(({ Name }) => Name);
  };
  expect(await list('name', 'listed/')).toEqual(['listed/one']);
  expect(await list('tag-value', 'web')).toEqual(['listed/one']);
  expect(await list('description', 'EDITOR')).toEqual(['listed/one']);
  expect(await list('name', '!listed/')).not.toContain('listed/one');
  const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'listed/one' }));
  expect(described).toMatchObject({ Name: 'listed/one', VersionIdsToStages: {} });
  await expect(read('listed/one')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: expect.stringContaining('AWSCURRENT'),
  });
});

test('the AWS CLI creates and reads, and a restart loses nothing', async () => {
  await sandbox.aws('secretsmanager', 'create-secret', '--name', 'cli/a', '--secret-string', '{"k":"v"}');
  sandbox = await sandbox.restarted();
  secrets = new SecretsManagerClient(sandbox.client);
  const found = await sandbox.aws('secretsmanager', 'get-secret-value', '--secret-id', 'cli/a');
  expect(found).toMatchObject({ SecretString: '{"k":"v"}', VersionStages: ['AWSCURRENT'] });
});
