import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPlan } from '../../domain/terraform/plan.ts';
import type { PlanJson } from '../../domain/terraform/plan.ts';
import { sensitiveValues } from '../../domain/terraform/values.ts';
import { withHostLock } from '../process/host-lock.ts';
import { beating } from '../process/supervisor.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { resolveInside } from '../source/paths.ts';
import { keepErroredState, terraform } from './command.ts';
import type { Checkout, Workspace } from './command.ts';
import { roleCredentials } from './credentials.ts';
import { DEFAULT_GRACE } from './dependencies.ts';
import type { TerraformDependencies } from './dependencies.ts';
import { secretsOf, terraformEnvironment } from './environment.ts';
import { planUnusable } from './errors.ts';
import { originOf } from './origin.ts';
import type { Outputs, TerraformInput } from './types.ts';

const CHECKOUT = 'checkout';
/** Name of the file, in the private directory, that tells where the configuration is. */
const LOCATION = 'configuration';

/** Checks the configuration out and initialises it, with a data directory of its own. */
export async function prepare(
  dependencies: TerraformDependencies,
  input: TerraformInput,
  directory: string,
  supervisor: Supervisor,
): Promise<Workspace> {
  const {
    source,
    dataDirectory,
    environment: worker,
    binary = 'terraform',
    grace = DEFAULT_GRACE,
  } = dependencies;
  const { target, terraform: policy, release } = input;
  const checkout = join(directory, CHECKOUT);
  await source.checkout(release.commit, checkout);
  const configuration = await resolveInside(checkout, policy.directory, release.commit);
  await writeFile(join(directory, LOCATION), configuration);
  const pluginCache = join(dataDirectory, 'terraform', 'plugins');
  await mkdir(pluginCache, { recursive: true, mode: 0o700 });
  const credentials = await (dependencies.credentials ?? roleCredentials)(target);
  const data = join(directory, 'data');
  const environment = terraformEnvironment({
    worker,
    target,
    release,
    credentials,
    dataDirectory: data,
    pluginCache,
  });
  const secrets = new Set([...secretsOf(environment)]);
  const workspace = { input, binary, directory, configuration, environment, supervisor, grace, secrets };
  await initialise(workspace, pluginCache);
  const origin = await originOf({ target, directory: policy.directory, dataDirectory: data });
  return { ...workspace, origin };
}

/** One at a time on this host: a plugin cache is not safe for several. */
async function initialise(workspace: Checkout, pluginCache: string): Promise<void> {
  const { terraform: policy } = workspace.input;
  const backend = Object.entries(policy.backend).map(([name, value]) => `-backend-config=${name}=${value}`);
  const args = ['-input=false', '-no-color', '-lockfile=readonly', ...backend];
  const lock = `${pluginCache}.lock`;
  await beating('terraform init', () =>
    withHostLock(lock, () => terraform(workspace, 'init', args), workspace.supervisor.signal),
  );
}

/**
 * Plans into a private file and reads the plan.
 * @returns the plan, and the file, which holds secrets and goes with the private directory
 */
export async function plan(
  workspace: Workspace,
  { lock }: { lock: boolean },
): Promise<{ json: PlanJson; file: string }> {
  const { terraform: policy, release, target } = workspace.input;
  const file = join(workspace.directory, 'plan.tfplan');
  const variables = Object.entries(policy.variables).map(([name, value]) => `-var=${name}=${value}`);
  const files: string[] = [];
  for (const path of policy.variableFiles) {
    const inRepository = `${policy.directory}/${path}`;
    const found = await resolveInside(join(workspace.directory, CHECKOUT), inRepository, release.commit);
    files.push(`-var-file=${found}`);
  }
  await terraform(workspace, 'plan', [
    '-input=false',
    '-no-color',
    '-json',
    `-lock=${lock}`,
    ...files,
    ...variables,
    `-out=${file}`,
  ]);
  const read = readPlan(JSON.parse(await terraform(workspace, 'show', ['-no-color', '-json', file])));
  // It holds every secret of the plan in clear, and an apply may outlive this worker.
  await rm(join(workspace.directory, 'show'), { recursive: true });
  if (read.kind === 'unusable') throw planUnusable(target, read.reason);
  for (const secret of sensitiveValues(read.plan)) workspace.secrets.add(secret);
  return { json: read.plan, file };
}

/** Outputs that are strings and not sensitive; `{}` when there is no state. */
export async function outputs(workspace: Workspace): Promise<Outputs> {
  const text = await terraform(workspace, 'output', ['-no-color', '-json']);
  const found = JSON.parse(text) as Record<string, { sensitive?: boolean; value?: unknown }>;
  const plain = Object.entries(found).flatMap(([name, { sensitive, value }]) =>
    typeof value === 'string' && sensitive !== true ? [[name, value] as const] : [],
  );
  return Object.fromEntries(plain);
}

/** Addresses of the resources that the state knows. */
export async function addressesInState(workspace: Workspace): Promise<Set<string>> {
  const text = await terraform(workspace, 'state', ['list']);
  return new Set(text.split('\n').filter(Boolean));
}

/** Where the configuration of a private directory is; the directory itself when its checkout is gone. */
export async function configurationIn(directory: string): Promise<string> {
  return readFile(join(directory, LOCATION), 'utf8').catch(() => directory);
}

/** Keeps a state that could not be saved, before a lost worker's private directory is removed. */
export async function rescue(directory: string): Promise<void> {
  await keepErroredState(await configurationIn(directory), directory);
}
