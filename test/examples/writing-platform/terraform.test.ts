import { ECS } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { findBasePort } from '../../../examples/writing-platform/ports.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { startSandbox } from '../../../sandbox/server.ts';
import { rolloutConfiguration } from '../../../src/activities/ecs/deployment-configuration.ts';
import { aCanary, aPolicy, credentials } from '../../activities/ecs/aRollout.ts';
import { installProvider, lockFile } from '../../../sandbox/terraform-provider/install.ts';
import type { Checkouts } from './running.ts';
import { makeCheckouts } from './running.ts';

const { SLIPWAY_TERRAFORM: TERRAFORM = 'terraform' } = process.env;

let releases: Checkouts;
let sandbox: Sandbox;
let environment: Record<string, string>;
let basePort: number;
beforeAll(async () => {
  basePort = await findBasePort();
  releases = await makeCheckouts(basePort);
  sandbox = await startSandbox({ stateDir: join(releases.directory, 'sandbox'), speed: 20 });
  const { cliConfigFile } = await installProvider({ directory: join(releases.directory, 'provider') });
  environment = {
    TF_CLI_CONFIG_FILE: cliConfigFile,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    AWS_ENDPOINT_URL: sandbox.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
});
afterAll(async () => {
  await sandbox.close();
  await releases.remove();
});

/** Runs terraform in a release's configuration. @returns its standard output */
async function terraform(version: string, ...args: string[]): Promise<string> {
  const cwd = join(await releases.checkout(version), 'terraform');
  const { stdout } = await execa(TERRAFORM, [...args, ...(args[0] === 'output' ? [] : ['-no-color'])], {
    cwd,
    env: environment,
  });
  return stdout;
}

const initialised = new Map<string, Promise<string>>();

/** Once for a release: its checkout stays as it is. */
async function initialise(version: string): Promise<void> {
  const state = join(releases.directory, 'state', 'development.tfstate');
  const args = ['-input=false', '-lockfile=readonly', `-backend-config=path=${state}`];
  const done = initialised.get(version) ?? terraform(version, 'init', ...args);
  initialised.set(version, done);
  await done;
}

interface Plan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: { readonly actions: string[] };
  }[];
}

/** What applying the release would do: actions by address, without those that do nothing. */
async function plan(version: string): Promise<Record<string, string>> {
  const file = join(releases.directory, 'plan');
  await terraform(version, 'plan', `-out=${file}`, ...variables(version));
  const shown: Plan = JSON.parse(await terraform(version, 'show', '-json', file));
  const changes = shown.resource_changes ?? [];
  return Object.fromEntries(
    changes
      .map(({ address, change }) => [address, change.actions.join(', ')] as const)
      .filter(([, actions]) => actions !== 'no-op'),
  );
}

const variables = (version: string): string[] => [
  '-var-file=environments/development.tfvars',
  '-var=canary=true',
  '-var',
  `release_version=${version}`,
];

test('the configuration is formatted, and its lock file is that of the provider', async () => {
  const folder = join(await releases.checkout('1.1.0'), 'terraform');
  expect(await terraform('1.1.0', 'fmt', '-check', '-recursive')).toBe('');
  expect(await readFile(join(folder, '.terraform.lock.hcl'), 'utf8')).toBe(lockFile());
});

test('the first release makes all that a deployment needs, and a second plan finds nothing to do', async () => {
  await initialise('1.0.0');
  await terraform('1.0.0', 'validate');
  await terraform('1.0.0', 'apply', '-auto-approve', ...variables('1.0.0'));
  const outputs = JSON.parse(await terraform('1.0.0', 'output', '-json'));
  expect(outputs).toMatchObject({
    cluster: { value: 'writing-development' },
    editor_url: { value: `http://127.0.0.1:${basePort}` },
    suggestions_url: { value: `http://127.0.0.1:${basePort + 1}` },
    model_gateway_url: { value: `http://127.0.0.1:${basePort + 2}` },
    style_parameter_arn: { value: 'arn:aws:ssm:eu-west-1:000000000000:parameter/writing/development/style' },
  });
  expect(await plan('1.0.0')).toEqual({});
}, 120_000);

test.each([
  ['canary', aPolicy({ canary: aCanary(), minimumHealthyPercent: 50, maximumPercent: 150 })],
  ['rolling', aPolicy({ minimumHealthyPercent: 75, maximumPercent: 125 })],
] as const)(
  'after a %s rollout Terraform has nothing to do: what a deployment writes of the service is left to it',
  async (by, policy) => {
    const ecs = new ECS({ endpoint: sandbox.url, region: 'eu-west-1', credentials });
    const [cluster, service] = ['writing-development', 'editor'];
    const { services = [] } = await ecs.describeServices({ cluster, services: [service] });
    const rollout = { ...policy, alarms: ['editor is slow'] };
    const deploymentConfiguration = rolloutConfiguration(services[0] ?? {}, rollout, by);
    await ecs.updateService({ cluster, service, desiredCount: 1, deploymentConfiguration });
    ecs.destroy();

    expect(await plan('1.0.0')).toEqual({});
  },
  120_000,
);

test('1.1.0 makes one parameter and changes the one that names the release, and nothing else', async () => {
  await initialise('1.1.0');
  expect(await plan('1.1.0')).toEqual({
    'aws_ssm_parameter.configuration_release': 'update',
    'aws_ssm_parameter.suggestion_count': 'create',
  });
}, 120_000);

test.each([
  ['release_version=latest', /must be a semantic version/],
  ['style=rude', /must be plain or formal/],
  ['listener_ports={editor=1}', /a port for each of editor, suggestions and model-gateway/],
  ['environment=a-b', /1 to 16 lower-case letters and digits/],
  ['subnets=["subnet-1"]', /two zones at least/],
])(
  '%s is refused',
  async (variable, message) => {
    await initialise('1.0.0');
    const planned = terraform('1.0.0', 'plan', ...variables('1.0.0'), '-var', variable);
    await expect(planned).rejects.toThrow(message);
  },
  60_000,
);
