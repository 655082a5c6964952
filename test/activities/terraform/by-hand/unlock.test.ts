import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { consoleSupervisor } from '../../../../src/activities/process/console-supervisor.ts';
import type { StateLock, TerraformInput } from '../../../../src/activities/terraform/types.ts';
import { unlockState } from '../../../../src/activities/terraform/by-hand/unlock.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { StateBackend } from '../../../terraform/state-backend.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { halfWay, letGo, slowOver } from '../cut.ts';
import { aTerraform } from '../support.ts';
import type { Fixture } from '../support.ts';

const DEAD = '9db590f1-b6fe-c5f2-2678-8804f089deba';
const OTHER = '11111111-2222-3333-4444-555555555555';

const newDirectory = temporaryDirectories();
let backend: StateBackend;
let terraform: Fixture;
let input: TerraformInput;
beforeEach(async () => {
  backend = await startStateBackend();
  terraform = aTerraform(await newDirectory());
  input = slowOver(terraform, backend);
});
afterEach(() => backend.close());

async function unlock(
  id: string,
  agree: (lock: StateLock) => void | Promise<void> = () => undefined,
): Promise<StateLock | undefined> {
  const supervisor = consoleSupervisor(new AbortController().signal);
  return unlockState(terraform.dependencies, { input, id }, supervisor, async (lock) => agree(lock));
}

/** Takes the state lock as another terraform would, or gives it back. */
async function request(method: 'LOCK' | 'UNLOCK', id: string): Promise<void> {
  const body = JSON.stringify({ ID: id, Operation: 'OperationTypeApply', Who: 'erin@elsewhere' });
  expect((await fetch(backend.address, { method, body })).status).toBe(200);
}

test('the lock that a dead terraform left is released, once a person has seen it', async () => {
  await request('LOCK', DEAD);
  const seen: string[] = [];
  await unlock(DEAD, ({ id }) => {
    expect(backend.lock()?.ID).toBe(DEAD);
    seen.push(id);
  });
  expect(seen).toEqual([DEAD]);
  expect(backend.lock()).toBeUndefined();
});

test('a state that is not locked is left as it is', async () => {
  expect(await unlock(DEAD, () => Promise.reject(new Error('asked')))).toBeUndefined();
});

test('nothing is released without agreement', async () => {
  await request('LOCK', DEAD);
  await expect(unlock(DEAD, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(backend.lock()?.ID).toBe(DEAD);
});

test('another lock than the one that is meant is named, not released', async () => {
  await request('LOCK', OTHER);
  await expect(unlock(DEAD)).rejects.toThrow(`It is another lock that is held: ${OTHER}`);
  expect(backend.lock()?.ID).toBe(OTHER);
});

test('a lock that another took while a person thought it over is not released', async () => {
  await request('LOCK', DEAD);
  const refused = unlock(DEAD, async () => {
    await request('UNLOCK', DEAD);
    await request('LOCK', OTHER);
  });
  await expect(refused).rejects.toThrow(`It is another lock that is held: ${OTHER}`);
  expect(backend.lock()?.ID).toBe(OTHER);
});

test('the lock of an apply that runs on this host is not released', async () => {
  const { changeSet: approved } = await terraform.plan(input);
  const { applying } = await halfWay(terraform, { ...input, approved });
  const held = backend.lock()?.ID ?? '';
  await expect(unlock(held)).rejects.toThrow(/A terraform apply of production runs on this host/);
  expect(backend.lock()?.ID).toBe(held);
  await letGo(terraform);
  await applying;
});

test('a lock of which the backend tells nothing is not released', async () => {
  await request('LOCK', DEAD);
  backend.break('lock', 'error');
  await expect(unlock(DEAD)).rejects.toThrow(/does not tell which one is held/);
  expect(backend.lock()?.ID).toBe(DEAD);
});
