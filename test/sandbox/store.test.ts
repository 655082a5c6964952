import { appendFile, mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Store } from '../../sandbox/store.ts';

const newDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'sandbox-store-'));

test('what was set is there after a restart, what was deleted is not', async () => {
  const directory = await newDirectory();
  const before = await Store.open(directory);
  before.table('services').set('a', { desired: 1 });
  before.table('services').set('a', { desired: 2 });
  before.table('services').set('b', { desired: 3 });
  before.table('services').delete('b');
  await before.close();

  const after = await Store.open(directory);
  expect(after.table('services').entries()).toEqual([['a', { desired: 2 }]]);
  await after.close();
});

test('what was flushed is on disk before the store is closed', async () => {
  const directory = await newDirectory();
  const store = await Store.open(directory);
  store.table('services').set('a', { desired: 1 });
  await store.flush();
  const journal = (await readdir(directory)).find((name) => name.startsWith('journal.'));
  expect(await readFile(join(directory, journal ?? ''), 'utf8')).toBe('["services","a",{"desired":1}]\n');
  await store.close();
});

test('a line that was being written when the process died is left out', async () => {
  const directory = await newDirectory();
  const before = await Store.open(directory);
  before.table('services').set('a', { desired: 1 });
  await before.close();
  const journal = (await readdir(directory)).find((name) => name.startsWith('journal.'));
  await appendFile(join(directory, journal ?? ''), '["services","a",{"desi');

  const after = await Store.open(directory);
  expect(after.table('services').get('a')).toEqual({ desired: 1 });
  await after.close();
});

test('a directory in use is refused, naming the process', async () => {
  const directory = await newDirectory();
  const store = await Store.open(directory);
  await expect(Store.open(directory)).rejects.toThrow(
    `the sandbox with process id ${process.pid} is using it`,
  );
  await store.close();
});

test('a lock whose process is gone is taken over', async () => {
  const directory = await newDirectory();
  await writeFile(
    join(directory, 'lock.json'),
    JSON.stringify({ pid: process.pid, startedAt: 'another life' }),
  );
  const store = await Store.open(directory);
  await store.close();
});

test('a file that is not the sandbox’s is named', async () => {
  const directory = await newDirectory();
  await writeFile(join(directory, 'state.json'), 'hello');
  await expect(Store.open(directory)).rejects.toThrow(
    `${directory}/state.json isn't a state file of the sandbox`,
  );
});

test('a path that is a file is refused as a state directory', async () => {
  const file = join(await newDirectory(), 'file');
  await writeFile(file, '');
  await expect(Store.open(file)).rejects.toThrow(`Can't use the state directory ${file}`);
});

test('a journal that has grown is written anew, and nothing is lost', async () => {
  const directory = await newDirectory();
  const store = await Store.open(directory);
  const before = (await readdir(directory)).filter((name) => name.startsWith('journal.'));
  for (let i = 0; i < 20; i++) {
    store.table('big').set(`row-${i % 3}`, { i, text: 'x'.repeat(1024 * 1024) });
    await store.flush();
  }
  const after = (await readdir(directory)).filter((name) => name.startsWith('journal.'));
  await store.close();

  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  const again = await Store.open(directory);
  const rows = again.table<{ i: number }>('big').values();
  expect(rows.map(({ i }) => i).toSorted((a, b) => a - b)).toEqual([17, 18, 19]);
  await again.close();
});
