import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createRepository } from '../../../examples/writing-platform/create-repository.ts';
import { hardeningProblems } from '../../../src/domain/hardening.ts';
import { parsePlaceholder, parseTemplate, placeholdersOf } from '../../../src/domain/task-definition.ts';
import { loadPlatform } from '../../../src/platform/load.ts';
import type { Checkouts } from './running.ts';
import { makeCheckouts } from './running.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'writing-platform-'));
});
afterEach(() => rm(directory, { recursive: true }));

const git = async (repository: string, ...args: string[]): Promise<string> =>
  (await execa('git', args, { cwd: repository })).stdout;

test('it has the same commits whenever and wherever it is made', async () => {
  const first = await createRepository({ directory: join(directory, 'one') });
  const environment = { ...process.env };
  Object.assign(process.env, {
    TZ: 'Asia/Tokyo',
    GIT_AUTHOR_NAME: 'Somebody',
    GIT_AUTHOR_DATE: '2001-01-01T00:00:00Z',
  });
  try {
    const second = await createRepository({ directory: join(directory, 'two') });
    expect(second.commits).toEqual(first.commits);
  } finally {
    process.env = environment;
  }
  expect(Object.keys(first.commits)).toEqual(['1.0.0', '1.1.0', '1.2.0', '1.3.0']);
});

test('a tag stands on the commit of its release, and nothing is left to commit', async () => {
  const { repository, commits } = await createRepository({ directory });
  for (const [version, commit] of Object.entries(commits)) {
    expect(await git(repository, 'rev-parse', `${version}^{commit}`)).toBe(commit);
  }
  expect(await git(repository, 'status', '--porcelain')).toBe('');
});

test('a release changes what it says, and has all else of the one that it builds on', async () => {
  const { repository } = await createRepository({ directory });
  const changes = async (from: string, to: string): Promise<Record<string, number>> => {
    const listed = await git(repository, 'diff', '--numstat', from, to);
    const lines = listed.split('\n').map((line) => line.split('\t'));
    return Object.fromEntries(lines.map(([, removed, path = '']) => [path, Number(removed)]));
  };
  // Lines taken away, by file: an overlay that was left behind by a change of the base would take more.
  expect(await changes('1.0.0', '1.1.0')).toEqual({
    'deploy/suggestions.json': 0,
    'services/editor/public/editor.js': 7,
    'services/editor/public/index.html': 2,
    'services/suggestions/server.mjs': 1,
    'terraform/suggestion_count.tf': 0,
  });
  expect(await changes('1.1.0', '1.2.0')).toEqual({ 'services/model-gateway/model.mjs': 1 });
  expect(await changes('1.1.0', '1.3.0')).toEqual({
    'services/suggestions/server.mjs': 0,
    'services/suggestions/usage.mjs': 0,
  });
});

test('the ports of the load balancers follow the base port and nothing else changes', async () => {
  const first = await createRepository({ directory: join(directory, 'one') });
  const { repository, commits } = await createRepository({
    directory: join(directory, 'two'),
    basePort: 20_000,
  });
  expect(commits['1.0.0']).not.toBe(first.commits['1.0.0']);
  const variables = await git(repository, 'show', '1.0.0:terraform/environments/production.tfvars');
  expect(variables.match(/\d{5}/g)).toEqual(['20040', '20041', '20042']);
  await git(repository, 'fetch', '--quiet', first.repository, 'refs/tags/1.0.0');
  const changed = await git(repository, 'diff', '--name-only', 'FETCH_HEAD', '1.0.0');
  expect(changed.split('\n').map((path) => path.split('/').slice(0, 2).join('/'))).toEqual(
    Array.from({ length: 3 }, () => 'terraform/environments'),
  );
});

test.each([0, 65_500, 1.5, Number.NaN])('the base port %p is refused', async (basePort) => {
  await expect(createRepository({ directory, basePort })).rejects.toThrow(/base port/);
});

test('a folder that is in use is left alone', async () => {
  await mkdir(join(directory, 'repository', 'mine'), { recursive: true });
  await expect(createRepository({ directory })).rejects.toThrow(/there already and isn't empty/);
});

describe('the platform file', () => {
  let releases: Checkouts;
  beforeAll(async () => {
    releases = await makeCheckouts();
  });
  afterAll(() => releases.remove());

  test('is one that Slipway reads, and names the repository beside it', () => {
    const { platformFile, repository } = releases;
    const platform = loadPlatform(platformFile);
    expect(platform.source.repository).toBe(repository);
    expect(Object.keys(platform.environments)).toEqual(['development', 'staging', 'production']);
  });

  test('names files that every release has, hardened task definitions and known placeholders', async () => {
    const { platformFile, repository, commits } = releases;
    const platform = loadPlatform(platformFile);
    for (const commit of Object.values(commits)) {
      const show = (path: string): Promise<string> => git(repository, 'show', `${commit}:${path}`);
      const terraform = `${await show('terraform/outputs.tf')}${await git(repository, 'grep', '-h', '^output', commit, '--', 'terraform/*.tf')}`;
      for (const { settings, terraform: configuration } of Object.values(platform.environments)) {
        expect(Object.keys(JSON.parse(await show(settings ?? '')))).toEqual(['FEATURES', 'MODEL']);
        for (const file of configuration?.variableFiles ?? []) await show(`terraform/${file}`);
      }
      for (const suite of Object.values(platform.tests)) await show(suite.command.at(-1) ?? '');
      for (const { taskDefinition } of Object.values(platform.services)) {
        const parsed = parseTemplate(await show(taskDefinition));
        if (parsed.kind === 'invalid') throw new Error(parsed.problems.join('\n'));
        expect(hardeningProblems(parsed.template)).toEqual([]);
        for (const placeholder of placeholdersOf(parsed.template)) {
          const known = parsePlaceholder(placeholder);
          expect({ placeholder, known }).toEqual({ placeholder, known: expect.anything() });
          if (known?.kind === 'output') expect(terraform).toContain(`output "${known.name}"`);
        }
      }
    }
  });

  test('asks of an account what the task definitions read from it', async () => {
    const { platformFile, repository } = releases;
    const { required } = loadPlatform(platformFile).environments['production'] ?? {};
    const read = await git(
      repository,
      'grep',
      '-hoE',
      '[$][{](secret|parameter):[^}]+',
      '1.3.0',
      '--',
      'deploy',
    );
    const names = read.split('\n').map((line) => line.replace(/^\$\{\w+:/, ''));
    expect(names.toSorted()).toEqual(
      [...(required?.parameters ?? []), ...(required?.secrets ?? [])].toSorted(),
    );
  });
});
