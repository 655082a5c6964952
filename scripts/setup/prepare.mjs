import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { purposes } from './arguments.mjs';
import { machinePath, packagesBin, root, toolsBin, toolsDirectory, which } from './paths.mjs';

const recordFile = join(toolsDirectory, 'tools.json');

/**
 * Brings the project to where `purpose` can run. What an earlier run of the same purpose found is believed as long as nothing
 * that it was found by has changed, so that a second run starts at once.
 * @returns {Promise<NodeJS.ProcessEnv>} the environment for the command: the project's Node and tools come first, and what
 * Node compiles is kept, which halves the start of the many processes of a demo or a test
 */
export async function prepare(purpose) {
  const { packagesAreCurrent } = await import('./packages.mjs');
  if (!packagesAreCurrent() || !isReady(purpose)) await install(purpose);
  return {
    NODE_COMPILE_CACHE: join(toolsDirectory, 'compile-cache'),
    ...process.env,
    PATH: [packagesBin, toolsBin, ...machinePath()].join(delimiter),
  };
}

/** Everything is checked before anything is changed. */
async function install(purpose) {
  const { findRequirements } = await import('./requirements.mjs');
  const found = findRequirements(purposes[purpose].needs, purpose);
  const { locked } = await import('./lock.mjs');
  const packages = await import('./packages.mjs');
  const { toolFinders } = await import('./tools.mjs');
  mkdirSync(toolsDirectory, { recursive: true });
  await locked(async (recordStep) => {
    if (!packages.packagesAreCurrent()) await packages.installPackages(recordStep);
    const tools = found.terraform ? { terraform: found.terraform } : {};
    for (const name of purposes[purpose].tools) {
      Object.assign(tools, await toolFinders[name]({ python: found.python, recordStep }));
    }
    record(purpose, tools);
  });
}

/** Whether an earlier run prepared this purpose the same way, and what it found is still there. */
function isReady(purpose) {
  const { checked = {}, ...tools } = readRecord();
  return checked[purpose] === fingerprint(purpose) && Object.values(tools).every((file) => existsSync(file));
}

/** What the outcome of a set-up hangs on: the search path and what is on it, the pinned versions, the set-up itself. */
function fingerprint(purpose) {
  const hash = createHash('sha256').update(
    JSON.stringify([process.platform, process.arch, process.versions.node]),
  );
  hash.update(JSON.stringify([machinePath(), process.env.TEMPORAL_CLI_PATH ?? null]));
  const commands = ['git', 'terraform', 'tofu', 'python3', 'temporal', 'aws'];
  hash.update(JSON.stringify([purposes[purpose], commands.map((command) => which(command) ?? null)]));
  const scripts = join(root, 'scripts');
  const pins = readdirSync(scripts).filter((name) => name.startsWith('requirements-'));
  for (const name of pins.sort()) hash.update(readFileSync(join(scripts, name)));
  return hash.digest('hex');
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    return {};
  }
}

/** Keeps what other purposes found, unless it is gone. */
function record(purpose, tools) {
  const { checked = {}, ...earlier } = readRecord();
  const present = Object.fromEntries(Object.entries(earlier).filter(([, file]) => existsSync(file)));
  const whole = { ...present, ...tools, checked: { ...checked, [purpose]: fingerprint(purpose) } };
  const temporary = `${recordFile}.new-${randomUUID()}`;
  writeFileSync(temporary, `${JSON.stringify(whole, null, 2)}\n`);
  renameSync(temporary, recordFile);
}
