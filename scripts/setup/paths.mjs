import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const toolsDirectory = join(root, '.tools');
export const packagesBin = join(root, 'node_modules', '.bin');
export const toolsBin = join(toolsDirectory, 'bin');

/** The search path without our own folders and those that npm puts in front, which differ from caller to caller. */
export function machinePath(path = process.env.PATH ?? '') {
  const ours = (entry) => entry === toolsBin || /[\\/]node_modules[\\/]\.bin$|node-gyp-bin$/.test(entry);
  return path.split(delimiter).filter((entry) => entry !== '' && !ours(entry));
}

/** @returns {boolean} whether `file` can be run */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Finds a command as a shell would.
 * @param {readonly string[]} path the folders to search
 * @returns {string | undefined} the file to run
 */
export function which(command, path = machinePath()) {
  if (isAbsolute(command) || command.includes('/'))
    return isExecutable(command) ? resolve(command) : undefined;
  return path.map((folder) => join(folder, command)).find(isExecutable);
}
