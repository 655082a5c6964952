import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { hostLockFile } from '../../../src/activities/process/host-lock.ts';
import { formatIdentity, ownIdentity } from '../../../src/activities/process/identity.ts';
import { resolveInside } from '../../../src/activities/source/paths.ts';
import { createSourceActivities } from '../../../src/activities/source/activities.ts';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { eventually, temporaryDirectories } from '../process/support.ts';
import { TestRepository } from './support.ts';

const newDirectory = temporaryDirectories();

async function aSource() {
  const base = await newDirectory();
  const upstream = new TestRepository(join(base, 'upstream'));
  const dataDirectory = join(base, 'data');
  const dependencies = { repository: upstream.directory, dataDirectory, environment: process.env };
  return { base, upstream, dataDirectory, dependencies, source: createSourceRepository(dependencies) };
}
const filesIn = (directory: string) => readdir(directory).then((names) => names.toSorted());

describe('readFile', () => {
  test('reads a file as it was at the commit', async () => {
    const { upstream, source } = await aSource();
    const first = upstream.commit({ 'deploy/web.json': '{"v":1}\n' });
    const second = upstream.commit({ 'deploy/web.json': '{"v":2}\n' });
    expect(await source.readFile(first, 'deploy/web.json')).toBe('{"v":1}\n');
    expect(await source.readFile(second, './deploy/web.json')).toBe('{"v":2}\n');
  });

  test('fetches a commit that came after the last fetch, also one that only a tag holds', async () => {
    const { upstream, source } = await aSource();
    await source.readFile(upstream.commit({ a: '1' }), 'a');
    upstream.git('switch', '--quiet', '--detach');
    const tagged = upstream.commit({ a: '2' });
    upstream.git('tag', 'v2');
    expect(await source.readFile(tagged, 'a')).toBe('2');
  });

  test('still reads what was fetched when the repository is out of reach, and says so for the rest', async () => {
    const { upstream, source } = await aSource();
    const known = upstream.commit({ a: '1' });
    await source.readFile(known, 'a');
    await rm(upstream.directory, { recursive: true });
    expect(await source.readFile(known, 'a')).toBe('1');
    await expect(source.readFile('f'.repeat(40), 'a')).rejects.toMatchObject({
      type: 'SourceUnavailable',
      nonRetryable: false,
    });
  });

  test.each([
    ['../outside', 'PathOutsideRepository'],
    ['deploy/../../outside', 'PathOutsideRepository'],
    ['/etc/passwd', 'PathOutsideRepository'],
    ['link/passwd', 'PathOutsideRepository'],
    ['inner-link', 'PathOutsideRepository'],
    ['missing', 'PathNotFound'],
    ['real/missing', 'PathNotFound'],
    ['real', 'PathNotFound'],
    ['', 'PathNotFound'],
    ['rea*', 'PathNotFound'],
  ])('refuses %j as %s', async (path, type) => {
    const { upstream, source } = await aSource();
    const commit = upstream.commit({
      'real/file': 'x',
      link: { link: '/etc' },
      'inner-link': { link: 'real/file' },
    });
    await expect(source.readFile(commit, path)).rejects.toMatchObject({ type, nonRetryable: true });
  });

  test.each(['f'.repeat(40), 'main', '--help', 'f'.repeat(7)])('refuses %j as a commit', async (commit) => {
    const { upstream, source } = await aSource();
    upstream.commit({ a: '1' });
    await expect(source.readFile(commit, 'a')).rejects.toMatchObject({
      type: 'CommitNotFound',
      nonRetryable: true,
    });
  });
});

describe('withCheckout', () => {
  test('holds exactly the files of the commit, in a private directory that is gone afterwards', async () => {
    const { upstream, source, dataDirectory } = await aSource();
    const attributes = 'hidden export-ignore\nversion export-subst\n';
    const run = { executable: '#!/bin/sh\n' };
    const commit = upstream.commit({
      '.gitattributes': attributes,
      hidden: 'h',
      version: '$Format:%H$',
      run,
    });
    upstream.commit({ later: 'x' });
    await writeFile(join(upstream.directory, 'uncommitted'), 'x');

    const seen = await source.withCheckout(commit, async (directory) => {
      expect(await filesIn(directory)).toEqual(['.gitattributes', 'hidden', 'run', 'version']);
      expect(await readFile(join(directory, 'version'), 'utf8')).toBe('$Format:%H$');
      expect((await stat(join(directory, 'run'))).mode & 0o111).not.toBe(0);
      expect((await stat(directory)).mode & 0o077).toBe(0);
      return directory;
    });
    await expect(stat(seen)).rejects.toThrow('ENOENT');
    expect(await readdir(join(dataDirectory, 'checkouts'))).toEqual([]);
  });

  test('is gone as well when its user fails', async () => {
    const { upstream, source, dataDirectory } = await aSource();
    const commit = upstream.commit({ a: '1' });
    await expect(source.withCheckout(commit, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(join(dataDirectory, 'checkouts'))).toEqual([]);
  });

  test('of several workers at once share one mirror', async () => {
    const { upstream, dependencies, dataDirectory } = await aSource();
    const commit = upstream.commit({ a: '1' });
    const workers = Array.from({ length: 4 }, () => createSourceRepository(dependencies));
    const read = workers.map((source) =>
      source.withCheckout(commit, (path) => readFile(join(path, 'a'), 'utf8')),
    );
    expect(await Promise.all(read)).toEqual(['1', '1', '1', '1']);
    const [mirror = ''] = await readdir(join(dataDirectory, 'source'));
    expect(await filesIn(join(dataDirectory, 'source', mirror))).toEqual(['mirror.git']);
  });

  test('removes what a killed worker left, and nothing of a living one', async () => {
    const { base, upstream, source, dependencies, dataDirectory } = await aSource();
    const commit = upstream.commit({ a: '1' });
    const script = join(base, 'worker.mjs');
    const module = pathToFileURL(
      join(import.meta.dirname, '../../../src/activities/source/repository.ts'),
    ).href;
    await writeFile(
      script,
      `import { createSourceRepository } from ${JSON.stringify(module)};
       setInterval(() => {}, 1000);
       await createSourceRepository({ ...${JSON.stringify({ ...dependencies, environment: {} })}, environment: process.env })
         .withCheckout('${commit}', async () => { process.send('ready'); await new Promise(() => {}); });`,
    );
    const worker = spawn('node', [script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(worker, 'message');
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    expect(await readdir(join(dataDirectory, 'checkouts'))).toHaveLength(1);

    await source.withCheckout(commit, () =>
      source.withCheckout(commit, async () => {
        expect(await readdir(join(dataDirectory, 'checkouts'))).toHaveLength(2);
      }),
    );
    expect(await readdir(join(dataDirectory, 'checkouts'))).toEqual([]);
  });
});

test('a folder within a repository stands for the repository', async () => {
  const { upstream, dependencies } = await aSource();
  const commit = upstream.commit({ 'sub/slipway.yaml': 'x', 'deploy/web.json': '{}' });
  const source = createSourceRepository({ ...dependencies, repository: join(upstream.directory, 'sub') });
  expect(await source.readFile(commit, 'deploy/web.json')).toBe('{}');
});

test('a URL works as well, and its password is in no message', async () => {
  const { upstream, dependencies } = await aSource();
  const commit = upstream.commit({ a: '1' });
  const url = pathToFileURL(upstream.directory).href;
  expect(await createSourceRepository({ ...dependencies, repository: url }).readFile(commit, 'a')).toBe('1');
  const unreachable = createSourceRepository({
    ...dependencies,
    repository: 'http://ada:hunter2@127.0.0.1:1/x.git',
  });
  const error: unknown = await unreachable.readFile(commit, 'a').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ type: 'SourceUnavailable' });
  expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
});

test('a lock that a killed worker left on the mirror is taken over', async () => {
  const { upstream, source, dataDirectory } = await aSource();
  await source.readFile(upstream.commit({ a: '1' }), 'a');
  const [mirror = ''] = await readdir(join(dataDirectory, 'source'));
  const lock = hostLockFile(join(dataDirectory, 'source', mirror, 'lock'));
  await writeFile(lock, formatIdentity({ ...ownIdentity(), started: 'an earlier process' }));
  expect(await source.readFile(upstream.commit({ a: '2' }), 'a')).toBe('2');
  await eventually(async () => (await filesIn(join(dataDirectory, 'source', mirror))).length === 1);
});

describe('resolveInside', () => {
  test('follows links within the checkout and refuses those that leave it', async () => {
    const { base, upstream, source } = await aSource();
    await mkdir(join(base, 'outside'));
    const links = {
      inner: { link: 'terraform' },
      outer: { link: '../../../../..' },
      absolute: { link: '/etc' },
    };
    const commit = upstream.commit({ 'terraform/main.tf': '', ...links });
    await source.withCheckout(commit, async (directory) => {
      expect((await lstat(await resolveInside(directory, 'inner/main.tf', commit))).isFile()).toBe(true);
      for (const path of ['outer', 'absolute', '..', '/etc']) {
        await expect(resolveInside(directory, path, commit)).rejects.toMatchObject({
          type: 'PathOutsideRepository',
        });
      }
      await expect(resolveInside(directory, 'none', commit)).rejects.toMatchObject({ type: 'PathNotFound' });
    });
  });
});

describe('findCommit', () => {
  test('answers with what the commit is, or with why there is none', async () => {
    const { upstream, source } = await aSource();
    const commit = upstream.commit({ a: '1' }, 'Faster suggestions');
    const activities = createSourceActivities({ source });
    const findCommit = (input: { commit: string }) => activities.findCommit(input);
    const environment = new MockActivityEnvironment();
    expect(await environment.run(findCommit, { commit })).toEqual({
      found: true,
      commit: {
        subject: 'Faster suggestions',
        author: 'Ada <ada@example.com>',
        committedAt: '2026-11-01T10:00:00.000Z',
      },
    });
    expect(await environment.run(findCommit, { commit: 'e'.repeat(40) })).toMatchObject({
      found: false,
      detail: expect.stringContaining(`${'e'.repeat(40)} is not in ${upstream.directory}`),
    });
  });
});
