import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { startStateBackend } from './state-backend.ts';
import type { StateBackend } from './state-backend.ts';

const CREDENTIALS = { username: 'slipway', password: 'the-backend-password' };
let directory: string;
let backend: StateBackend;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-backend-'));
  backend = await startStateBackend(CREDENTIALS);
  await writeFile(
    join(directory, 'main.tf'),
    `terraform {
      backend "http" {}
    }
    variable "size" {}
    resource "terraform_data" "web" {
      input = var.size
    }`,
  );
  await terraform('init');
});
afterEach(() => {
  for (const operation of ['read', 'write', 'lock', 'unlock'] as const) backend.break(operation);
});
afterAll(async () => {
  await backend.close();
  await rm(directory, { recursive: true, force: true });
});

/** @returns standard output and error */
async function terraform(command: string, ...args: string[]): Promise<{ failed: boolean; output: string }> {
  const settings = command === 'init' ? backend.settings() : {};
  const configured = Object.entries(settings).map(([name, value]) => `-backend-config=${name}=${value}`);
  const all = [command, ...configured, ...args, ...(command === 'force-unlock' ? [] : ['-no-color'])];
  const environment = {
    PATH: process.env['PATH'] ?? '',
    CHECKPOINT_DISABLE: '1',
    TF_HTTP_USERNAME: CREDENTIALS.username,
    TF_HTTP_PASSWORD: CREDENTIALS.password,
  };
  const { failed, all: output } = await execa('terraform', all, {
    cwd: directory,
    env: environment,
    extendEnv: false,
    reject: false,
    all: true,
  });
  return { failed, output };
}
const apply = (size: number) => terraform('apply', '-auto-approve', `-var=size=${size}`);

test('Terraform keeps its state there, locked while it applies', async () => {
  const from = backend.requests.length;
  expect((await apply(1)).failed).toBe(false);
  expect(backend.state()?.resources).toMatchObject([{ type: 'terraform_data', name: 'web' }]);
  expect(backend.lock()).toBeUndefined();
  const { requests } = backend;
  const [lock] = requests.slice(from).filter(({ operation }) => operation === 'lock');
  expect(lock).toMatchObject({ status: 200, who: expect.stringContaining('@') });
  for (const { operation, lockId } of requests.slice(from))
    if (operation !== 'read') expect(lockId).toBe(lock?.lockId);
});

test('a state that somebody holds is refused until it is released', async () => {
  backend.break('unlock', 'error');
  await apply(2);
  backend.break('unlock');
  const held = backend.lock();
  expect(held).toMatchObject({ Operation: 'OperationTypeApply' });
  expect((await apply(3)).output).toMatch(/Error acquiring the state lock[^]*OperationTypeApply/);
  expect((await terraform('force-unlock', '-force', held?.ID ?? '')).failed).toBe(false);
  expect(backend.lock()).toBeUndefined();
});

test.each(['refuse', 'error', 'break off'] as const)(
  'a state that meets "%s" when it is saved is not saved',
  async (fault) => {
    await apply(4);
    const before = backend.rawState();
    backend.break('write', fault);
    expect((await apply(5)).output).toContain('Failed to persist state to backend');
    expect(backend.rawState()).toBe(before);
  },
);

test('states of two paths know nothing of each other', async () => {
  const [{ address: one = '' }, { address: other = '' }] = [
    backend.settings('/one'),
    backend.settings('/other'),
  ];
  const authorization = `Basic ${Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64')}`;
  await fetch(one, { method: 'POST', body: '{"serial":7}', headers: { authorization } });
  expect(backend.state('/one')).toEqual({ serial: 7 });
  expect((await fetch(other, { headers: { authorization } })).status).toBe(404);
});

test('no credentials, or wrong ones, get nothing', async () => {
  expect((await fetch(backend.address)).status).toBe(401);
  const headers = { authorization: `Basic ${Buffer.from('slipway:guessed').toString('base64')}` };
  expect((await fetch(backend.address, { headers })).status).toBe(403);
});
