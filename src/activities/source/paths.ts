import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { pathNotFound, pathOutsideRepository } from './reader.ts';

/**
 * The segments of a path in the repository.
 * @throws non-retryable `PathOutsideRepository` for an absolute path and one with `..`
 */
export function segmentsOf(path: string): string[] {
  if (isAbsolute(path) || path.includes('\\'))
    throw pathOutsideRepository(path, 'it is not relative with forward slashes');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw pathOutsideRepository(path, 'it has ".."');
  if (path.includes('\0')) throw pathOutsideRepository(path, 'it has a NUL character');
  return segments;
}

/**
 * The real place of `path` in a checkout of `commit`, links followed.
 * @throws non-retryable `PathNotFound`; `PathOutsideRepository` also when a link leads out of the checkout
 */
export async function resolveInside(checkout: string, path: string, commit: string): Promise<string> {
  const root = await realpath(checkout);
  const found = await realpath(join(root, ...segmentsOf(path))).catch(() => undefined);
  if (found === undefined) throw pathNotFound(commit, path);
  const way = relative(root, found);
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    throw pathOutsideRepository(path, 'a symbolic link in it leads out of the repository');
  }
  return found;
}
