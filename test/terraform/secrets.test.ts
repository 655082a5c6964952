import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../activities/process/support.ts';
import { aSandbox } from '../sandbox/aSandbox.ts';
import type { TestSandbox } from '../sandbox/aSandbox.ts';
import type { TerraformInput, TerraformPlan } from '../../src/activities/terraform/types.ts';
import { Ground } from './kill-matrix/ground.ts';
import type { Performed } from './kill-matrix/ground.ts';
import { startTrialServer } from './trial-provider/server.ts';
import type { TrialServer } from './trial-provider/server.ts';
import { trialHeader } from './trial-provider/install.ts';

const PEM = [
  '-----BEGIN PRIVATE KEY-----',
  'planted/first+line=of',
  'planted+second/line=of',
  '-----END PRIVATE KEY-----',
];
/** Each is known to the worker and to Terraform, and to nobody who reads about them. */
const SECRETS = {
  'a sensitive variable of the worker': 'planted "in" a $variable',
  'a SecureString': 'planted-in-ssm/+=',
  'a line of a key': 'planted/first+line=of',
  'another line of it': 'planted+second/line=of',
  'the password of the backend': 'planted-in-the-backend',
  "the worker's AWS key": 'planted-in-the-aws-key',
  'a sensitive output': 'PLANTED "IN" A $VARIABLE',
};
const PARAMETER = '/trial/production/token';

/**
 * `held` waits until it is let go; then `refused` fails, saying its value, and so does `printing`, in colours: one of them
 * in the middle of the value.
 */
const LEAKING = `
terraform {
  backend "http" {}
}
variable "password" {
  sensitive = true
}
variable "token" {}
variable "key" {}
resource "trial_object" "held" {
  name  = "held"
  value = var.password
}
resource "trial_object" "refused" {
  name       = "refused"
  value      = var.token
  depends_on = [trial_object.held]
}
resource "terraform_data" "printing" {
  depends_on = [trial_object.held]
  provisioner "local-exec" {
    command = <<-END
      printf '\\033[31m%s\\033[0m pla\\033[1mnted-in-ssm/+=\\n%s\\n' "$PASSWORD" "$KEY" >&2; exit 3 # \${var.token}
    END
    environment = {
      PASSWORD = nonsensitive(var.password)
      KEY      = var.key
    }
  }
}
resource "terraform_data" "generated" {
  input      = sensitive("generated-\${uuid()}")
  depends_on = [trial_object.held]
}
resource "terraform_data" "telling" {
  provisioner "local-exec" {
    command     = "echo no login with $GENERATED >&2; exit 4"
    environment = { GENERATED = terraform_data.generated.output }
  }
}
output "secret" {
  value     = upper(var.password)
  sensitive = true
}
output "plain" {
  value = "of no interest"
}
`;

let directory: string;
let sandbox: TestSandbox;
let server: TrialServer;
let ground: Ground;
/** What the server was told, by where it is. */
const told = new Map<string, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
  const credentials = { username: 'slipway', password: SECRETS['the password of the backend'] };
  [sandbox, server, ground] = await Promise.all([
    aSandbox(),
    startTrialServer(),
    Ground.start(directory, credentials),
  ]);
  const ssm = new SSMClient(sandbox.client);
  const values = { [PARAMETER]: SECRETS['a SecureString'], [`${PARAMETER}-key`]: PEM.join('\n') };
  for (const [Name, Value] of Object.entries(values))
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
  ssm.destroy();
  const host = ground.host(
    'secrets',
    {},
    {
      TF_VAR_password: SECRETS['a sensitive variable of the worker'],
      TF_HTTP_USERNAME: credentials.username,
      TF_HTTP_PASSWORD: credentials.password,
      AWS_ENDPOINT_URL: sandbox.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: SECRETS["the worker's AWS key"],
    },
  );
  await host.startWorker();
  await run();
  told.set('the log of the worker', await host.log());
}, 120_000);
afterAll(async () => {
  await ground.stop();
  await Promise.all([server.close(), sandbox.close()]);
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** A plan, an apply that fails half-way, and both again. */
async function run(): Promise<void> {
  const configuration = LEAKING + trialHeader(server.address);
  const parameters = { token: PARAMETER, key: `${PARAMETER}-key` };
  // What failed is replaced.
  const input = ground.release(configuration, '/secrets', { parameters, allowDestroy: true });
  server.fail('refused', 'before');
  server.hold('held');
  const applying = await planAndApply('the first', input);
  await server.after('began', 1);
  await keepHeartbeat(applying);
  server.letGo('held');
  await keepHistory('the first apply', applying);
  await keepHistory('the second apply', await planAndApply('the second', input));
}

async function planAndApply(which: string, input: TerraformInput): Promise<Performed> {
  const planning = await ground.perform('secrets', 'planTerraform', input);
  const { changeSet: approved } = (await planning.result()) as TerraformPlan;
  await keepHistory(`${which} plan`, planning);
  return ground.perform('secrets', 'applyTerraform', { ...input, approved });
}

async function keepHistory(what: string, performed: Performed): Promise<void> {
  await performed.result().catch(() => undefined);
  told.set(what, textOf(await performed.fetchHistory()));
}

async function keepHeartbeat(performed: Performed): Promise<void> {
  const heartbeat = await eventually(async () => {
    const text = await ground.heartbeat(performed);
    return text.includes('creating') && text;
  }, 60_000);
  told.set('a heartbeat', heartbeat);
}

/** Bytes, as those of payloads, as the text that they are. */
function textOf(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, member]) => `${name}: ${textOf(member)}`)
    .join('\n');
}

/** A secret as it is, and as JSON, URLs and Base64 have it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
  ];
}

// eslint-disable-next-line no-control-regex
const withoutColours = (text: string): string => text.replaceAll(/(?:\u001B|\\u001b|\\x1b)\[[\d;]*m/gi, '');

test.each(Object.entries(SECRETS))('%s is in no heartbeat, history or log', (_, secret) => {
  const found = [...told].filter(([, text]) =>
    formsOf(secret).some((form) => withoutColours(text).includes(form)),
  );
  expect(found.map(([where]) => where)).toEqual([]);
});

test('a secret that an apply made is in no heartbeat, history or log', () => {
  const state = ground.backend.rawState('/secrets') ?? '';
  const generated = [...new Set(state.match(/generated-[0-9a-f-]{36}/g))];
  expect(generated).toHaveLength(1);
  expect([...told].filter(([, text]) => /generated-[0-9a-f]{8}/.test(text)).map(([where]) => where)).toEqual(
    [],
  );
  expect(told.get('the first apply')).toContain('no login with ***');
});

test('what was said is there, with the secrets masked: the search finds what there is', () => {
  for (const which of ['first', 'second']) {
    expect(told.get(`the ${which} plan`)).toContain('trial_object.refused');
    const history = told.get(`the ${which} apply`) ?? '';
    expect(history).toContain('refused with the value *** is refused');
    expect(history).toMatch(/exit status 3\. Output: \*\*\* \*\*\*/);
  }
  expect(told.get('a heartbeat')).toContain('creating trial_object.held');
  expect(told.get('the log of the worker')).toContain('Activity failed');
  const values = ground.backend.rawState('/secrets') ?? '';
  expect(values).toContain(JSON.stringify(SECRETS['a sensitive variable of the worker']));
});
