import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { consoleSupervisor, Interrupted } from '../../../../src/activities/process/console-supervisor.ts';
import { readKeptState, removeKeptState } from '../../../../src/activities/terraform/state/kept-state.ts';
import { readStateFile, recoverState } from '../../../../src/activities/terraform/by-hand/recover.ts';
import type { Comparison } from '../../../../src/activities/terraform/by-hand/recover.ts';
import type { TerraformInput } from '../../../../src/activities/terraform/types.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { LockInfo, StateBackend, StateFile } from '../../../terraform/state-backend.ts';
import { halfWay, letGo, runs, slowOver } from '../cut.ts';
import { aTerraform, failureOf, type Fixture } from '../support.ts';

const SECRET = 'the-planted-secret';
const BEFORE = `resource "terraform_data" "stays" {}
resource "terraform_data" "changes" { input = "old" }
resource "terraform_data" "goes" {}
`;
const AFTER = `resource "terraform_data" "stays" {}
resource "terraform_data" "changes" { input = "new" }
resource "terraform_data" "made" { input = "${SECRET}" }
`;

const base = mkdtempSync(join(tmpdir(), 'slipway-recover-'));
let backend: StateBackend;
let terraform: Fixture;
/** What a real apply left whose state could not be saved. */
let left: { readonly input: TerraformInput; readonly before: string; readonly file: string };
beforeAll(async () => {
  backend = await startStateBackend();
  terraform = aTerraform(base);
  const policy = { backend: backend.settings(), allowDestroy: true };
  await terraform.apply(terraform.release(BEFORE, policy, '0.9.0', 'http'));
  const before = backend.rawState() ?? '';
  const input = terraform.release(AFTER, policy, '1.0.0', 'http');
  left = { input, before, file: await unsaved(input) };
}, 60_000);
afterAll(async () => {
  await backend.close();
  rmSync(base, { recursive: true });
});

/** Applies while the backend takes no state. @returns the text of the state that was kept */
async function unsaved(input: TerraformInput): Promise<string> {
  const { changeSet: approved } = await terraform.plan(input);
  backend.break('write', 'error');
  const { details } = await failureOf(terraform.apply({ ...input, approved }));
  backend.break('write');
  const [{ erroredState }] = details as [{ erroredState: string }];
  return readFileSync(erroredState, 'utf8');
}

interface Lost {
  readonly input: TerraformInput;
  readonly file: string;
  readonly path: string;
  readonly ownLock?: string;
}

/** What was left, over a backend's state of its own. @param before the backend's text; null: it has none */
async function aLostState(name: string, before: string | null = left.before): Promise<Lost> {
  const path = `/${name}`;
  const file = join(base, `${name}.tfstate`);
  writeFileSync(file, left.file);
  if (before !== null) await save(path, before);
  const { input } = left;
  return {
    input: { ...input, terraform: { ...input.terraform, backend: backend.settings(path) } },
    file,
    path,
  };
}

async function recover(
  lost: Lost,
  agree: (found: Comparison) => void | Promise<void> = () => undefined,
): Promise<Comparison> {
  const supervisor = consoleSupervisor(new AbortController().signal);
  return recoverState(terraform.dependencies, lost, supervisor, async (found) => agree(found));
}

const writesTo = (path: string) =>
  backend.requests.filter((request) => request.operation === 'write' && request.path === path);
const consoleDirectories = () =>
  readdirSync(join(base, 'data', 'terraform', 'writing', 'production')).filter((name) =>
    name.startsWith('console-'),
  );
const namesIn = (path: string) => backend.state(path)?.resources.map(({ name }) => name);

function withFields(text: string, fields: Partial<StateFile>): string {
  return JSON.stringify({ ...(JSON.parse(text) as StateFile), ...fields });
}

test('what the backend does not know is pushed, and a plan then has nothing left to do', async () => {
  const lost = await aLostState('pushed');
  let seen: Comparison | undefined;
  await recover(lost, (found) => void (seen = found));
  expect(seen?.difference).toEqual({
    added: ['terraform_data.made'],
    changed: ['terraform_data.changes'],
    removed: ['terraform_data.goes'],
  });
  expect(namesIn(lost.path)).toEqual(['changes', 'made', 'stays']);
  expect(backend.lock(lost.path)).toBeUndefined();
  expect((await terraform.plan(lost.input)).changeSet.changes).toEqual([]);
});

test('the first state of all goes to a backend that has none', async () => {
  const lost = await aLostState('first', null);
  const { backend: there } = await recover(lost);
  expect(there).toBeUndefined();
  expect(namesIn(lost.path)).toEqual(['changes', 'made', 'stays']);
});

test('a local backend takes it as well', async () => {
  const file = join(base, 'local.tfstate');
  writeFileSync(file, left.before);
  const input = terraform.release(AFTER, { backend: { path: file } });
  await recover({ ...(await aLostState('for-local')), input });
  const { lineage, resources } = JSON.parse(left.file) as StateFile;
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ lineage, resources });
});

test('what is shown has no values, and without agreement nothing is pushed', async () => {
  const lost = await aLostState('refused');
  let seen = '';
  const refused = recover(lost, (found) => {
    seen = JSON.stringify({ ...found, objects: [...found.file.objects] });
    throw new Error('no');
  });
  await expect(refused).rejects.toThrow('no');
  expect(seen).toContain('terraform_data.made');
  expect(seen).not.toContain(SECRET);
  expect(namesIn(lost.path)).not.toContain('made');
  expect(consoleDirectories()).toEqual([]);
});

test('Ctrl-C ends it with its terraform: no lock is left, and neither is anything of the state on the disk', async () => {
  const lost = await aLostState('interrupted');
  const person = new AbortController();
  const interrupted = recoverState(terraform.dependencies, lost, consoleSupervisor(person.signal), () => {
    person.abort();
    return Promise.resolve();
  });
  await expect(interrupted).rejects.toThrow(Interrupted);
  expect(backend.lock(lost.path)).toBeUndefined();
  expect(consoleDirectories()).toEqual([]);
});

test('one that is pushed already is not pushed again, and nothing is asked', async () => {
  const lost = await aLostState('twice');
  await recover(lost);
  const pushed = writesTo(lost.path).length;
  const again = await recover(lost, () => {
    throw new Error('asked');
  });
  expect(again.pushed).toBe(true);
  expect(again.difference).toEqual({ added: [], changed: [], removed: [] });
  expect(writesTo(lost.path)).toHaveLength(pushed);
});

test('the lock that the dead apply left is shown, and released before the push', async () => {
  const lost = await aLostState('own-lock');
  const { ID: id } = await lockBy(lost.path);
  let seen: Comparison | undefined;
  await recover({ ...lost, ownLock: id }, (found) => {
    seen = found;
    expect(backend.lock(lost.path)?.ID).toBe(id);
  });
  expect(seen?.lock?.id).toBe(id);
  expect(backend.lock(lost.path)).toBeUndefined();
  expect(namesIn(lost.path)).toContain('made');
});

test('a backend that took neither the state nor the lock back gets right by what was noted of the apply', async () => {
  const slow = aTerraform(join(base, 'slow'));
  const own = await startStateBackend();
  try {
    const input = slowOver(slow, own);
    const { changeSet: approved } = await slow.plan(input);
    const { applying } = await halfWay(slow, { ...input, approved });
    own.break('write', 'error');
    own.break('unlock', 'error');
    await letGo(slow);
    const { details } = await failureOf(applying);
    const [{ erroredState: file }] = details as [{ erroredState: string }];
    own.break('write');
    own.break('unlock');
    const { stateLock } = (await readKeptState(file)) ?? {};
    expect(own.lock()?.ID).toBe(stateLock?.id);

    const supervisor = consoleSupervisor(new AbortController().signal);
    const recovery = { input, file, ownLock: stateLock?.id ?? '' };
    await recoverState(slow.dependencies, recovery, supervisor, () => Promise.resolve());
    await removeKeptState(file);
    expect(own.lock()).toBeUndefined();
    const resumed = await slow.apply({ ...input, approved, resuming: true });
    expect(resumed).toMatchObject({ changed: false, outputs: { done: 'yes' } });
    expect(await runs(slow)).toBe(1);
  } finally {
    await own.close();
  }
});

test('a lock that another took while a person thought it over is not released', async () => {
  const lost = await aLostState('lock-changed');
  const { ID: id } = await lockBy(lost.path);
  const refused = recover({ ...lost, ownLock: id }, async () => {
    await unlock(lost.path);
    await lockBy(lost.path, { ID: '11111111-2222-3333-4444-555555555555' });
  });
  await expect(refused).rejects.toThrow(/is locked: 11111111-2222-3333-4444-555555555555/);
  expect(backend.lock(lost.path)?.ID).toBe('11111111-2222-3333-4444-555555555555');
  expect(namesIn(lost.path)).not.toContain('made');
});

describe('nothing is pushed of a file', () => {
  test('of another lineage', async () => {
    const lost = await aLostState('lineage');
    writeFileSync(lost.file, withFields(left.file, { lineage: '11111111-2222-3333-4444-555555555555' }));
    const pushed = writesTo(lost.path).length;
    await expect(recover(lost)).rejects.toThrow(/lineage is 11111111-2222-3333-4444-555555555555/);
    expect(writesTo(lost.path)).toHaveLength(pushed);
  });

  test('that is overtaken: the serials and what only the file has are told', async () => {
    const lost = await aLostState('overtaken');
    const { serial } = (await readStateFile(lost.file)).state;
    await save(lost.path, withFields(left.before, { serial: serial + 1 }));
    await expect(recover(lost)).rejects.toThrow(
      new RegExp(`serial is ${serial + 1}, the file's is ${serial}.*Those are: terraform_data.made`),
    );
    expect(backend.state(lost.path)?.serial).toBe(serial + 1);
  });

  test('beside which somebody else applied: one serial, two states', async () => {
    const lost = await aLostState('beside');
    const { serial } = (await readStateFile(lost.file)).state;
    await save(lost.path, withFields(left.before, { serial }));
    await expect(recover(lost)).rejects.toThrow(`both serials are ${serial}, and the states differ`);
    expect(namesIn(lost.path)).not.toContain('made');
  });

  test('that is not there, no file, no state, of another format, or encrypted', async () => {
    const file = (name: string, content: string) => {
      writeFileSync(join(base, name), content);
      return join(base, name);
    };
    mkdirSync(join(base, 'folder'));
    const none = JSON.stringify({ version: 4, serial: 0, lineage: '', resources: [] });
    const older = JSON.stringify({ version: 3, serial: 1, lineage: 'x', modules: [] });
    const secret = JSON.stringify({
      serial: 1,
      lineage: 'x',
      encrypted_data: 'e30=',
      encryption_version: 'v0',
    });
    await expect(readStateFile(join(base, 'nowhere'))).rejects.toThrow(/nowhere can't be read: ENOENT/);
    await expect(readStateFile(join(base, 'folder'))).rejects.toThrow(/folder can't be read: EISDIR/);
    await expect(readStateFile(file('none', none))).rejects.toThrow(/none is empty/);
    await expect(readStateFile(file('text', 'hello'))).rejects.toThrow(/not a Terraform state/);
    await expect(readStateFile(file('plan', '{"resources": []}'))).rejects.toThrow(/no format version/);
    await expect(readStateFile(file('older', older))).rejects.toThrow(/format version 3, where 4 is known/);
    await expect(readStateFile(file('secret', secret))).rejects.toThrow(/is encrypted/);
  });

  test('while somebody holds the state lock', async () => {
    const lost = await aLostState('locked');
    const { ID: id } = await lockBy(lost.path);
    const refused = recover({ ...lost, ownLock: '11111111-2222-3333-4444-555555555555' });
    await expect(refused).rejects.toThrow(
      new RegExp(`is locked: ${id}.*slipway terraform unlock --environment production --id ${id}`),
    );
    expect(namesIn(lost.path)).not.toContain('made');
    expect(backend.lock(lost.path)?.ID).toBe(id);
  });
});

async function save(path: string, body: string): Promise<void> {
  const answer = await fetch(backend.settings(path)['address'] ?? '', { method: 'POST', body });
  expect(answer.status).toBe(200);
}

/** Takes the state lock as another terraform would. */
async function lockBy(path: string, fields: Partial<LockInfo> = {}): Promise<LockInfo> {
  const lock: LockInfo = {
    ID: '9db590f1-b6fe-c5f2-2678-8804f089deba',
    Operation: 'OperationTypeApply',
    Who: 'somebody@somewhere',
    Created: '2026-11-23T10:00:00.000000001Z',
    Version: '1.11.4',
    Info: '',
    Path: '',
    ...fields,
  };
  const { address } = backend.settings(path);
  const answer = await fetch(address ?? '', { method: 'LOCK', body: JSON.stringify(lock) });
  expect(answer.status).toBe(200);
  return lock;
}

async function unlock(path: string): Promise<void> {
  const { address } = backend.settings(path);
  expect((await fetch(address ?? '', { method: 'UNLOCK' })).status).toBe(200);
}
