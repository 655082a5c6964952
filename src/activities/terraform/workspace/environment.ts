import { isMasked } from '../../../domain/masking.ts';
import type { Target } from '../../../domain/policy.ts';
import type { Release } from '../../../domain/release.ts';

/** AWS's credentials, endpoints and settings, Terraform's own, and what a process needs to find its files and the network. */
const PASSED_ON =
  /^(AWS_.*|TF_.*|PATH|HOME|TMPDIR|LANG|SSH_AUTH_SOCK|GIT_(SSH|SSH_COMMAND|SSL_.*|ASKPASS|CONFIG_.*)|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;
/**
 * These would change what Slipway asks for, or where it looks for the answer. A plugin cache of the operator's is among
 * them: Terraform writes to it in place, under the feet of whoever runs a provider out of it. See `plugins.ts`.
 */
const WITHHELD = /^TF_(CLI_ARGS.*|DATA_DIR|LOG.*|PLUGIN_CACHE_.*)$/;
const SECRET =
  /^(AWS_(SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|TF_(TOKEN|VAR)_.*|TF_HTTP_(USERNAME|PASSWORD|CLIENT_PRIVATE_KEY_PEM)|TF_ENCRYPTION|GIT_CONFIG_VALUE_.*)$/;
/** Variables that every configuration may declare. */
const RELEASE = ['release_version', 'release_commit'];

export interface EnvironmentInput {
  readonly worker: Readonly<NodeJS.ProcessEnv>;
  readonly target: Target;
  readonly release: Release;
  /** Credentials for the target's role; they replace the worker's own. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Values of Terraform variables that must not be in an argument. */
  readonly variables: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  readonly pluginCache: string;
}

/**
 * terraform's environment. `TF_VAR_release_version` and `TF_VAR_release_commit` reach a configuration only where it
 * declares the variable.
 */
export function terraformEnvironment(input: EnvironmentInput): Record<string, string> {
  const { worker, target, release, credentials, variables, dataDirectory, pluginCache } = input;
  const passedOn = Object.entries(worker).flatMap(([name, value]) =>
    value !== undefined && PASSED_ON.test(name) && !WITHHELD.test(name) ? [[name, value] as const] : [],
  );
  const given = Object.entries(variables).map(([name, value]) => [`TF_VAR_${name}`, value] as const);
  return {
    ...Object.fromEntries(passedOn),
    AWS_REGION: target.region,
    AWS_DEFAULT_REGION: target.region,
    ...credentials,
    TF_VAR_release_version: release.version,
    TF_VAR_release_commit: release.commit,
    ...Object.fromEntries(given),
    TF_DATA_DIR: dataDirectory,
    TF_PLUGIN_CACHE_DIR: pluginCache,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/**
 * Values of the environment that no message may show.
 * @param plain variables whose values anybody may read
 */
export function secretsOf(
  environment: Readonly<Record<string, string>>,
  plain: readonly string[] = [],
): string[] {
  const shown = new Set([...RELEASE, ...plain].map((name) => `TF_VAR_${name}`));
  return Object.entries(environment)
    .filter(([name]) => SECRET.test(name) && !shown.has(name))
    .map(([, value]) => value);
}

/** Values of a backend's settings that no message may show. */
export function backendSecrets(backend: Readonly<Record<string, string>>): string[] {
  return Object.entries(backend)
    .filter(([name]) => isMasked(name))
    .map(([, value]) => value);
}
