import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
