import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAILING_TEST } from './small-platform.ts';
import { endsAs, eventually, Stage } from './stage.ts';

/** Each is known to the worker or to what it deploys, and to nobody who reads about it. */
const SECRETS = {
  'in Secrets Manager': 'planted-in-secrets-manager',
  'a sensitive value of Terraform': 'planted-in-terraform',
  'a SecureString of a variable that is not marked as sensitive': 'planted-in-ssm',
  'the second line of that SecureString': 'planted-in-its-second-line',
  "the worker's AWS secret key": 'planted-in-the-environment',
};

const LICENSE = '/writing/home/license';

let stage: Stage;
/** What people can read: text by where it is. */
let readable: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  const home = { terraform: { parameters: { license: LICENSE } } };
  stage = await Stage.ofSmallPlatform({ home }, () => ({
    '1.0.0': LICENSED,
    '1.1.0': { ...LICENSED, 'terraform/leaks.tf': LEAKING_TERRAFORM },
    '1.2.0': {
      ...LICENSED,
      ...FAILING_TEST,
      'tests/check.mjs': 'console.error(process.env);\nprocess.exit(1);\n',
    },
  }));
  const secrets = new SecretsManagerClient();
  await secrets.send(
    new PutSecretValueCommand({
      SecretId: 'writing/model-api-key',
      SecretString: SECRETS['in Secrets Manager'],
    }),
  );
  secrets.destroy();
  const license = [
    SECRETS['a SecureString of a variable that is not marked as sensitive'],
    SECRETS['the second line of that SecureString'],
  ];
  await stage.ssm.send(
    new PutParameterCommand({ Name: LICENSE, Type: 'SecureString', Value: license.join('\n') }),
  );
  await stage.startWorker({
    TF_VAR_token: SECRETS['a sensitive value of Terraform'],
    AWS_SECRET_ACCESS_KEY: SECRETS["the worker's AWS secret key"],
    SLIPWAY_EVIDENCE_KEY: 'a key for the evidence',
  });
  await endsAs('Completed', await stage.deploy('1.0.0', 'home'));
  const leaking = await endsAs('RolledBack', await stage.deploy('1.1.0', 'home'));
  expect(leaking.message).toMatch(/local-exec/);
  const printing = await endsAs('RolledBack', await stage.deploy('1.2.0', 'home'));
  expect(printing.message).toMatch(/check tests failed/);
  readable = new Map([...(await histories()), ...(await files())]);
}, 120_000);

afterAll(async () => stage.stop());

describe('after a deployment that completed and two that failed', () => {
  test.each(Object.entries(SECRETS))('%s is in no history, log or file of the worker', (_, secret) => {
    const forms = [secret, Buffer.from(secret).toString('base64')];
    const found = [...readable].filter(([, content]) => forms.some((form) => content.includes(form)));
    expect(found.map(([where]) => where)).toEqual([]);
  });

  test('what is not secret is found there: the search finds what there is', async () => {
    const found = (text: string) =>
      [...readable].filter(([, content]) => content.includes(text)).map(([where]) => where);
    expect(found('writing/model-api-key').some((where) => where.startsWith('history of'))).toBe(true);
    expect(found('the configuration of 1.0.0 applied').some((where) => where.startsWith('history of'))).toBe(
      true,
    );
    expect(found('worker of writing-platform serves')).toContain('logs/worker.log');
    const Name = '/writing/home/token';
    const { Parameter } = await stage.ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    expect(Parameter?.Value).toBe(SECRETS['a sensitive value of Terraform']);
    const state = await readFile(stage.small.stateFile('home'), 'utf8');
    expect(state).toContain(SECRETS['a SecureString of a variable that is not marked as sensitive']);
  });
});

/** Every run's history as text, payloads decoded. */
async function histories(): Promise<[string, Buffer][]> {
  const { workflow } = stage.rehearsal.client;
  const runs = await eventually('all runs are listed', async () => {
    const listed = [];
    for await (const run of workflow.list()) listed.push(run);
    return listed.length >= 4 && listed;
  });
  return await Promise.all(
    runs.map(async ({ workflowId, runId }): Promise<[string, Buffer]> => {
      const history = await workflow.getHandle(workflowId, runId).fetchHistory();
      return [`history of ${workflowId}`, Buffer.from(textOf(history))];
    }),
  );
}

/** Bytes of payloads as the text that they are. */
function textOf(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, member]) => `${name}: ${textOf(member)}`)
    .join('\n');
}

/** Logs, the worker's data directory, and the Temporal server's database. */
async function files(): Promise<[string, Buffer][]> {
  const found = await Promise.all(
    ['logs', 'worker'].map((folder) =>
      readdir(join(stage.directory, folder), { recursive: true, withFileTypes: true }),
    ),
  );
  const paths = found
    .flat()
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(stage.directory.length + 1));
  const all = [...paths, 'temporal.db', 'temporal.db-wal'];
  return await Promise.all(
    all.map(async (path): Promise<[string, Buffer]> => [
      path,
      await readFile(join(stage.directory, path)).catch(() => Buffer.alloc(0)),
    ]),
  );
}

/** Nothing marks the value, which stands in clear in plans, in the state and in what depends on it. */
const LICENSED = {
  'terraform/license.tf': `
variable "license" {
  type = string
}

resource "terraform_data" "license" {
  input = { text = var.license, version = var.release_version }
}

output "license" {
  value = var.license
}
`,
};

/** Terraform's error shows the whole command of a provisioner that fails, with the values in clear. */
const LEAKING_TERRAFORM = `
resource "terraform_data" "leaks" {
  provisioner "local-exec" {
    command = "echo '\${nonsensitive(var.token)} \${var.license} \${base64encode(var.token)}' >&2; exit 1"
  }
}
`;
