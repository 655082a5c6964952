import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import type { StateFile } from '../state-backend.ts';
import { TRIAL_LOCK_FILE, installTrialProvider, trialHeader } from './install.ts';
import { startTrialServer } from './server.ts';
import type { TrialServer } from './server.ts';

let directory: string;
let server: TrialServer;
let environment: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-trial-'));
  server = await startTrialServer();
  const { cliConfigFile } = await installTrialProvider(join(directory, 'provider'));
  environment = {
    PATH: process.env['PATH'] ?? '',
    TF_CLI_CONFIG_FILE: cliConfigFile,
    CHECKPOINT_DISABLE: '1',
  };
  await writeFile(join(directory, 'header.tf'), trialHeader(server.address));
  await writeFile(join(directory, '.terraform.lock.hcl'), TRIAL_LOCK_FILE);
  await terraform('init', '-lockfile=readonly');
});
beforeEach(async () => {
  await rm(join(directory, 'terraform.tfstate'), { force: true });
  for (const { id } of server.objects()) server.remove(id);
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function start(...args: string[]) {
  const options = { cwd: directory, env: environment, extendEnv: false, reject: false, all: true } as const;
  return execa('terraform', args, options);
}
async function terraform(...args: string[]): Promise<string> {
  const { failed, all } = await start(...args, '-no-color');
  return `${failed ? 'failed' : 'done'}: ${all}`;
}
async function apply(objects: string): Promise<string> {
  await writeFile(join(directory, 'main.tf'), objects);
  return terraform('apply', '-auto-approve');
}
const object = (name: string, more = '') =>
  `resource "trial_object" "${name}" {\n name = "${name}"\n ${more}\n}\n`;
const idOf = (name: string) => server.objects().find((each) => each.name === name)?.id ?? '';
const inState = async () => {
  const { resources } = JSON.parse(await readFile(join(directory, 'terraform.tfstate'), 'utf8')) as StateFile;
  return resources.flatMap(({ name, instances }) => instances.map(({ status }) => [name, status ?? 'whole']));
};

test('objects are made, changed and deleted, and a plan after it finds nothing to do', async () => {
  expect(await apply(object('a', 'value = "one"') + object('b'))).toContain('2 added');
  expect(await terraform('plan', '-detailed-exitcode')).toContain('done');
  expect(await apply(object('a', 'value = "two"'))).toContain('1 changed, 1 destroyed');
  expect(server.objects()).toMatchObject([{ name: 'a', value: 'two' }]);
});

test('what is changed or removed by hand is seen as drift', async () => {
  await apply(object('c') + object('d'));
  server.change(idOf('c'), 'by hand');
  server.remove(idOf('d'));
  const plan = await terraform('plan', '-refresh-only');
  expect(plan).toMatch(/trial_object.c has (been )?changed/);
  expect(plan).toContain('trial_object.d has been deleted');
});

test('one that was forgotten is imported, and a plan after it finds nothing to do', async () => {
  await apply(object('h', 'delay_ms = 1'));
  await rm(join(directory, 'terraform.tfstate'));
  expect(await terraform('import', 'trial_object.h', idOf('h'))).toContain('Import successful');
  expect(await terraform('plan', '-detailed-exitcode')).toContain('done');
});

test('one that is refused is not made; one that never gets ready is made, and tainted', async () => {
  const output = await apply(object('e', 'fail = "before"\n value = "v1"') + object('f', 'fail = "after"'));
  expect(output).toMatch(/failed: [^]*e with the value v1 is refused/);
  expect(server.objects()).toMatchObject([{ name: 'f' }]);
  expect(await inState()).toEqual([['f', 'tainted']]);
});

test('a Terraform that is killed while it waits forgets the object, and the next one makes a duplicate', async () => {
  server.hold('g');
  await writeFile(join(directory, 'main.tf'), object('g'));
  const began = server.events.filter(({ kind }) => kind === 'began').length;
  const killed = start('apply', '-auto-approve', '-no-color');
  await server.after('began', began + 1);
  killed.kill('SIGKILL');
  await killed;
  server.letGo('g');
  await apply(object('g'));
  expect(server.created()).toMatchObject({ g: 2 });
  expect(server.objects()).toHaveLength(2);
});
