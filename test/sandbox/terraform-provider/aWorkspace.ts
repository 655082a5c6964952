import grpc from '@grpc/grpc-js';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installProvider, lockFile } from '../../../sandbox/terraform-provider/install.ts';
import { createCalls } from '../../../sandbox/terraform-provider/plugin/calls.ts';
import { listen } from '../../../sandbox/terraform-provider/plugin/listen.ts';
import { awsProvider } from '../../../sandbox/terraform-provider/provider.ts';
import { startSandbox } from '../../../sandbox/server.ts';
import type { Sandbox } from '../../../sandbox/server.ts';

export interface Outcome {
  readonly exitCode: number;
  /** Standard output and error, as a user sees them. */
  readonly output: string;
}

/** A change of a plan: what happens to a resource, and why it is replaced. */
export interface Change {
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
    readonly after_unknown: Readonly<Record<string, unknown>>;
    readonly after_sensitive: Readonly<Record<string, unknown>>;
    readonly replace_paths?: readonly unknown[];
  };
}

export interface Workspace {
  readonly sandbox: Sandbox;
  readonly directory: string;
  /** Of Terraform's processes. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sets the configuration, with the provider's requirement before it. */
  write(configuration: string): Promise<void>;
  run(...args: readonly string[]): Promise<Outcome>;
  /**
   * Applies the plan that was just made, else a new one. Fails the test with Terraform's own words when that fails.
   */
  apply(): Promise<void>;
  /** The changes of a new plan but for those that do nothing, and the drift that it found. */
  plan(): Promise<{ exitCode: number; changes: Change[]; drift: Change[] }>;
  /** A resource's attributes in the state. */
  state(address: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const PROVIDER_SOURCE = 'sandbox.local/rehearsal/aws';
const HEADER = `
terraform {
  required_providers {
    aws = {
      source  = "${PROVIDER_SOURCE}"
      version = "1.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}
`;

interface StateFile {
  readonly resources: readonly {
    readonly type: string;
    readonly name: string;
    readonly instances: readonly { readonly attributes: Record<string, unknown> }[];
  }[];
}

/** How Terraform gets at the provider. */
interface ProviderAccess {
  readonly environment: Readonly<Record<string, string>>;
  close(): void;
}

/** Terraform attaches to the provider in this process: nothing is started for a command, where a plan alone starts three. */
async function attachedProvider(sandbox: Record<string, string>): Promise<ProviderAccess> {
  Object.assign(process.env, sandbox);
  const { port, close } = await listen(createCalls(awsProvider), grpc.ServerCredentials.createInsecure());
  const provider = {
    Protocol: 'grpc',
    ProtocolVersion: 6,
    Pid: process.pid,
    Test: true,
    Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
  };
  return { environment: { TF_REATTACH_PROVIDERS: JSON.stringify({ [PROVIDER_SOURCE]: provider }) }, close };
}

/** Terraform installs and starts the provider, as a user's does. */
async function installedProvider(home: string): Promise<ProviderAccess> {
  const { cliConfigFile } = await installProvider({ directory: join(home, 'provider') });
  return { environment: { TF_CLI_CONFIG_FILE: cliConfigFile }, close: () => undefined };
}

/** An initialised Terraform directory beside a sandbox of its own. */
export async function aWorkspace({ installed = false } = {}): Promise<Workspace> {
  const home = await mkdtemp(join(tmpdir(), 'provider-'));
  const directory = await mkdtemp(join(home, 'terraform-'));
  const sandbox = await startSandbox({ stateDir: join(home, 'state'), speed: 400 });
  const aws = { AWS_ENDPOINT_URL: sandbox.url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const provider = installed ? await installedProvider(home) : await attachedProvider(aws);
  const environment = {
    PATH: process.env['PATH'] ?? '',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    ...provider.environment,
    ...aws,
  };
  // A plan that is applied is not made twice; after any other command it may be stale.
  let planFile: string | undefined;
  const run = async (...args: readonly string[]): Promise<Outcome> => {
    if (args[0] !== 'show') planFile = undefined;
    const options = { cwd: directory, env: environment, extendEnv: false, reject: false, all: true } as const;
    const { exitCode = -1, all } = await execa('terraform', args, options);
    return { exitCode, output: all };
  };
  const show = async <T>(...args: readonly string[]): Promise<T> => {
    const { exitCode, output } = await run('show', '-json', ...args);
    if (exitCode !== 0) throw new Error(output);
    return JSON.parse(output) as T;
  };
  await writeFile(join(directory, 'main.tf'), HEADER);
  if (installed) {
    await writeFile(join(directory, '.terraform.lock.hcl'), lockFile());
    const initialised = await run('init', '-no-color', '-lockfile=readonly');
    if (initialised.exitCode !== 0) throw new Error(initialised.output);
  }

  return {
    sandbox,
    directory,
    environment,
    run,
    async write(configuration) {
      planFile = undefined;
      await writeFile(join(directory, 'main.tf'), HEADER + configuration);
    },
    async apply() {
      const { exitCode, output } = await run(
        'apply',
        '-auto-approve',
        '-no-color',
        ...(planFile === undefined ? [] : [planFile]),
      );
      if (exitCode !== 0) throw new Error(output);
    },
    async plan() {
      const { exitCode, output } = await run('plan', '-detailed-exitcode', '-no-color', '-out=plan');
      if (exitCode === 1) throw new Error(output);
      planFile = 'plan';
      const shown = await show<{ resource_changes?: Change[]; resource_drift?: Change[] }>('plan');
      const changes = (shown.resource_changes ?? []).filter(({ change }) => change.actions[0] !== 'no-op');
      return { exitCode, changes, drift: shown.resource_drift ?? [] };
    },
    async state(address) {
      const file = await readFile(join(directory, 'terraform.tfstate'), 'utf8');
      const { resources } = JSON.parse(file) as StateFile;
      const found = resources.find(({ type, name }) => `${type}.${name}` === address);
      if (found?.instances[0] === undefined) throw new Error(`${address} is not in the state`);
      return found.instances[0].attributes;
    },
    async close() {
      provider.close();
      await sandbox.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
