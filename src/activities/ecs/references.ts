import { DescribeSecretCommand, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import { GetParametersCommand } from '@aws-sdk/client-ssm';
import type { ReferencePlan } from '../../domain/evidence.ts';
import type { Target } from '../../domain/policy.ts';
import { parameterArn, secretValueFrom } from '../../domain/task-definition.ts';
import type { Placeholder } from '../../domain/task-definition.ts';
import type { AwsClients } from '../aws.ts';
import { chunks } from './batch.ts';

export interface References {
  /** By placeholder, such as `secret:notes/key`: what to write in its place. */
  readonly values: Readonly<Record<string, string>>;
  readonly plans: readonly ReferencePlan[];
  /** What does not exist, one line each, with what to do. */
  readonly problems: readonly string[];
}

export type Referred = Extract<Placeholder, { kind: 'secret' | 'parameter' }>;

/**
 * Looks up the secrets and parameters that a template refers to. A secret is pinned to its current version; a parameter is
 * read at each task's start, so its present version is in the plan only.
 * @param placeholders by their text
 */
export async function findReferences(
  aws: AwsClients,
  target: Target,
  placeholders: ReadonlyMap<string, Referred>,
): Promise<References> {
  const found = [
    ...(await findSecrets(aws, target, placeholders)),
    ...(await findParameters(aws, target, placeholders)),
  ];
  const plans = found.flatMap(({ plan }) => plan ?? []);
  return {
    values: Object.fromEntries(
      found.flatMap(({ placeholder, value }) => (value ? [[placeholder, value]] : [])),
    ),
    plans: [...new Map(plans.map((plan) => [`${plan.kind} ${plan.name}`, plan])).values()],
    problems: [...new Set(found.flatMap(({ problem }) => problem ?? []))],
  };
}

interface Found {
  readonly placeholder: string;
  readonly value?: string;
  readonly plan?: ReferencePlan;
  readonly problem?: string;
}

async function findSecrets(
  aws: AwsClients,
  target: Target,
  placeholders: ReadonlyMap<string, Referred>,
): Promise<Found[]> {
  const wanted = [...placeholders].filter(([, { kind }]) => kind === 'secret');
  return Promise.all(wanted.map(([placeholder, secret]) => findSecret(aws, target, placeholder, secret)));
}

async function findSecret(
  aws: AwsClients,
  target: Target,
  placeholder: string,
  secret: Referred,
): Promise<Found> {
  const { name } = secret;
  const absent = {
    placeholder,
    problem: `secret ${name} does not exist in ${place(target)}: create it with a value`,
  };
  try {
    const { ARN: arn, VersionIdsToStages: versions = {} } = await aws
      .clientsFor(target)
      .secrets.send(new DescribeSecretCommand({ SecretId: name }));
    const version = Object.keys(versions).find((id) => versions[id]?.includes('AWSCURRENT'));
    if (!arn || !version) return absent;
    const jsonKey = secret.kind === 'secret' ? secret.jsonKey : undefined;
    return {
      placeholder,
      value: secretValueFrom(arn, version, jsonKey),
      plan: { kind: 'secret', name, version },
    };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return absent;
    throw error;
  }
}

async function findParameters(
  aws: AwsClients,
  target: Target,
  placeholders: ReadonlyMap<string, Referred>,
): Promise<Found[]> {
  const wanted = [...placeholders].filter(([, { kind }]) => kind === 'parameter');
  const versions = await parameterVersions(aws, target, [...new Set(wanted.map(([, { name }]) => name))]);
  return wanted.map(([placeholder, { name }]) => {
    const version = versions.get(name);
    if (version === undefined)
      return { placeholder, problem: `parameter ${name} does not exist in ${place(target)}: create it` };
    return { placeholder, value: parameterArn(target, name), plan: { kind: 'parameter', name, version } };
  });
}

async function parameterVersions(
  aws: AwsClients,
  target: Target,
  names: string[],
): Promise<ReadonlyMap<string, string>> {
  const { ssm } = aws.clientsFor(target);
  const found = await Promise.all(
    // Ten names are the most that one GetParameters takes.
    chunks(names, 10).map((Names) => ssm.send(new GetParametersCommand({ Names }))),
  );
  const parameters = found.flatMap(({ Parameters = [] }) => Parameters);
  return new Map(parameters.map(({ Name = '', Version }) => [Name, String(Version)]));
}

function place({ account, region }: Target): string {
  return `account ${account}, ${region}`;
}
