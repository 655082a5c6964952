import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { endpointConfiguration } from '../../../examples/writing-platform/endpoint.ts';
import {
  MODEL_API_KEY,
  SUPPORT_CONTACT,
  prepareAccount,
} from '../../../examples/writing-platform/prepare-account.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { startSandbox } from '../../../sandbox/server.ts';

let directory: string;
let sandbox: Sandbox;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'writing-platform-'));
  sandbox = await startSandbox({ stateDir: directory });
});
afterAll(async () => {
  await sandbox.close();
  await rm(directory, { recursive: true });
});

test('an account gets what is missing, and keeps what people have changed since', async () => {
  const endpoint = sandbox.url;
  const [ssm, secrets] = [
    new SSMClient(endpointConfiguration(endpoint)),
    new SecretsManagerClient(endpointConfiguration(endpoint)),
  ];
  const key = async () =>
    (await secrets.send(new GetSecretValueCommand({ SecretId: MODEL_API_KEY }))).SecretString;

  expect(await prepareAccount({ endpoint })).toEqual([SUPPORT_CONTACT, MODEL_API_KEY]);
  const made = await key();
  expect(made).toMatch(/^[\w-]{32}$/);

  const Value = 'desk@example.com';
  await ssm.send(new PutParameterCommand({ Name: SUPPORT_CONTACT, Value, Overwrite: true }));
  expect(await prepareAccount({ endpoint })).toEqual([]);
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: SUPPORT_CONTACT }));
  expect([Parameter?.Value, await key()]).toEqual([Value, made]);
  ssm.destroy();
  secrets.destroy();
});
