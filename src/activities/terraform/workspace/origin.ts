import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { digestOf } from '../../../domain/digest.ts';
import { isMasked } from '../../../domain/masking.ts';
import type { Target } from '../../../domain/policy.ts';
import type { Origin } from '../../../domain/terraform/change-set.ts';
import { stateInCheckout } from '../command/errors.ts';

interface Initialised {
  readonly target: Target;
  /** Of the configuration, in the repository. */
  readonly directory: string;
  /** terraform's, of a directory after `init`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables by which a backend's place may be given without the configuration, by type of backend. */
const PLACES: Readonly<Record<string, RegExp>> = {
  http: /^TF_HTTP_ADDRESS$/,
  s3: /^AWS_(S3_ENDPOINT|ENDPOINT_URL_S3|ENDPOINT_URL|REGION)$/,
  cloud: /^TF_CLOUD_(HOSTNAME|ORGANIZATION|PROJECT)$/,
};

/**
 * The configuration and the state that a working directory stands for.
 * @throws non-retryable `TerraformFailed` (`StateInCheckout`) when the state would be lost with the checkout
 */
export async function originOf({ target, directory, environment }: Initialised): Promise<Origin> {
  const dataDirectory = environment['TF_DATA_DIR'] ?? '';
  const { type, config } = await backendIn(target, dataDirectory);
  if (type === 'local') demandAbsolute(target, config['path']);
  const settings = Object.entries(config).filter(([name, value]) => !isMasked(name) && value != null);
  const places = Object.entries(environment).filter(([name]) => PLACES[type]?.test(name));
  return {
    directory,
    backend: type,
    workspace: await workspaceOf(environment, dataDirectory),
    location: digestOf({
      settings: Object.fromEntries(settings.map(([name, value]) => [name, withoutUserinfo(value)])),
      places: Object.fromEntries(places.map(([name, value]) => [name, withoutUserinfo(value)])),
    }),
  };
}

/** As Terraform looks for it: the variable first, then what was selected in the data directory. */
async function workspaceOf(
  environment: Readonly<Record<string, string>>,
  dataDirectory: string,
): Promise<string> {
  const selected = await readFile(join(dataDirectory, 'environment'), 'utf8').catch(() => '');
  return environment['TF_WORKSPACE'] || selected.trim() || 'default';
}

/** Who asks is no part of a place: `https://user:password@host/state`. */
function withoutUserinfo(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1') : value;
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
