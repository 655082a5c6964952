import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sensitiveTexts } from '../../../domain/terraform/values.ts';
import { terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';

/** What is read of `terraform show -json` of a state. */
interface StateJson {
  readonly values?: {
    readonly outputs?: Readonly<Record<string, { readonly sensitive?: boolean; readonly value?: unknown }>>;
    readonly root_module?: ModuleJson;
  };
}

interface ModuleJson {
  readonly resources?: readonly { readonly values?: unknown; readonly sensitive_values?: unknown }[];
  readonly child_modules?: readonly ModuleJson[];
}

/**
 * Adds all that the state marks as sensitive to the workspace's secrets: an apply makes such values, and a plan may read
 * them and fail.
 */
export async function learnFromState(workspace: Workspace): Promise<void> {
  try {
    const { values } = JSON.parse(await terraform(workspace, 'show', ['-no-color', '-json'])) as StateJson;
    const outputs = Object.values(values?.outputs ?? {}).map(
      ({ value, sensitive }) => [value, sensitive] as const,
    );
    for (const [value, marks] of [...outputs, ...marked(values?.root_module)])
      for (const secret of sensitiveTexts(value, marks)) workspace.secrets.add(secret);
  } finally {
    await rm(join(workspace.directory, 'show'), { recursive: true, force: true });
  }
}

function marked(module: ModuleJson | undefined): (readonly [value: unknown, marks: unknown])[] {
  const own = (module?.resources ?? []).map(
    ({ values, sensitive_values }) => [values, sensitive_values] as const,
  );
  return [...own, ...(module?.child_modules ?? []).flatMap(marked)];
}
