import { GetParametersCommand } from '@aws-sdk/client-ssm';
import type { Parameter, SSMClient } from '@aws-sdk/client-ssm';
import type { Target, TerraformPolicy } from '../../../domain/policy.ts';
import type { PlanJson } from '../../../domain/terraform/plan.ts';
import type { AwsClients } from '../../aws.ts';
import { refusedByAws, unusable } from '../command/unusable.ts';

/** Names in one GetParameters. */
const BATCH = 10;
/** Bytes of one argument or environment variable, its end among them: Linux's MAX_ARG_STRLEN. */
const LONGEST = 128 * 1024;

/** Terraform variables with the values of SSM parameters. */
export interface ParameterVariables {
  readonly values: Readonly<Record<string, string>>;
  /** Names of those that anybody may read: their parameters are no SecureStrings. */
  readonly plain: readonly string[];
}

/**
 * Reads the SSM parameters that variables have their values of, with the target's role.
 * @throws non-retryable `TerraformFailed`: `MissingParameter`, or AWS's own name for what it refuses (`AccessDenied`);
 *   what may pass, retryable, under AWS's name
 */
export async function readParameters(
  aws: Pick<AwsClients, 'clientsFor'>,
  target: Target,
  parameters: TerraformPolicy['parameters'],
): Promise<ParameterVariables> {
  const wanted = Object.entries(parameters);
  if (wanted.length === 0) return { values: {}, plain: [] };
  const found = await fetchAll(aws.clientsFor(target).ssm, [...new Set(Object.values(parameters))]).catch(
    (error: unknown) => {
      const what = `Terraform's variables of ${target.environment} can't be read from SSM`;
      throw refusedByAws(target, what, error);
    },
  );
  const missing = wanted.filter(([, parameter]) => found.get(parameter)?.Value === undefined);
  if (missing.length > 0) throw missingParameters(target, missing);
  const values = wanted.map(([name, parameter]) => [name, found.get(parameter)?.Value ?? ''] as const);
  const plain = wanted.filter(([, parameter]) => found.get(parameter)?.Type !== 'SecureString');
  return { values: Object.fromEntries(values), plain: plain.map(([name]) => name) };
}

async function fetchAll(ssm: SSMClient, names: readonly string[]): Promise<Map<string, Parameter>> {
  const found = new Map<string, Parameter>();
  for (let from = 0; from < names.length; from += BATCH) {
    const Names = names.slice(from, from + BATCH);
    const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names, WithDecryption: true }));
    for (const parameter of Parameters) found.set(parameter.Name ?? '', parameter);
  }
  return found;
}

function missingParameters(target: Target, missing: readonly (readonly [string, string])[]): Error {
  const list = missing.map(([name, parameter]) => `${parameter} (variable ${name})`).join(', ');
  const first = missing[0]?.[1] ?? '';
  return unusable(
    target,
    'MissingParameter',
    `Terraform's variables of ${target.environment} have no value: there is no SSM parameter ${list} in ${target.region}. Make it: \`aws ssm put-parameter --region ${target.region} --name ${first} --type SecureString --value ...\`, or correct environments.${target.environment}.terraform.parameters in slipway.yaml.`,
  );
}

/** @throws non-retryable `TerraformFailed` (`VariableTooLarge`) for a variable that no process can be given */
export function assertVariablesFit(target: Target, variables: Readonly<Record<string, string>>): void {
  // `-var=NAME=VALUE` and `TF_VAR_NAME=VALUE`, the longer of which counts, and the NUL at its end.
  const bytes = (name: string, value: string) => Buffer.byteLength(`TF_VAR_${name}=${value}`) + 1;
  const large = Object.entries(variables).find(([name, value]) => bytes(name, value) > LONGEST);
  if (large === undefined) return;
  const [name, value] = large;
  throw unusable(
    target,
    'VariableTooLarge',
    `Terraform's variable ${name} of ${target.environment} has ${Buffer.byteLength(value)} bytes; a process can be given some ${LONGEST} in one piece. Put it into a file of the repository (variableFiles), or let the configuration read it from where it is kept.`,
  );
}

/**
 * Terraform passes over a variable of the environment that the configuration does not declare, and prefers the value of
 * a `.tfvars` file, both without a word: a plan that did so was made without the parameter.
 * @throws non-retryable `TerraformFailed`: `UndeclaredVariable`, `OverriddenVariable`
 */
export function assertParametersCount(
  target: Target,
  plan: PlanJson,
  values: Readonly<Record<string, string>>,
): void {
  const declared = plan.configuration?.root_module?.variables ?? {};
  const where = `environments.${target.environment}.terraform.parameters in slipway.yaml`;
  const undeclared = Object.keys(values).filter((name) => !Object.hasOwn(declared, name));
  if (undeclared.length > 0) {
    throw unusable(
      target,
      'UndeclaredVariable',
      `The configuration declares no variable ${undeclared.join(', ')}, which has an SSM parameter. Declare it, or take it out of ${where}.`,
    );
  }
  const overridden = Object.entries(values).filter(
    ([name, value]) => !isValue(plan.variables?.[name]?.value, value),
  );
  if (overridden.length > 0) {
    const names = overridden.map(([name]) => name).join(', ');
    throw unusable(
      target,
      'OverriddenVariable',
      `The variable ${names} has another value than its SSM parameter: a .tfvars file of the configuration gives it too, and Terraform prefers that. Take it out of the file, or out of ${where}.`,
    );
  }
}

/** Whether a variable has this text as its value. Of lists and objects that is not judged, nor of a value that no plan shows. */
function isValue(planned: unknown, text: string): boolean {
  switch (typeof planned) {
    case 'string':
      return planned === text;
    case 'number':
      return planned === Number(text);
    case 'boolean':
      return String(planned) === text;
    default:
      return true;
  }
}
