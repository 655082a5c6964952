import { join } from 'node:path';
import type { Target } from '../../../domain/policy.ts';

/** The part of a worker's data directory that is Terraform's. */
export const terraformIn = (dataDirectory: string): string => join(dataDirectory, 'terraform');

/** The providers that a worker has. */
export const pluginStoreIn = (dataDirectory: string): string => join(terraformIn(dataDirectory), 'plugins');

/** Where the private directories of an environment's operations are, those of a person's commands too. */
export function operationsIn(dataDirectory: string, { platform, environment }: Target): string {
  return join(terraformIn(dataDirectory), platform, environment);
}

/** The repository's files in an operation's private directory. */
export const checkoutIn = (directory: string): string => join(directory, 'checkout');

/** An operation's own plugin cache. Nobody else writes to it. */
export const pluginCacheIn = (directory: string): string => join(directory, 'plugins');
