import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { PORT_SPAN } from './ports.ts';
import { RELEASES } from './releases.ts';
import { BASE_PORT, readTree } from './tree.ts';
import type { Tree } from './tree.ts';

const FIRST_COMMIT = Date.UTC(2026, 0, 5, 9);
const DAY = 86_400_000;
const AUTHOR = { name: 'Writing Platform', email: 'writing-platform@example.com' };

export interface CreatedRepository {
  /** Commit hash by version. */
  readonly commits: Readonly<Record<string, string>>;
  /** The git repository. */
  readonly repository: string;
  /** The platform's slipway.yaml, which names the repository. */
  readonly platformFile: string;
}

/**
 * Makes the example's git repository, with a commit and a tag per release, and puts slipway.yaml and a folder for Terraform's
 * state beside it. The same arguments give the same commit hashes, on any machine and at any time.
 * @param options.directory gets `repository/`, `state/` and `slipway.yaml`; made when it isn't there
 * @param options.basePort first of the load balancers' ports, default 8100; `findBasePort` finds a free one
 * @throws Error when the port is out of range or `directory` already holds a repository
 */
export async function createRepository(options: {
  directory: string;
  basePort?: number;
}): Promise<CreatedRepository> {
  const { basePort = BASE_PORT } = options;
  if (!Number.isInteger(basePort) || basePort < 1 || basePort + PORT_SPAN > 65_535) {
    throw new Error(
      `The base port is ${basePort}: it must be a whole number from 1 to ${65_535 - PORT_SPAN}`,
    );
  }
  const directory = resolve(options.directory);
  const repository = join(directory, 'repository');
  await mkdir(join(directory, 'state'), { recursive: true });
  await makeEmpty(repository);
  const commits = await commitReleases(repository, basePort);
  const platformFile = join(directory, 'slipway.yaml');
  await copyFile(join(import.meta.dirname, 'slipway.yaml'), platformFile);
  return { commits, repository, platformFile };
}

async function makeEmpty(repository: string): Promise<void> {
  await mkdir(repository, { recursive: true });
  if ((await readdir(repository)).length > 0) {
    throw new Error(`${repository} is there already and isn't empty: remove it, or choose another folder`);
  }
}

async function commitReleases(repository: string, basePort: number): Promise<Record<string, string>> {
  const git = gitIn(repository);
  await git(0, 'init', '--quiet', '--initial-branch=main', '--object-format=sha1');
  const commits: Record<string, string> = {};
  for (const [i, release] of RELEASES.entries()) {
    await writeTree(repository, await readTree(release, basePort));
    await git(i, 'add', '--all', '--force', '.');
    await git(
      i,
      'commit',
      '--quiet',
      '--no-verify',
      '--message',
      `${release.subject}\n\nRelease ${release.version}`,
    );
    await git(i, 'tag', '--annotate', '--message', release.subject, release.version);
    commits[release.version] = await git(i, 'rev-parse', 'HEAD');
  }
  return commits;
}

async function writeTree(repository: string, tree: Tree): Promise<void> {
  const present = await readdir(repository);
  const old = present.filter((name) => name !== '.git');
  await Promise.all(old.map((name) => rm(join(repository, name), { recursive: true })));
  for (const [path, content] of tree) {
    const file = join(repository, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o644 });
  }
}

/** @returns runs git as if on the given day after the first commit, by none of this machine's configuration */
function gitIn(repository: string): (day: number, ...args: string[]) => Promise<string> {
  const settings = [
    '-c',
    'core.autocrlf=false',
    '-c',
    'core.fileMode=false',
    '-c',
    'core.hooksPath=/dev/null',
  ];
  return async (day, ...args) => {
    const date = new Date(FIRST_COMMIT + day * DAY).toISOString();
    const environment = {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TEMPLATE_DIR: '',
      GIT_AUTHOR_NAME: AUTHOR.name,
      GIT_AUTHOR_EMAIL: AUTHOR.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: AUTHOR.name,
      GIT_COMMITTER_EMAIL: AUTHOR.email,
      GIT_COMMITTER_DATE: date,
    };
    const { stdout } = await execa('git', [...settings, ...args], {
      cwd: repository,
      env: environment,
      extendEnv: false,
    });
    return stdout;
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { into: { type: 'string' }, 'base-port': { type: 'string' } } });
  if (values.into === undefined) {
    console.error('usage: node examples/writing-platform/create-repository.ts --into DIR [--base-port N]');
    process.exit(2);
  }
  const created = await createRepository({
    directory: values.into,
    ...(values['base-port'] === undefined ? {} : { basePort: Number(values['base-port']) }),
  });
  for (const [version, commit] of Object.entries(created.commits)) console.log(`${version} ${commit}`);
  console.log(`repository    ${created.repository}\nplatform file ${created.platformFile}`);
}
