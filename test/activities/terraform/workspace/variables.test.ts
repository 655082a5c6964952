import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { ParameterType } from '@aws-sdk/client-ssm';
import { startSandbox } from '../../../../sandbox/server.ts';
import type { Sandbox } from '../../../../sandbox/server.ts';
import { createAwsClients } from '../../../../src/activities/aws.ts';
import type { AwsClients } from '../../../../src/activities/aws.ts';
import { assertParametersCount } from '../../../../src/activities/terraform/workspace/variables.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { TARGET, aTerraform, failureOf } from '../support.ts';

const newDirectory = temporaryDirectories();
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const PASSWORD = 'correct-horse "battery" ${staple}\nsecond line of it';
let state: string;
let sandbox: Sandbox;
let aws: AwsClients;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'slipway-variables-'));
  sandbox = await startSandbox({ stateDir: state });
  aws = createAwsClients({ endpoint: sandbox.url, credentials });
  await put('/writing/production/password', PASSWORD, 'SecureString');
  await put('/writing/production/size', 'enormous', 'String');
  await put('/writing/production/keys', '["first-of-keys","second-of-keys"]', 'SecureString');
  await put('/writing/production/zones', '["a","b"]', 'String');
});
afterAll(async () => {
  aws.destroy();
  await sandbox.close();
  await rm(state, { recursive: true });
});

async function put(Name: string, Value: string, Type: ParameterType): Promise<void> {
  await aws.clientsFor(TARGET).ssm.send(new PutParameterCommand({ Name, Value, Type }));
}

/** Something that answers every call of AWS's in the same way. */
async function aRefusal(status: number, body: string) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const PARAMETERS = { password: '/writing/production/password', size: '/writing/production/size' };
const CONFIGURATION = `
variable "password" {
  sensitive = true
}
variable "size" {}
variable "release_commit" {}
resource "terraform_data" "web" {
  input = { password = var.password, size = var.size, commit = var.release_commit }
}
output "commit" {
  value = var.release_commit
}`;

describe("a variable's SSM parameter", () => {
  test('gives its value, through the environment alone, and a SecureString is shown nowhere', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const seen = join(t.base, 'seen');
    const spying = `${CONFIGURATION}
      resource "terraform_data" "spy" {
        provisioner "local-exec" {
          command = "tr '\\\\0' ' ' < /proc/$PPID/cmdline > ${seen}; echo \\"$TF_VAR_password\\"; env | grep TF_VAR >&2; false"
        }
      }`;
    const input = t.release(spying, { parameters: PARAMETERS });
    const planned = await t.plan(input);
    expect(planned.rendering).toContain('enormous');
    expect(JSON.stringify(planned)).not.toMatch(/horse|battery|staple|second line/);
    const failure = await failureOf(t.restore(input));
    const told = JSON.stringify([failure.message, failure.details]);
    expect(told).toContain('TF_VAR_size=enormous');
    expect(told).not.toMatch(/horse|battery|staple|second line/);
    const commandLine = await readFile(seen, 'utf8');
    expect(commandLine).toContain('apply');
    expect(commandLine).not.toMatch(/horse|enormous/);
    const left = await readdir(join(t.dataDirectory, 'terraform', 'writing', 'production'));
    expect(left).toEqual([]);
  });

  test('that is a SecureString is a secret where the configuration does not say so, too, with all that is in it', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const configuration = `variable "password" {}
      variable "keys" {
        type = list(string)
      }
      resource "terraform_data" "web" {
        input = "\${var.password} and \${var.keys[1]}"
      }
      resource "terraform_data" "each" {
        for_each = toset(var.keys)
      }
      output "key" {
        value = var.keys[0]
      }`;
    const parameters = { password: PARAMETERS.password, keys: '/writing/production/keys' };
    const input = t.release(configuration, { parameters });
    const planned = await t.plan(input);
    const applied = await t.apply(input);
    expect(planned.changeSet.counts.create).toBe(3);
    expect(JSON.stringify([planned, applied])).not.toMatch(/horse|staple|second line|-of-keys/);
  });

  test('is read for check, plan and apply alike, and may be a list', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const zones = `variable "zones" {
      type = list(string)
    }
    output "last" {
      value = var.zones[1]
    }`;
    const input = t.release(zones, { parameters: { zones: '/writing/production/zones' } });
    expect(await t.check(input)).toMatchObject({ passed: true });
    expect(await t.apply(input)).toMatchObject({ outputs: { last: 'b' } });
  });

  test("with the release's commit beside its version", async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const input = t.release(CONFIGURATION, { parameters: PARAMETERS });
    const { outputs } = await t.apply(input);
    expect(outputs).toEqual({ commit: input.release.commit });
  });

  test('that is missing fails check and plan and says what to make', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const input = t.release(CONFIGURATION, { parameters: { ...PARAMETERS, size: '/no/such/parameter' } });
    const failure = await failureOf(t.plan(input));
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      nonRetryable: true,
      details: [{ reason: 'MissingParameter', environment: 'production' }],
    });
    expect(failure.message).toContain('/no/such/parameter (variable size)');
    expect(failure.message).toContain('aws ssm put-parameter --region eu-west-1 --name /no/such/parameter');
    expect(await t.check(input)).toMatchObject({ passed: false, detail: failure.message });
  });

  test('that may not be read fails under the name that AWS has for it', async () => {
    const message = 'User: x is not authorized to perform: ssm:GetParameters';
    const refusal = await aRefusal(400, JSON.stringify({ __type: 'AccessDeniedException', message }));
    const refused = createAwsClients({ endpoint: refusal.url, credentials });
    const t = aTerraform(await newDirectory(), { aws: refused });
    const input = t.release(CONFIGURATION, { parameters: PARAMETERS });
    const failure = await failureOf(t.plan(input)).finally(refusal.close);
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      nonRetryable: true,
      details: [{ reason: 'AccessDenied' }],
    });
    expect(failure.message).toContain(message);
  });

  test('is worth another attempt when SSM does not answer', async () => {
    const nowhere = createAwsClients({ endpoint: 'http://127.0.0.1:1', credentials });
    const t = aTerraform(await newDirectory(), { aws: nowhere });
    const failure = await failureOf(t.plan(t.release(CONFIGURATION, { parameters: PARAMETERS })));
    expect(failure).toMatchObject({ type: 'AwsUnreachable', nonRetryable: false });
  });

  test('for a variable that the configuration does not declare is an error', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const input = t.release('variable "password" {}', { parameters: PARAMETERS });
    const failure = await failureOf(t.plan(input));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'UndeclaredVariable' }] });
    expect(failure.message).toContain('no variable size');
  });

  test('does not keep a restore from an older configuration, which does not know the variable', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    const input = t.release('resource "terraform_data" "web" {}', { parameters: PARAMETERS });
    expect(await t.restore(input)).toMatchObject({ changed: true });
  });

  test('that a file of the configuration overrides is an error', async () => {
    const t = aTerraform(await newDirectory(), { aws });
    t.repository.commit({ 'terraform/terraform.tfvars': 'size = "small"\n' });
    const failure = await failureOf(t.plan(t.release(CONFIGURATION, { parameters: PARAMETERS })));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'OverriddenVariable' }] });
    expect(failure.message).toContain('The variable size has another value');
  });
});

describe('a value counts as the one of its parameter', () => {
  const plan = (value: unknown) => ({
    format_version: '1.2',
    variables: { x: { value } },
    configuration: { root_module: { variables: { x: {} } } },
  });
  test.each([
    ['a text', 'y', 'y'],
    ['a number, however it is written', 3, '3.0'],
    ['a boolean', true, 'true'],
    ['a list, which is not judged', ['a'], '["b"]'],
    ['one that no plan shows', undefined, 'y'],
  ])('%s', (_name, planned, text) => {
    expect(() => assertParametersCount(TARGET, plan(planned), { x: text })).not.toThrow();
  });
  test.each([
    ['another text', 'z', 'y'],
    ['another number', 4, '3'],
    ['another boolean', true, 'false'],
  ])('and %s does not', (_name, planned, text) => {
    expect(() => assertParametersCount(TARGET, plan(planned), { x: text })).toThrow('another value');
  });
});

test('a variable that is too large for a process says so', async () => {
  const t = aTerraform(await newDirectory(), { aws });
  const size = 'x'.repeat(128 * 1024);
  const failure = await failureOf(t.plan(t.release('variable "size" {}', { variables: { size } })));
  expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'VariableTooLarge' }] });
  expect(failure.message).toContain('131072 bytes');
  expect(failure.message.length).toBeLessThan(1000);
});

test('a role that may not be assumed says so', async () => {
  const refusal = await aRefusal(
    403,
    `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`,
  );
  const worker = {
    AWS_ENDPOINT_URL_STS: refusal.url,
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  };
  Object.assign(process.env, worker);
  const t = aTerraform(await newDirectory());
  const target = { ...TARGET, role: 'arn:aws:iam::000000000000:role/nobody' };
  const failure = await failureOf(t.plan({ ...t.release(''), target })).finally(() => {
    for (const name of Object.keys(worker)) delete process.env[name];
    refusal.close();
  });
  expect(failure).toMatchObject({
    type: 'TerraformFailed',
    nonRetryable: true,
    details: [{ reason: 'AccessDenied' }],
  });
  expect(failure.message).toContain('role/nobody of production can');
});
