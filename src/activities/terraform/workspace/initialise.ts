import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { terraform } from '../command/command.ts';
import type { Checkout } from '../command/command.ts';
import { pluginCacheIn } from './layout.ts';
import { createPluginStore } from './plugins.ts';

const ARGUMENTS = ['-input=false', '-no-color', '-lockfile=readonly'];

/**
 * `init` with the providers that the worker has, when that is all that the lock file names and their hashes agree; else
 * with what Terraform's installation settings say, and what that downloads is kept for the next.
 * @param store directory of the worker's providers
 */
export async function initialise(workspace: Checkout, store: string): Promise<void> {
  const plugins = createPluginStore(store);
  const backend = await backendFile(workspace);
  const args = [...ARGUMENTS, ...(backend === undefined ? [] : [`-backend-config=${backend}`])];
  const kept = await plugins.has(workspace.configuration);
  if (kept && (await initialised(workspace, [...args, `-plugin-dir=${store}`]))) return;
  await terraform(workspace, 'init', args);
  await plugins.takeIn(pluginCacheIn(workspace.directory));
}

/** What is wrong with anything but the providers will be found wrong again. */
async function initialised(workspace: Checkout, args: readonly string[]): Promise<boolean> {
  try {
    await terraform(workspace, 'init', args);
    return true;
  } catch (error) {
    if (error instanceof ApplicationFailure) return false;
    throw error;
  }
}

/** The backend's settings may hold passwords: they go into a private file, not into arguments. */
async function backendFile({ input, directory }: Checkout): Promise<string | undefined> {
  const settings = Object.entries(input.terraform.backend);
  if (settings.length === 0) return undefined;
  const file = join(directory, 'backend.hcl');
  const lines = settings.map(([name, value]) => `${name} = ${quote(value)}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return file;
}

/** As HCL's quoted text, in which `${` and `%{` would begin a template. */
function quote(value: string): string {
  return JSON.stringify(value).replaceAll(/[$%](?=\{)/g, '$&$&');
}
