import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeft, ownDirectory } from '../process/operation.ts';
import { beating } from '../process/supervisor.ts';
import { createGit } from './git.ts';
import type { Git } from './git.ts';
import { createMirror } from './mirror.ts';
import { segmentsOf } from './paths.ts';
import { pathNotFound, pathOutsideRepository } from './reader.ts';
import type { SourceReader } from './reader.ts';
import type { CommitFound } from './types.ts';

export interface SourceDependencies {
  /** Path or URL of the git repository. A path within a repository stands for the repository. */
  readonly repository: string;
  /** The worker's data directory; workers of one host may share it. */
  readonly dataDirectory: string;
  /** The worker's environment, of which git sees PATH, HOME and what it needs for network and identity. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

/** The platform's repository, as the activities in this process use it. */
export interface SourceRepository extends SourceReader {
  /** For messages: path or URL, with no credentials. */
  readonly repository: string;
  /** @throws as `withCheckout` does */
  describe(commit: string): Promise<CommitFound>;
  /**
   * Puts the files of `commit` into `directory`, which the caller owns and removes.
   * @throws as `withCheckout` does
   */
  checkout(commit: string, directory: string): Promise<void>;
}

export function createSourceRepository(dependencies: SourceDependencies): SourceRepository {
  const { repository, dataDirectory, environment } = dependencies;
  const git = createGit(environment);
  const mirror = createMirror({ git, repository, directory: join(dataDirectory, 'source') });
  const checkouts = join(dataDirectory, 'checkouts');

  const checkout = async (commit: string, directory: string) => {
    const gitDirectory = await mirror.holding(commit);
    await beating(`checking out ${commit.slice(0, 12)}`, () =>
      writeFiles(git, gitDirectory, commit, directory),
    );
  };
  return {
    repository: mirror.repository,
    checkout,
    async describe(commit) {
      const gitDirectory = await mirror.holding(commit);
      const format = ['--no-patch', '--no-show-signature', '--format=%s%x00%an <%ae>%x00%cI'];
      const text = await git(['--git-dir', gitDirectory, 'show', ...format, commit]);
      const [subject = '', author = '', committedAt = ''] = text.trimEnd().split('\0');
      return { subject, author, committedAt: new Date(committedAt).toISOString() };
    },
    async readFile(commit, path) {
      const gitDirectory = await mirror.holding(commit);
      return readBlob(git, gitDirectory, commit, path);
    },
    async withCheckout(commit, use) {
      await sweep(checkouts);
      const name = join(checkouts, randomUUID());
      await mkdir(name, { recursive: true, mode: 0o700 });
      try {
        await ownDirectory(name);
        const directory = join(name, 'files');
        await checkout(commit, directory);
        return await use(directory);
      } finally {
        await rm(name, { recursive: true, force: true });
      }
    },
  };
}

/** By an index of its own: unlike `git archive`, it leaves out nothing and rewrites nothing by attributes of the commit. */
async function writeFiles(git: Git, gitDirectory: string, commit: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const index = join(directory, `.index-${randomUUID()}`);
  const base = ['--git-dir', gitDirectory, '--work-tree', directory];
  const env = { GIT_INDEX_FILE: index, GIT_ATTR_NOSYSTEM: '1' };
  try {
    await git([...base, 'read-tree', commit], { env });
    await git([...base, 'checkout-index', '--all', '--force'], { env, cwd: directory });
  } finally {
    await rm(index, { force: true });
  }
}

/** Walks down the tree, so that a symbolic link on the way is seen and refused. */
async function readBlob(git: Git, gitDirectory: string, commit: string, path: string): Promise<string> {
  const segments = segmentsOf(path);
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const prefix = segments.slice(0, depth).join('/');
    const env = { GIT_LITERAL_PATHSPECS: '1' };
    const entry = await git(['--git-dir', gitDirectory, 'ls-tree', '-z', '--full-tree', commit, prefix], {
      env,
    });
    const [mode, type, hash] = entry.slice(0, entry.indexOf('\t')).split(' ');
    if (entry === '' || hash === undefined) throw pathNotFound(commit, path);
    if (mode === '120000') throw pathOutsideRepository(path, `${prefix} is a symbolic link`);
    if (depth < segments.length) continue;
    if (type === 'blob') return git(['--git-dir', gitDirectory, 'cat-file', 'blob', hash]);
  }
  throw pathNotFound(commit, path);
}

/** Removes the checkouts of workers that are gone. */
async function sweep(checkouts: string): Promise<void> {
  const names = await readdir(checkouts).catch(() => []);
  for (const name of names) {
    const checkout = join(checkouts, name);
    // One without an owner is being made this instant, or was when its worker died: that one stays empty.
    if (await isLeft(checkout)) await rm(checkout, { recursive: true, force: true });
  }
}
