import { format } from 'prettier';
import { KNOWN_ERRORS } from '../../src/activities/terraform/command/diagnosis.ts';
import type { KnownError } from '../../src/activities/terraform/command/diagnosis.ts';
import { configSchema } from '../../src/config.ts';
import { DEFAULTS_DESCRIPTION, platformSchema } from '../../src/platform/schema.ts';
import { cliPage } from './cli.ts';
import { jsonSchema, platformJsonSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { defaultOf, fieldTables, table, typeOf } from './markdown.ts';

const GENERATED = '<!-- Made by `node scripts/reference.ts` from the schema; edit the schema. -->';

/** @returns the reference's files, path in the repository to content */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs/reference/slipway-yaml.md': platformPage(),
    'docs/reference/slipway.schema.json': await format(JSON.stringify(platformJsonSchema()), {
      parser: 'json',
      printWidth: 110,
    }),
    'docs/reference/configuration.md': configurationPage(),
    'docs/reference/cli.md': cliPage(
      GENERATED.replace('from the schema; edit the schema', "from the commands' definitions; edit those"),
    ),
    'docs/reference/terraform-errors.md': terraformErrorsPage(),
  };
}

const AGAIN: Readonly<Record<KnownError['passes'], string>> = {
  always: 'yes',
  'unless applying': 'unless it broke an apply off',
  never: 'no',
};

function terraformErrorsPage(): string {
  // Some meanings are told by several errors, with the same remedy.
  const rows = KNOWN_ERRORS.map(({ reason, passes, remedy }) => [
    `\`${reason}\``,
    AGAIN[passes],
    remedy.replaceAll('<', String.raw`\<`),
  ]);
  const distinct = new Map(rows.map((row) => [row.join(), row]));
  const sorted = [...distinct].toSorted(([a], [b]) => a.localeCompare(b, 'en')).map(([, row]) => row);
  return `# Terraform's errors

${GENERATED.replace('from the schema; edit the schema', 'from src/activities/terraform/command/diagnosis.ts; edit that')}

A failure of type \`TerraformFailed\` has one of these in its details, as \`reason\`; an error that is none of them is told in Terraform's own
words. [Terraform, step by step](../terraform.md) tells what a run does then.

${table(['reason', 'tried again by itself', 'what to do'], sorted)}
`;
}

function platformPage(): string {
  return `# slipway.yaml

${GENERATED}

Describes one platform: its services, its environments, and what a release has to meet in each. The worker reads it from its own file
(\`SLIPWAY_PLATFORM_FILE\`), never from the commit that is deployed, so a release can't lower its own bar. A run keeps the policy that it
read at its start; an edited file counts for the runs that start after it.

Unknown fields are errors. All errors of a file are told at once, each with its line, what was found and what is allowed.
A duration is a number and a unit: \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`. Editors check the file as it is typed when its first line names
[slipway.schema.json](slipway.schema.json) by path or URL: \`# yaml-language-server: $schema=./slipway.schema.json\`.

The least that a file has to say:

\`\`\`yaml
platform: notes
services:
  web:
    taskDefinition: deploy/web.json
environments:
  production:
    account: "123456789012"
    region: eu-west-1
    cluster: notes
\`\`\`

${fieldTables(withDefaultsRow(jsonSchema(platformSchema)))}
`;
}

/** \`defaults\` has the fields of an environment, which need not be told twice. */
function withDefaultsRow(schema: JsonSchema): JsonSchema {
  const { environments, ...before } = schema.properties ?? {};
  const defaults = { title: 'the fields of `environments.<name>`', description: DEFAULTS_DESCRIPTION };
  return { ...schema, properties: { ...before, defaults, ...(environments && { environments }) } };
}

function configurationPage(): string {
  const { properties = {} } = jsonSchema(configSchema);
  const own = Object.entries(properties).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    defaultOf(field, false),
    field.description ?? '',
  ]);
  return `# Configuration

${GENERATED}

A worker and the \`slipway\` command read their settings from environment variables. An empty variable counts as not set; relative paths are
relative to the working directory; all errors are told at once. What the platform is like is in [slipway.yaml](slipway-yaml.md).

## Slipway

${table(['Variable', 'Type', 'Default', 'Meaning'], own)}

The \`slipway\` command alone reads \`SLIPWAY_USER\`: the name that \`--by\` has by default (else the operating system's user name). A claim,
as any name is, unless the namespace authenticates its callers.

## Temporal

Read as the Temporal CLI and SDKs do: first a profile of the configuration file, then the variables, which win.
See [Temporal's documentation](https://docs.temporal.io/references/client-environment-configuration) for all of them.

${table(['Variable', 'Default', 'Meaning'], TEMPORAL_VARIABLES)}

## AWS

Credentials are found as the AWS SDKs find them (\`AWS_PROFILE\`, \`AWS_ACCESS_KEY_ID\`, container and instance roles). Account, region and
role of an environment come from \`slipway.yaml\`, not from variables. \`AWS_ENDPOINT_URL\` and \`AWS_ENDPOINT_URL_<SERVICE>\` send the calls elsewhere.
`;
}

const TEMPORAL_VARIABLES = [
  ['`TEMPORAL_ADDRESS`', '`localhost:7233`', 'Host and port of the Temporal server.'],
  ['`TEMPORAL_NAMESPACE`', '`default`', 'Namespace of the workflows.'],
  ['`TEMPORAL_API_KEY`', '', 'API key; turns TLS on.'],
  ['`TEMPORAL_TLS`', '', '`true` turns TLS on, `false` off.'],
  [
    '`TEMPORAL_TLS_CLIENT_CERT_PATH`, `TEMPORAL_TLS_CLIENT_KEY_PATH`',
    '',
    'Client certificate and its key, for mutual TLS.',
  ],
  ['`TEMPORAL_TLS_SERVER_CA_CERT_PATH`', '', "Certificate authority of the server's certificate."],
  ['`TEMPORAL_PROFILE`', '`default`', 'Profile of the configuration file.'],
  ['`TEMPORAL_CONFIG_FILE`', '`~/.config/temporalio/temporal.toml`', 'The configuration file.'],
] as const;
