import { readFileSync } from 'node:fs';
import { SetupError } from './arguments.mjs';
import { outputOf } from './process.mjs';
import { machinePath, which } from './paths.mjs';

const quiet = { CHECKPOINT_DISABLE: '1' };

/** What may be asked of the machine: how it is found there, and how to get it. */
const requirements = {
  node: {
    title: 'Node.js 20 or newer',
    find: () => (atLeast(process.versions.node, '20.0') ? process.execPath : undefined),
    get: { macos: 'brew install node', other: 'https://nodejs.org/en/download' },
  },
  npm: {
    title: 'npm 10 or newer',
    find: () => withVersion('npm', ['--version'], '10.0'),
    get: {
      macos: 'brew install node',
      debian: 'sudo apt-get install npm',
      fedora: 'sudo dnf install npm',
      other: 'it comes with Node.js: https://nodejs.org/en/download',
    },
  },
  git: {
    title: 'git 2.20 or newer',
    find: () => withVersion('git', ['--version'], '2.20'),
    get: {
      macos: 'xcode-select --install',
      debian: 'sudo apt-get install git',
      fedora: 'sudo dnf install git',
      arch: 'sudo pacman -S git',
      other: 'https://git-scm.com/downloads',
    },
  },
  terraform: {
    title: 'Terraform 1.4 or newer, or OpenTofu (tofu)',
    find: () => withVersion('terraform', ['version'], '1.4') ?? withVersion('tofu', ['version'], '1.6'),
    get: {
      macos: 'brew install opentofu',
      arch: 'sudo pacman -S opentofu',
      other: 'https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install/',
    },
  },
  python: {
    title: 'Python 3.10 or newer (python3) with pip',
    find: () => findPython(),
    get: {
      macos: 'brew install python',
      debian: 'sudo apt-get install python3 python3-pip',
      fedora: 'sudo dnf install python3 python3-pip',
      arch: 'sudo pacman -S python python-pip',
      other: 'https://www.python.org/downloads/',
    },
  },
};

/** @returns {boolean} whether `version` (1.2.3) is `wanted` (1.2) or newer */
export function atLeast(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/**
 * The first `command` of the search path that says it is `wanted` or newer.
 * @returns {string | undefined} the file to run
 */
export function withVersion(command, args, wanted) {
  const candidates = machinePath().map((folder) => which(command, [folder]));
  return candidates.find((file) => {
    const version = file && /\d+\.\d+(\.\d+)*/.exec(outputOf(file, args, quiet) ?? '')?.[0];
    return version !== undefined && atLeast(version, wanted);
  });
}

/** @returns {string | undefined} a Python that can install packages */
export function findPython() {
  const probe = 'import sys, pip; sys.exit(sys.version_info < (3, 10))';
  const candidates = machinePath().map((folder) => which('python3', [folder]));
  return candidates.find((file) => file && outputOf(file, ['-c', probe]) !== undefined);
}

/**
 * Looks for all that a purpose needs.
 * @param {readonly string[]} names keys of the table above
 * @returns {Record<string, string>} the file of each
 * @throws {SetupError} names everything that is missing, each with how to get it
 */
export function findRequirements(names, purpose) {
  if (process.platform === 'win32') {
    throw new SetupError(
      'Windows itself is not supported: use WSL, https://learn.microsoft.com/windows/wsl/install',
    );
  }
  const found = names.map((name) => [name, requirements[name].find()]);
  const missing = found.filter(([, file]) => file === undefined).map(([name]) => requirements[name]);
  if (missing.length === 0) return Object.fromEntries(found);
  const platform = platformName();
  const lines = missing.map(({ title, get }) => `  - ${title}\n      ${get[platform] ?? get.other}`);
  const what = purpose === 'none' ? 'Missing' : `Missing for '${purpose}'`;
  throw new SetupError(
    `${what} (nothing has been changed):\n${lines.join('\n')}\nThen run the same command again.`,
  );
}

function platformName() {
  if (process.platform === 'darwin') return 'macos';
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const ids = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].flatMap((match) => match[1].split(' '));
    return ['debian', 'fedora', 'arch'].find((name) => ids.includes(name)) ?? 'other';
  } catch {
    return 'other';
  }
}
