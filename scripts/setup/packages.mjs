import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './arguments.mjs';
import { packagesBin, root, which } from './paths.mjs';
import { runStep } from './process.mjs';
import { atLeast } from './requirements.mjs';

const stampFile = join(root, 'node_modules', '.setup-stamp');

/** What node_modules has to be made from: this lock file, for this kind of machine. */
function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
}

/** @returns {boolean} whether node_modules is complete and made from the present lock file */
export function packagesAreCurrent() {
  try {
    return readFileSync(stampFile, 'utf8') === wantedStamp();
  } catch {
    return false;
  }
}

/** Installs the npm packages as the lock file pins them; no package's install script is run (see .npmrc). */
export async function installPackages(recordStep) {
  console.error('Installing the npm packages of package-lock.json (half a minute or so, once) ...');
  rmSync(stampFile, { force: true });
  const stamp = wantedStamp();
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error'];
  const code = await runStep(which('npm'), args, { cwd: root, onStart: recordStep });
  if (code !== 0) {
    throw new SetupError(
      `npm could not install the packages (exit code ${code}; the reason is above).\n` +
        'No access to the registry? Check with `npm ping`; behind a proxy set HTTPS_PROXY, with a mirror\n' +
        '`npm config set registry <its URL>`. Then run the same command again: it goes on from here.',
    );
  }
  linkNode();
  writeFileSync(stampFile, stamp);
}

/** npm 10 leaves this link out: it sees one command offered by several packages, of which it installs one. */
function linkNode() {
  const link = join(packagesBin, 'node');
  if (existsSync(link)) return;
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  const name = names.find((candidate) => existsSync(join(root, 'node_modules', candidate, 'bin', 'node')));
  if (name !== undefined) {
    symlinkSync(join('..', name, 'bin', 'node'), link);
  } else if (!atLeast(process.versions.node, '24.0')) {
    throw new SetupError(
      `There is no Node.js 24 to install by npm for ${process.platform}-${process.arch}, and this one is ` +
        `${process.versions.node}: install Node.js 24 (https://nodejs.org/en/download) and run the same command again.`,
    );
  }
}
