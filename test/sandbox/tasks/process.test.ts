import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { identify } from '../../../sandbox/process-identity.ts';
import type { ProcessIdentity } from '../../../sandbox/process-identity.ts';
import { adoptProcess, startProcess } from '../../../sandbox/tasks/process.ts';
import { until } from '../ecs/world.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'process-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const command = (script: string): Parameters<typeof startProcess>[0] => ({
  argv: ['/bin/sh', '-c', script],
  cwd: directory,
});
const environment = { PATH: process.env['PATH'] ?? '' };

test('nothing runs before the process is on record', async () => {
  const log = join(directory, 'gate.log');
  let atRecord = 'never recorded';
  const started = await startProcess(command('echo ran; exit 4'), environment, log, async () => {
    atRecord = await readFile(log, 'utf8');
  });
  expect(await started.exited).toBe(4);
  expect(atRecord).toBe('');
  expect(await readFile(log, 'utf8')).toBe('ran\n');
});

test('a process that can’t be put on record never runs', async () => {
  const log = join(directory, 'unrecorded.log');
  let identity: ProcessIdentity | undefined;
  const start = startProcess(command('echo ran'), environment, log, async (given) => {
    identity = given;
    throw new Error('disk full');
  });
  await expect(start).rejects.toThrow('disk full');
  await until(
    async () => identify(identity?.pid ?? 0),
    (found) => found === undefined,
  );
  expect(await readFile(log, 'utf8')).toBe('');
});

test('a process is taken over by its id and start, and its end is seen', async () => {
  const started = await startProcess(
    command('sleep 60'),
    environment,
    join(directory, 'adopted.log'),
    async () => {},
  );
  const adopted = adoptProcess(started.identity);
  adopted?.signal('SIGTERM');
  expect(await started.exited).toBe(143);
  expect(await adopted?.exited).toBeUndefined();
  expect(adoptProcess(started.identity)).toBeUndefined();
});

test('a later process of the same id is another one', async () => {
  const me = identify(process.pid);
  expect(adoptProcess({ pid: process.pid, startedAt: 'another time' })).toBeUndefined();
  expect(me?.startedAt).toBeDefined();
});
