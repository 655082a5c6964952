import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from './contract.ts';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API (temporal.api.enums.v1.IndexedValueType). */
const KEYWORD = 2;

/**
 * Makes sure that the namespace knows Slipway's search attributes: a run that upserts an unknown one is stuck.
 * @throws Error naming the command to run, where this identity may not register them or the server cannot
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return;
  try {
    await registerSearchAttributes(connection, namespace, missing);
  } catch (error) {
    throw new Error(
      `The namespace ${namespace} lacks the search attributes ${missing.join(', ')}, and registering them failed ` +
        `(${error instanceof Error ? error.message : String(error)}). Have an operator run:\n${registerCommand(namespace, missing)}`,
      { cause: error },
    );
  }
}

export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
  names: readonly string[],
): Promise<void> {
  const searchAttributes = Object.fromEntries(names.map((name) => [name, KEYWORD]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}

/** @returns those of Slipway's search attributes that the namespace does not know */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in (customAttributes ?? {})));
}

/** The command that an operator types. */
export function registerCommand(namespace: string, names: readonly string[]): string {
  const flags = names.map((name) => `--name ${name} --type Keyword`).join(' ');
  return `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
}
