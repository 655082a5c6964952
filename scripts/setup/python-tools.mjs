import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root, toolsBin, toolsDirectory } from './paths.mjs';
import { outputOf, runStep } from './process.mjs';

/** pip's settings for a folder of its own, whatever the user's say; an index of theirs stays in force. */
const pipEnvironment = {
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_REQUIRE_VIRTUALENV: '0',
  PIP_ROOT_USER_ACTION: 'ignore',
  PIP_USER: '0',
};

/** Where the packages of scripts/requirements-<name>.txt are, or will be, for this Python. */
function pythonFolder(name, python) {
  const version = outputOf(python, [
    '-c',
    'import sys, platform; print(*sys.version_info[:2], platform.machine())',
  ]);
  const requirements = readFileSync(requirementsFile(name));
  const key = createHash('sha256').update(requirements).update(String(version)).digest('hex').slice(0, 12);
  return join(toolsDirectory, `python-${name}-${key}`);
}

/**
 * Installs the packages of scripts/requirements-<name>.txt, every one pinned and verified by hash, unless they are there.
 * They are built in a folder beside and renamed: an interrupted installation leaves nothing that looks complete.
 * @param {string} what said to the user while it lasts
 * @returns {Promise<string | undefined>} the folder, undefined when pip failed
 */
export async function installPython(name, python, what, recordStep) {
  const folder = pythonFolder(name, python);
  if (existsSync(folder)) return folder;
  console.error(`Installing ${what} into .tools (once) ...`);
  removeOthers(`python-${name}-`);
  const temporary = `${folder}.new-${randomUUID()}`;
  const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--require-hashes', '--only-binary=:all:'];
  const target = ['--target', temporary, '-r', requirementsFile(name)];
  const code = await runStep(python, [...args, ...target], {
    cwd: root,
    environment: pipEnvironment,
    onStart: recordStep,
  });
  if (code !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    return undefined;
  }
  renameSync(temporary, folder);
  return folder;
}

/** Folders of earlier pins, and what interrupted installations left. */
function removeOthers(prefix) {
  for (const entry of existsSync(toolsDirectory) ? readdirSync(toolsDirectory) : []) {
    if (entry.startsWith(prefix)) rmSync(join(toolsDirectory, entry), { recursive: true, force: true });
  }
}

/**
 * Puts a command into .tools/bin that runs a Python program of `folder`, as `pip install --target` leaves none that finds
 * its packages.
 * @param {string} code Python
 * @returns {string} the command's file
 */
export function writeCommand(name, python, folder, code) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const script = `#!/bin/sh\nPYTHONPATH=${quoted(folder)} exec ${quoted(python)} -c ${quoted(code)} "$@"\n`;
  return placeCommand(name, (file) => writeFileSync(file, script, { mode: 0o755 }));
}

/** Puts a link to `program` into .tools/bin. */
export function linkCommand(name, program) {
  placeCommand(name, (file) => symlinkSync(program, file));
}

function placeCommand(name, write) {
  const file = join(toolsBin, name);
  const temporary = `${file}.new-${randomUUID()}`;
  mkdirSync(toolsBin, { recursive: true });
  write(temporary);
  renameSync(temporary, file);
  return file;
}

function requirementsFile(name) {
  return join(root, 'scripts', `requirements-${name}.txt`);
}
