import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { unanswered } from '../../../../src/activities/terraform/apply/unanswered.ts';
import { readState } from '../../../../src/activities/terraform/state/state-file.ts';
import type { StateReading } from '../../../../src/activities/terraform/state/state-file.ts';
import {
  TRIAL_LOCK_FILE,
  installTrialProvider,
  trialHeader,
} from '../../../terraform/trial-provider/install.ts';
import { startTrialServer } from '../../../terraform/trial-provider/server.ts';
import type { TrialServer } from '../../../terraform/trial-provider/server.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { aTerraform, failureOf } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();
let server: TrialServer;
let t: Fixture;

beforeEach(async () => {
  server = await startTrialServer();
  const base = await newDirectory();
  const { cliConfigFile } = await installTrialProvider(join(base, 'provider'));
  t = aTerraform(base, { environment: { ...process.env, TF_CLI_CONFIG_FILE: cliConfigFile } });
  t.repository.commit({ 'terraform/.terraform.lock.hcl': TRIAL_LOCK_FILE });
});
afterEach(() => server.close());

const release = (...resources: readonly string[]) =>
  t.release([trialHeader(server.address), ...resources].join('\n'), { allowDestroy: true });
const anObject = (name: string) => `resource "trial_object" "${name}" {\n  name = "${name}"\n}`;
const names = () => server.objects().map(({ name }) => name);

/** As the kernel does for want of memory: the provider is larger than terraform. */
async function killPlugins(): Promise<void> {
  const home = join(t.dataDirectory, 'terraform', 'writing', 'production');
  const command = (await readdir(home, { recursive: true })).find((name) => name.endsWith('apply/command'));
  const [terraform] = (await readFile(join(home, command ?? ''), 'utf8')).split(' ');
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  for (const [pid] of processes.filter(([, parent]) => parent === terraform))
    process.kill(Number(pid), 'SIGKILL');
}

describe('an apply that ended by itself asks about what it began to make', () => {
  test('when the provider died before it told what it had made', async () => {
    server.hold('db');
    const failing = failureOf(t.apply(release(anObject('db'))));
    await server.after('began', 1);
    await killPlugins();
    const failure = await failing;
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      nonRetryable: true,
      details: [{ suspects: ['trial_object.db'] }],
    });
    expect(failure.message).toContain('terraform apply in production failed with no answer');
    expect(names()).toEqual(['db']);
  });

  test('when the connection was cut between request and answer, and not about what was refused or answered beside it', async () => {
    server.fail('cut', 'unanswered');
    server.fail('refused', 'before');
    server.fail('unready', 'after');
    const failure = await failureOf(
      t.apply(release(anObject('cut'), anObject('refused'), anObject('unready'), anObject('fine'))),
    );
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ suspects: ['trial_object.cut'] }],
    });
    expect(failure.message).toContain('refused with the value is refused');
    expect(names().toSorted()).toEqual(['cut', 'fine', 'unready']);
  });
});

test('an apply in which all that failed was refused, or is in the state, fails without a question', async () => {
  const provisioned = (version: number, command: string) => `
    resource "terraform_data" "provisioned" {
      triggers_replace = ${version}
      provisioner "local-exec" { command = "${command}" }
    }`;
  await t.apply(release(provisioned(1, 'true')));
  server.fail('refused', 'before');
  server.fail('unready', 'after');
  const failure = await failureOf(
    t.apply(release(provisioned(2, 'exit 3'), anObject('refused'), anObject('unready'))),
  );
  expect(failure).toMatchObject({ type: 'TerraformFailed', details: [{ reason: 'Unknown', exitCode: 1 }] });
  for (const address of ['terraform_data.provisioned', 'trial_object.refused', 'trial_object.unready'])
    expect(failure.message).toContain(`with ${address}`);
  expect(await readFile(t.state, 'utf8')).toContain('"unready-');
  expect(names()).toEqual(['unready']);
});

describe('what may exist after an apply that ended by itself', () => {
  const INTENT = { created: ['aws_a.web', 'aws_a.old', 'aws_a.keys["***"]'], replaced: ['aws_a.old'] };
  const anError = (summary: string, address?: string) => ({
    summary,
    detail: '',
    ...(address && { address }),
  });
  const aState = (status?: 'tainted') =>
    readState(
      JSON.stringify({
        version: 4,
        serial: 1,
        lineage: 'x',
        resources: [{ mode: 'managed', type: 'aws_a', name: 'old', instances: [{ attributes: {}, status }] }],
      }),
    );
  const suspects = (address: string, errors: ReturnType<typeof anError>[], state?: StateReading) =>
    unanswered(INTENT, new Set([address]), errors, state);

  test.each([
    ['a crash, which names no resource', [anError('Plugin did not respond')]],
    ['no error at all', []],
    ['an error of another resource', [anError('AccessDenied', 'aws_a.other')]],
    ['a connection that broke', [anError('creating web: read: connection reset by peer', 'aws_a.web')]],
    ['a connection that ended', [anError('creating web: Post "https://a.aws/": EOF', 'aws_a.web')]],
    ['a request that was broken off', [anError('creating web: request canceled', 'aws_a.web')]],
    ['a refusal beside a broken connection', [anError('No', 'aws_a.web'), anError('EOF', 'aws_a.web')]],
  ])('is what was begun, with %s', (_, errors) => {
    expect(suspects('aws_a.web', errors)).toEqual(['aws_a.web']);
  });

  test.each([
    'AccessDenied: not authorized to perform a:Create',
    'EntityAlreadyExists: web already exists',
    'AddressLimitExceeded',
    'ThrottlingException: Rate exceeded',
    'InvalidParameterException: timeout must be less than 60',
  ])('is nothing where the resource was refused: %s', (summary) => {
    expect(suspects('aws_a.web', [anError(summary, 'aws_a.web')])).toEqual([]);
  });

  test('is the new object where the state has the one that was to be replaced, and not where it has the new one', () => {
    expect(suspects('aws_a.old', [], aState())).toEqual(['aws_a.old']);
    expect(suspects('aws_a.old', [], aState('tainted'))).toEqual([]);
  });

  test('is named without the secret that is in its address', () => {
    expect(suspects('aws_a.keys["hunter2"]', [])).toEqual(['aws_a.keys["***"]']);
  });
});
