import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'writing-platform');

/** Files by their path in the repository. */
export type Files = Readonly<Record<string, string>>;

/** Files of the example as they are. */
export async function takenFromExample(paths: readonly string[]): Promise<Files> {
  const taken = await Promise.all(
    paths.map(async (path) => [path, await readFile(join(EXAMPLE, path), 'utf8')] as const),
  );
  return Object.fromEntries(taken);
}

/** The example's module of a service behind a load balancer. */
export const SERVICE_MODULE = [
  ...['main', 'outputs', 'variables', 'versions'].map((name) => `terraform/modules/service/${name}.tf`),
  'terraform/.terraform.lock.hcl',
];

/** What the example's services share. */
export const SHARED_CODE = ['call', 'drain', 'failure', 'log', 'serve', 'settings', 'text'].map(
  (name) => `services/shared/${name}.mjs`,
);

/**
 * Makes a git repository with a commit per release: `base`, and what the release changes of it.
 * @returns commit by version
 */
export async function commitReleases(
  repository: string,
  base: Files,
  releases: Readonly<Record<string, Files>>,
): Promise<Record<string, string>> {
  const git = async (...args: string[]) => (await execa('git', args, { cwd: repository })).stdout;
  await mkdir(repository, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Small Platform');
  await git('config', 'user.email', 'small-platform@example.com');
  const commits: Record<string, string> = {};
  for (const [version, changes] of Object.entries(releases)) {
    await git('rm', '-r', '--quiet', '--force', '--ignore-unmatch', '.');
    await writeFiles(repository, { ...base, ...changes, VERSION: version });
    await git('add', '--all', '--force', '.');
    await git('commit', '--quiet', '--message', `Release ${version}`);
    commits[version] = await git('rev-parse', 'HEAD');
  }
  return commits;
}

/** Puts files into a directory, which need not be there. */
export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
