import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { digestOf } from '../../domain/digest.ts';
import { isMasked } from '../../domain/masking.ts';
import type { Target } from '../../domain/policy.ts';
import type { Origin } from '../../domain/terraform/change-set.ts';
import { stateInCheckout } from './errors.ts';

interface Initialised {
  readonly target: Target;
  /** Of the configuration, in the repository. */
  readonly directory: string;
  /** Terraform's data directory, after `init`. */
  readonly dataDirectory: string;
}

/**
 * The configuration and the state that a working directory stands for.
 * @throws non-retryable `TerraformFailed` (`StateInCheckout`) when the state would be lost with the checkout
 */
export async function originOf({ target, directory, dataDirectory }: Initialised): Promise<Origin> {
  const { type, config } = await backendIn(target, dataDirectory);
  if (type === 'local') demandAbsolute(target, config['path']);
  const named = Object.entries(config).filter(([name, value]) => !isMasked(name) && value != null);
  const selected = await readFile(join(dataDirectory, 'environment'), 'utf8').catch(() => '');
  return {
    directory,
    backend: type,
    workspace: selected.trim() || 'default',
    location: digestOf(Object.fromEntries(named)),
  };
}

interface Backend {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
}

async function backendIn(target: Target, dataDirectory: string): Promise<Backend> {
  const none = 'the configuration has no backend, so the state is kept in the checkout';
  const text = await readFile(join(dataDirectory, 'terraform.tfstate'), 'utf8').catch(() => undefined);
  if (text === undefined) throw stateInCheckout(target, none);
  const { backend } = JSON.parse(text) as { backend?: Partial<Backend> };
  if (backend?.type === undefined) throw stateInCheckout(target, none);
  return { type: backend.type, config: backend.config ?? {} };
}

function demandAbsolute(target: Target, path: unknown): void {
  if (typeof path === 'string' && isAbsolute(path)) return;
  const shown = typeof path === 'string' && path !== '' ? path : 'not set';
  throw stateInCheckout(target, `the local backend's path is ${shown}, which is in the checkout`);
}
