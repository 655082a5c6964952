import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readPlan } from '../../../domain/terraform/plan.ts';
import type { PlanJson } from '../../../domain/terraform/plan.ts';
import { sensitiveValues } from '../../../domain/terraform/values.ts';
import { createAwsClients } from '../../aws.ts';
import { tail } from '../../process/output.ts';
import { plain as unmasked, redact } from '../../process/redact.ts';
import { undisturbed } from '../../process/supervisor.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import { processFiles } from '../../process/wrapper.ts';
import { resolveInside } from '../../source/paths.ts';
import { LOCK_TIMEOUT, NO_STATE, failureOf, start, succeeded, terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { roleCredentials } from './credentials.ts';
import { DEFAULT_GRACE } from '../dependencies.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import { backendSecrets, secretsOf, terraformEnvironment } from './environment.ts';
import { keepErroredState } from '../state/errored-state.ts';
import { learnFromState } from '../state/state-secrets.ts';
import { planUnusable } from '../command/errors.ts';
import { initialise } from './initialise.ts';
import { checkoutIn, pluginCacheIn, pluginStoreIn } from './layout.ts';
import { originOf } from './origin.ts';
import { withVariables } from './given-variables.ts';
import type { Outputs, TerraformInput } from '../types.ts';
import { unusable } from '../command/unusable.ts';
import { assertVariablesFit, readParameters } from './variables.ts';
import { assertVersion } from '../command/version.ts';

/** Name of the file, in the private directory, that tells where the configuration is. */
const LOCATION = 'configuration';

/** Checks the configuration out and initialises it, with a data directory of its own. */
export async function prepare(
  dependencies: TerraformDependencies,
  input: TerraformInput,
  directory: string,
  supervisor: Supervisor,
): Promise<Workspace> {
  const { source, environment: worker, binary = 'terraform', grace = DEFAULT_GRACE } = dependencies;
  const { target, terraform: policy, release } = input;
  await assertVersion(binary, worker, target);
  const checkout = checkoutIn(directory);
  await source.checkout(release.commit, checkout);
  const configuration = await directoryInside(checkout, input);
  await writeFile(join(directory, LOCATION), configuration);
  const credentials = await (dependencies.credentials ?? roleCredentials)(target);
  const parameters = await readParameters(dependencies.aws ?? createAwsClients(), target, policy.parameters);
  assertVariablesFit(target, { ...policy.variables, ...parameters.values });
  const dataDirectory = join(directory, 'data');
  const pluginCache = pluginCacheIn(directory);
  await mkdir(pluginCache, { recursive: true, mode: 0o700 });
  const environment = terraformEnvironment({
    worker,
    target,
    release,
    credentials,
    variables: parameters.values,
    dataDirectory,
    pluginCache,
  });
  const secrets = new Set([...secretsOf(environment, parameters.plain), ...backendSecrets(policy.backend)]);
  const workspace = { input, binary, directory, configuration, environment, supervisor, grace, secrets };
  await initialise(workspace, pluginStoreIn(dependencies.dataDirectory));
  const origin = await originOf({ target, directory: policy.directory, environment });
  const initialised = { ...workspace, origin, parameters: parameters.values };
  const asking = { ...initialised, supervisor: undisturbed(supervisor) };
  return { ...initialised, learn: () => learnFromState(asking) };
}

/** @throws non-retryable `PathNotFound`, `PathOutsideRepository`; `TerraformFailed` (`NotADirectory`) for a file */
async function directoryInside(checkout: string, input: TerraformInput): Promise<string> {
  const { target, terraform: policy, release } = input;
  const path = await resolveInside(checkout, policy.directory, release.commit);
  if ((await stat(path)).isDirectory()) return path;
  const where = `environments.${target.environment}.terraform.directory in slipway.yaml`;
  const message = `${policy.directory} is a file at commit ${release.commit}, where a directory is needed. Correct ${where}.`;
  throw unusable(target, 'NotADirectory', message);
}

export interface Planned {
  readonly json: PlanJson;
  /** It holds secrets and goes with the private directory. */
  readonly file: string;
  /** SHA-256 of the file that was read. */
  readonly digest: string;
}

/** Plans into a private file and reads the plan. */
export async function plan(workspace: Workspace, { lock }: { lock: boolean }): Promise<Planned> {
  const { target } = workspace.input;
  const file = join(workspace.directory, 'plan.tfplan');
  await withVariables(workspace, (variables) =>
    terraform(workspace, 'plan', [
      '-input=false',
      '-no-color',
      '-json',
      `-lock=${lock}`,
      ...(lock ? [LOCK_TIMEOUT] : []),
      ...variables,
      `-out=${file}`,
    ]),
  );
  const digest = await fileDigest(file);
  const read = readPlan(JSON.parse(await terraform(workspace, 'show', ['-no-color', '-json', file])));
  // It holds every secret of the plan in clear, and an apply may outlive this worker.
  await rm(join(workspace.directory, 'show'), { recursive: true });
  if (read.kind === 'unusable') throw planUnusable(target, read.reason);
  for (const secret of sensitiveValues(withSensitiveVariables(read.plan, workspace)))
    workspace.secrets.add(secret);
  return { json: read.plan, file, digest };
}

/** A variable whose value came as a secret is one, also where the configuration does not say so, with all that is in it. */
function withSensitiveVariables(json: PlanJson, { environment, secrets }: Workspace): PlanJson {
  const root = json.configuration?.root_module;
  const isSecret = (name: string) => secrets.has(environment[`TF_VAR_${name}`] ?? '');
  const variables = Object.entries(root?.variables ?? {}).map(
    ([name, variable]) => [name, isSecret(name) ? { ...variable, sensitive: true } : variable] as const,
  );
  return {
    ...json,
    configuration: { root_module: { ...root, variables: Object.fromEntries(variables) } },
  };
}

/** SHA-256 of a file's content, in hex. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Outputs that are strings, not sensitive, and hold no SecureString of a variable; `{}` when there is no state. */
export async function outputs(workspace: Workspace): Promise<Outputs> {
  const secure = secureStrings(workspace);
  const told = await outputsTold(join(workspace.directory, 'apply'));
  const found: StateOutputs =
    told ?? JSON.parse(await terraform(workspace, 'output', ['-no-color', '-json']));
  const plain = Object.entries(found).flatMap(([name, { sensitive, value }]) =>
    typeof value === 'string' && sensitive !== true && redact(value, secure) === unmasked(value)
      ? [[name, value] as const]
      : [],
  );
  return Object.fromEntries(plain);
}

/** Bytes at the end of an apply's stream in which its outputs are looked for. */
const TOLD_WITHIN = 256 * 1024;

type StateOutputs = Readonly<Record<string, { readonly sensitive?: boolean; readonly value?: unknown }>>;

/** All outputs, as an apply that ran in `directory` told them at its end; undefined when none did. */
async function outputsTold(directory: string): Promise<StateOutputs | undefined> {
  const lines = (await tail(processFiles(directory).stdout, TOLD_WITHIN)).split('\n');
  const last = lines.findLast((line) => /"type":\s*"outputs"/.test(line));
  try {
    return (JSON.parse(last ?? '{}') as { outputs?: StateOutputs }).outputs;
  } catch {
    return undefined;
  }
}

/** Values of variables that must not be read by whoever reads outputs. */
function secureStrings({ input, environment, secrets }: Workspace): string[] {
  const values = Object.keys(input.terraform.parameters).map((name) => environment[`TF_VAR_${name}`] ?? '');
  return values.filter((value) => secrets.has(value));
}

/** Addresses of the resources that the state knows; none when there is no state. */
export async function addressesInState(workspace: Workspace): Promise<Set<string>> {
  const end = await start(workspace, 'state', ['list', '-no-color']);
  const { stdout, stderr } = processFiles(join(workspace.directory, 'state'));
  if (succeeded(end)) return new Set((await readFile(stdout, 'utf8')).split('\n').filter(Boolean));
  if ((await readFile(stderr, 'utf8')).includes(NO_STATE)) return new Set();
  throw await failureOf(workspace, 'state', end);
}

/** Where the configuration of a private directory is; the directory itself when its checkout is gone. */
export async function configurationIn(directory: string): Promise<string> {
  return readFile(join(directory, LOCATION), 'utf8').catch(() => directory);
}

/** Keeps a state that could not be saved, before a lost worker's private directory is removed. */
export async function rescue(directory: string): Promise<void> {
  await keepErroredState(await configurationIn(directory), directory);
}
