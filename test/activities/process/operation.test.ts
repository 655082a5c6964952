import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { formatIdentity, ownIdentity } from '../../../src/activities/process/identity.ts';
import { clearLeftovers } from '../../../src/activities/process/operation.ts';
import { temporaryDirectories } from './support.ts';

const newDirectory = temporaryDirectories();
const DAY = 24 * 3600;

test('what a worker of another host or container owns is left alone for a week', async () => {
  const root = await newDirectory();
  const home = join(root, 'notes', 'production');
  const owners = {
    foreign: { ...ownIdentity(), place: 'elsewhere' },
    gone: { ...ownIdentity(), started: 'earlier' },
    own: ownIdentity(),
  };
  for (const [name, owner] of Object.entries(owners)) {
    await mkdir(join(home, name), { recursive: true });
    await writeFile(join(home, name, 'owner'), formatIdentity(owner));
  }
  const foreign = join(home, 'foreign');
  expect(await clearLeftovers(root, 'apply')).toEqual([foreign]);
  expect(await readdir(home)).toEqual(['foreign', 'own']);

  const old = Date.now() / 1000 - 8 * DAY;
  await utimes(foreign, old, old);
  await utimes(join(home, 'own'), old, old);
  expect(await clearLeftovers(root, 'apply')).toEqual([]);
  expect(await readdir(home)).toEqual(['own']);
});
