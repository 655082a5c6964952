import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { withHostLock } from '../process/host-lock.ts';
import { beating } from '../process/supervisor.ts';
import { GitError } from './git.ts';
import type { Git } from './git.ts';
import { commitNotFound } from './reader.ts';
import { isUrl, redactUrl } from './repository-url.ts';

/**
 * Branches and tags, not single hashes: a hosting service also answers for commits that exist in someone's fork only.
 */
const REFS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
/** Milliseconds: longer than git holds a ref's lock. */
const STALE_AFTER = 60_000;
const FULL_HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** A bare copy of the platform's repository on this host, shared by its workers. */
export interface Mirror {
  /** For messages: the repository, with no credentials. */
  readonly repository: string;
  /**
   * Makes sure that the mirror holds `commit`; fetches when it doesn't.
   * @returns the mirror's git directory
   * @throws non-retryable `CommitNotFound`; retryable `SourceUnavailable`
   */
  holding(commit: string): Promise<string>;
}

export function createMirror({
  git,
  repository,
  directory,
}: {
  git: Git;
  repository: string;
  directory: string;
}): Mirror {
  const home = join(directory, createHash('sha256').update(repository).digest('hex').slice(0, 16));
  const gitDirectory = join(home, 'mirror.git');
  const shown = redactUrl(repository);

  const has = async (commit: string) => {
    if (!(await exists(gitDirectory))) return false;
    // An incomplete object is an error of its own further on: here only its presence counts.
    return git(['--git-dir', gitDirectory, 'cat-file', '-e', `${commit}^{commit}`]).then(
      () => true,
      () => false,
    );
  };
  const update = async () => {
    if (await exists(gitDirectory)) await removeStaleLocks(gitDirectory);
    else await initialise(git, repository, gitDirectory);
    await git([
      '--git-dir',
      gitDirectory,
      'fetch',
      '--quiet',
      '--prune',
      '--no-write-fetch-head',
      'origin',
      ...REFS,
    ]);
  };
  return {
    repository: shown,
    async holding(commit) {
      if (!FULL_HASH.test(commit)) throw commitNotFound(commit, shown);
      if (await has(commit)) return gitDirectory;
      await mkdir(home, { recursive: true, mode: 0o700 });
      await beating(`fetching ${shown}`, () =>
        withHostLock(join(home, 'lock'), async () => {
          // Another worker may have fetched it meanwhile.
          if (!(await has(commit))) await update();
        }),
      ).catch((error: unknown) => {
        throw error instanceof GitError ? sourceUnavailable(shown, error) : error;
      });
      if (await has(commit)) return gitDirectory;
      throw commitNotFound(commit, shown);
    },
  };
}

/** Made aside and moved into place: a crash leaves no half a mirror. */
async function initialise(git: Git, repository: string, gitDirectory: string): Promise<void> {
  const origin = isUrl(repository) ? repository : await gitDirectoryOf(git, repository);
  const aside = `${gitDirectory}.${randomUUID()}`;
  try {
    await git(['init', '--quiet', '--bare', ...(await objectFormat(git, origin)), aside]);
    await git(['--git-dir', aside, 'config', 'remote.origin.url', origin]);
    await rename(aside, gitDirectory);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** A folder within a repository stands for the repository. */
async function gitDirectoryOf(git: Git, path: string): Promise<string> {
  const found = await git(['-C', path, 'rev-parse', '--path-format=absolute', '--git-common-dir']);
  return found.trim();
}

async function objectFormat(git: Git, origin: string): Promise<string[]> {
  if (isUrl(origin)) return [];
  const format = (await git(['--git-dir', origin, 'rev-parse', '--show-object-format'])).trim();
  return [`--object-format=${format}`];
}

function sourceUnavailable(repository: string, error: GitError): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'SourceUnavailable',
    message: `The repository ${repository} can't be read: ${error.stderr.split('\n').at(-1)}. Check that the worker reaches it and may read it.`,
    details: [{ repository, stderr: error.stderr.slice(-1000) }],
  });
}

/** A git that was killed leaves its locks on refs. Nobody but the holder of our own lock writes refs here. */
async function removeStaleLocks(gitDirectory: string): Promise<void> {
  const refs = await readdir(join(gitDirectory, 'refs'), { recursive: true });
  const locks = refs.filter((name) => name.endsWith('.lock')).map((name) => join(gitDirectory, 'refs', name));
  for (const lock of [...locks, join(gitDirectory, 'packed-refs.lock')]) {
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_AFTER) await rm(lock, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
