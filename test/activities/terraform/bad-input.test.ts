import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installProvider } from '../../../sandbox/terraform-provider/install.ts';
import type { TerraformPolicy } from '../../../src/domain/policy.ts';
import { temporaryDirectories } from '../process/support.ts';
import { aTerraform, failureOf } from './support.ts';

const newDirectory = temporaryDirectories();

interface Bad {
  readonly reason: string;
  /** What the message has to name. */
  readonly says: string;
  readonly configuration?: string;
  readonly policy?: Partial<TerraformPolicy>;
  readonly files?: Readonly<Record<string, string>>;
  /** Another attempt may help. */
  readonly passes?: true;
}

const BAD: readonly (readonly [name: string, bad: Bad])[] = [
  [
    'a syntax error',
    {
      configuration: 'resource "terraform_data" {',
      reason: 'InvalidConfiguration',
      says: 'Unclosed configuration block',
    },
  ],
  [
    'a reference to nothing',
    {
      configuration: 'resource "terraform_data" "x" { input = terraform_data.y.id }',
      reason: 'InvalidConfiguration',
      says: '"terraform_data" "y" has not been declared',
    },
  ],
  [
    'resources that depend on each other in a circle',
    {
      configuration:
        'resource "terraform_data" "x" { input = terraform_data.y.id }\nresource "terraform_data" "y" { input = terraform_data.x.id }',
      reason: 'DependencyCycle',
      says: 'terraform_data.x',
    },
  ],
  [
    'a for_each over what is not known yet',
    {
      configuration:
        'resource "terraform_data" "x" {}\nresource "terraform_data" "y" { for_each = toset([terraform_data.x.id]) }',
      reason: 'UnknownCount',
      says: 'Invalid for_each argument',
    },
  ],
  [
    'a required variable without a value',
    { configuration: 'variable "size" {}', reason: 'MissingVariable', says: '"size"' },
  ],
  [
    'a variable that is not declared',
    { policy: { variables: { size: '1' } }, reason: 'UndeclaredVariable', says: '"size"' },
  ],
  [
    "a value that breaks a variable's rule",
    {
      configuration: `variable "size" {
        validation {
          condition     = var.size != "enormous"
          error_message = "It must not be enormous."
        }
      }
      resource "terraform_data" "x" { input = var.size }`,
      policy: { variables: { size: 'enormous' } },
      reason: 'InvalidVariable',
      says: 'It must not be enormous',
    },
  ],
  [
    'a version of Terraform that the configuration does not want',
    {
      configuration: 'terraform { required_version = "< 0.1" }',
      reason: 'TerraformVersion',
      says: 'required_version',
    },
  ],
  [
    'an unknown backend setting',
    {
      policy: { backend: { colour: 'red' } },
      reason: 'Backend',
      says: 'environments.<name>.terraform.backend',
    },
  ],
  [
    'a module that is not in the repository',
    {
      configuration: 'module "network" { source = "./network" }',
      reason: 'ModuleNotFound',
      says: 'network',
    },
  ],
  [
    'a module whose repository does not answer',
    {
      configuration: 'module "network" { source = "git::http://127.0.0.1:1/network.git" }',
      reason: 'ModuleUnavailable',
      says: 'network.git',
      passes: true,
    },
  ],
  [
    'a provider whose registry does not answer',
    {
      configuration: 'terraform {\n required_providers {\n x = { source = "127.0.0.1:1/a/x" }\n }\n}',
      reason: 'ProviderUnavailable',
      says: '127.0.0.1:1/a/x',
      passes: true,
    },
  ],
  [
    'a variable file that is not there',
    {
      policy: { variableFiles: ['production.tfvars'] },
      reason: 'PathNotFound',
      says: 'terraform/production.tfvars',
    },
  ],
  [
    'a directory that is not there',
    { policy: { directory: 'infrastructure' }, reason: 'PathNotFound', says: 'infrastructure' },
  ],
  [
    'a directory outside of the repository',
    { policy: { directory: 'terraform/../..' }, reason: 'PathOutsideRepository', says: '".."' },
  ],
  [
    'a file in the place of a directory',
    {
      policy: { directory: 'terraform/main.tf' },
      reason: 'NotADirectory',
      says: 'terraform/main.tf is a file',
    },
  ],
];

describe('planning fails with a reason and a remedy for', () => {
  test.each(BAD)('%s', async (_name, { configuration = '', policy = {}, reason, says, passes }) => {
    const t = aTerraform(await newDirectory());
    const failure = await failureOf(t.plan(t.release(configuration, policy)));
    const [detail] = failure.details ?? [];
    const found = failure.type === 'TerraformFailed' ? (detail as { reason: string }).reason : failure.type;
    expect({ found, nonRetryable: failure.nonRetryable }).toEqual({
      found: reason,
      nonRetryable: passes !== true,
    });
    expect(failure.message.replaceAll(/\s+/g, ' ')).toContain(says);
  });

  test('a directory that is a link out of the repository', async () => {
    const t = aTerraform(await newDirectory());
    t.repository.commit({ out: { link: '/tmp' } });
    const input = t.release('', { directory: 'out' });
    expect(await failureOf(t.plan(input))).toMatchObject({
      type: 'PathOutsideRepository',
      nonRetryable: true,
    });
  });

  test('a provider that the lock file does not have', async () => {
    const base = await newDirectory();
    const { cliConfigFile } = await installProvider({ directory: join(base, 'provider') });
    const t = aTerraform(base, { environment: { ...process.env, TF_CLI_CONFIG_FILE: cliConfigFile } });
    const input = t.release(
      'terraform {\n required_providers {\n aws = {\n source = "sandbox.local/rehearsal/aws"\n version = "1.0.0"\n }\n }\n}',
    );
    const failure = await failureOf(t.plan(input));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'LockFile' }] });
    expect(failure.message).toContain('commit .terraform.lock.hcl');
  });
});

describe('a state backend', () => {
  let answer: { status: number; body?: string };
  let store: Server;
  let address: string;
  beforeAll(async () => {
    store = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
    await once(store.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(store.address() as AddressInfo).port}/state`;
  });
  afterAll(() => {
    store.close();
  });
  const state = (content: object) => ({ status: 200, body: JSON.stringify(content) });

  test.each<[string, typeof answer, string, boolean]>([
    ['that asks who is there', { status: 401 }, 'BackendAccess', true],
    ['that refuses', { status: 403 }, 'BackendAccess', true],
    ['that fails', { status: 500 }, 'Unreachable', false],
    ['with something else', { status: 200, body: '<html>Sign in</html>' }, 'StateCorrupt', true],
    [
      'with a broken state',
      state({ version: 4, serial: 1, lineage: 'x', resources: 'x' }),
      'StateCorrupt',
      true,
    ],
    ['with a later state', state({ version: 5, terraform_version: '9.0.0' }), 'StateNewer', true],
  ])('%s is told as such', async (_name, response, reason, nonRetryable) => {
    answer = response;
    const t = aTerraform(await newDirectory());
    const backend = { address, retry_max: '0', username: 'slipway', password: 'the-backend-password' };
    const failure = await failureOf(t.plan(t.release('', { backend }, '1.0.0', 'http')));
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable, details: [{ reason }] });
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('the-backend-password');
  });

  test.each([
    ['that is not there', 'http://127.0.0.1:1/state', 'Unreachable', false],
    ['that has no address', 'http://state.invalid/', 'Unreachable', false],
    ['that speaks another protocol', () => address.replace('http:', 'https:'), 'Certificate', true],
  ] as const)('%s is told as such', async (_name, where, reason, nonRetryable) => {
    const t = aTerraform(await newDirectory());
    const backend = { address: typeof where === 'string' ? where : where(), retry_max: '0' };
    const failure = await failureOf(t.plan(t.release('', { backend }, '1.0.0', 'http')));
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable, details: [{ reason }] });
  });

  test('in S3 without credentials is told as such', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...worker } = process.env;
    const home = await newDirectory();
    const t = aTerraform(home, { environment: { ...worker, HOME: home, AWS_EC2_METADATA_DISABLED: 'true' } });
    const backend = { bucket: 'states', key: 'production', region: 'eu-west-1' };
    const failure = await failureOf(t.plan(t.release('', { backend }, '1.0.0', 's3')));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'CredentialsMissing' }] });
  });

  test.each([
    ['InvalidClientTokenId', 403, 'CredentialsInvalid', true],
    ['ExpiredToken', 403, 'CredentialsExpired', false],
    ['AccessDenied', 403, 'AccessDenied', true],
  ])('in S3 that answers %s is told as such', async (code, status, reason, nonRetryable) => {
    const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>No.</Message></Error></ErrorResponse>`;
    answer = { status, body };
    const worker = {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'the-worker-key',
    };
    const endpoint = new URL(address).origin;
    const environment = { ...worker, AWS_ENDPOINT_URL: endpoint, AWS_STS_ENDPOINT: endpoint };
    const t = aTerraform(await newDirectory(), { environment });
    const backend = { bucket: 'states', key: 'production', region: 'eu-west-1' };
    const failure = await failureOf(t.plan(t.release('', { backend }, '1.0.0', 's3')));
    expect(failure).toMatchObject({ nonRetryable, details: [{ reason }] });
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('the-worker-key');
  });
});

describe('terraform itself', () => {
  async function aBinary(script: string): Promise<string> {
    const path = join(await newDirectory(), 'terraform');
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  }

  test('that is older than 1.5 is told before it is used', async () => {
    const binary = await aBinary(`[ "$1" = version ] && echo '{"terraform_version": "1.4.7"}' || exit 9`);
    const t = aTerraform(await newDirectory(), { binary });
    const input = t.release('');
    const failure = await failureOf(t.plan(input));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'TerraformVersion' }] });
    expect(failure.message).toContain('is version 1.4.7. Slipway needs Terraform 1.5 or later, or OpenTofu');
    expect(await t.check(input)).toMatchObject({ passed: false, detail: failure.message });
  });

  test('that is something else is told before it is used', async () => {
    const t = aTerraform(await newDirectory(), { binary: await aBinary('echo Bazel 7.0.0') });
    const failure = await failureOf(t.plan(t.release('')));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'TerraformVersion' }] });
  });

  test('is asked for its version once', async () => {
    const base = await newDirectory();
    const binary = await aBinary(
      `[ "$1" = version ] && echo x >> ${base}/asked && echo '{"terraform_version": "1.9.0"}' && exit
       echo 'Error: Something' >&2; exit 1`,
    );
    const t = aTerraform(base, { binary });
    const input = t.release('');
    await failureOf(t.plan(input));
    await failureOf(t.plan(input));
    expect(await readFile(join(base, 'asked'), 'utf8')).toBe('x\n');
  });
});
