import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { accountOf, newAccessKeyId } from '../../../sandbox/sts/access-key.ts';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await aSandbox();
});
afterAll(() => sandbox.close());

const RoleArn = 'arn:aws:iam::111122223333:role/deploy/slipway';

test('an assumed role is an identity of the role’s account', async () => {
  const assumed = await new STSClient(sandbox.client).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'release-1.4.0' }),
  );
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = assumed.Credentials ?? {};
  const credentials = { accessKeyId, secretAccessKey, sessionToken: assumed.Credentials?.SessionToken ?? '' };
  const identity = await new STSClient({ ...sandbox.client, credentials }).send(
    new GetCallerIdentityCommand({}),
  );
  expect(identity).toMatchObject({
    Account: '111122223333',
    Arn: 'arn:aws:sts::111122223333:assumed-role/slipway/release-1.4.0',
    UserId: assumed.AssumedRoleUser?.AssumedRoleId,
  });
  expect(accountOf(accessKeyId)).toBe('111122223333');
});

test('any other key belongs to the sandbox’s own account, as the AWS CLI sees it too', async () => {
  const identity = await sandbox.aws('sts', 'get-caller-identity');
  expect(identity).toMatchObject({ Account: '000000000000', Arn: 'arn:aws:iam::000000000000:root' });
});

test('credentials that nobody was given are refused', async () => {
  const credentials = { accessKeyId: newAccessKeyId('111122223333'), secretAccessKey: 'guessed' };
  const asked = new STSClient({ ...sandbox.client, credentials }).send(new GetCallerIdentityCommand({}));
  await expect(asked).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
    $metadata: { httpStatusCode: 403 },
  });
});

test('what isn’t a role can’t be assumed', async () => {
  const asked = new STSClient(sandbox.client).send(
    new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::111122223333:user/someone', RoleSessionName: 'me' }),
  );
  await expect(asked).rejects.toMatchObject({ name: 'ValidationError' });
});

test.each(['000000000000', '029608264753', '999999999999'])('a key id carries its account %s', (account) => {
  expect(accountOf(newAccessKeyId(account))).toBe(account);
});

test('the account in a key id is where AWS puts it', () => {
  expect(accountOf('ASIAQNZGKIQY56JQ7WML')).toBe('029608264753');
  expect(accountOf('test')).toBeUndefined();
});
