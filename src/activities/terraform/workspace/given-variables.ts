import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { PlanJson } from '../../../domain/terraform/plan.ts';
import { resolveInside } from '../../source/paths.ts';
import { terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { checkoutIn } from './layout.ts';

type Variables = readonly (readonly [name: string, value: string])[];

/**
 * Does `plan` with the arguments that give the variables and the variable files of slipway.yaml; for an older
 * configuration once more without those variables that it turns out not to declare.
 * @throws what `plan` throws; non-retryable `PathNotFound` for a variable file that should be there
 */
export async function withVariables(
  workspace: Workspace,
  plan: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { terraform: policy, older = false } = workspace.input;
  const variables = Object.entries(policy.variables);
  const files = await variableFiles(workspace);
  const planWith = (some: Variables) =>
    plan([...files, ...some.map(([name, value]) => `-var=${name}=${value}`)]);
  try {
    await planWith(variables);
  } catch (error) {
    // Terraform says so before it plans anything.
    if (!older || !isUndeclared(error)) throw error;
    const declared = await declaredVariables(workspace, variables, files);
    await planWith(variables.filter(([name]) => declared.has(name)));
  }
}

async function variableFiles({ input, directory }: Workspace): Promise<string[]> {
  const { terraform: policy, release, older = false } = input;
  const files: string[] = [];
  for (const path of policy.variableFiles) {
    try {
      const inRepository = `${policy.directory}/${path}`;
      files.push(`-var-file=${await resolveInside(checkoutIn(directory), inRepository, release.commit)}`);
    } catch (error) {
      if (!older || !isMissing(error)) throw error;
    }
  }
  return files;
}

/**
 * Names of the variables that the configuration declares, by a plan that refreshes nothing. It is given the values in the
 * environment, of which Terraform passes over what is not declared. The plan itself is of no use: in it `.tfvars` files
 * go before the values of slipway.yaml, not after them.
 */
async function declaredVariables(
  workspace: Workspace,
  variables: Variables,
  files: readonly string[],
): Promise<ReadonlySet<string>> {
  const file = join(workspace.directory, 'declared.tfplan');
  const given = Object.fromEntries(variables.map(([name, value]) => [`TF_VAR_${name}`, value]));
  const looking = { ...workspace, environment: { ...workspace.environment, ...given } };
  const args = ['-input=false', '-no-color', '-json', '-lock=false', '-refresh=false', `-out=${file}`];
  try {
    await terraform(looking, 'plan', [...args, ...files]);
    const shown = JSON.parse(await terraform(looking, 'show', ['-no-color', '-json', file])) as PlanJson;
    return new Set(Object.keys(shown.configuration?.root_module?.variables ?? {}));
  } finally {
    // They hold every secret of the plan in clear.
    await rm(file, { force: true });
    await rm(join(workspace.directory, 'show'), { recursive: true, force: true });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'PathNotFound';
}

function isUndeclared(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure)) return false;
  const [detail] = error.details ?? [];
  return (detail as { readonly reason?: unknown } | undefined)?.reason === 'UndeclaredVariable';
}
