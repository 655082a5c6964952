import type { Target } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';

/** AWS's credentials, endpoints and settings, Terraform's own, and what a process needs to find its files and the network. */
const PASSED_ON =
  /^(AWS_.*|TF_.*|PATH|HOME|TMPDIR|LANG|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;
/** These would change what Slipway asks for, or where it looks for the answer. */
const WITHHELD = /^TF_(CLI_ARGS.*|DATA_DIR|LOG.*|PLUGIN_CACHE_MAY_BREAK.*)$/;
const SECRET =
  /^(AWS_(SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|TF_TOKEN_.*|TF_VAR_.*)$/;

export interface EnvironmentInput {
  readonly worker: Readonly<NodeJS.ProcessEnv>;
  readonly target: Target;
  readonly release: Release;
  /** Credentials for the target's role; they replace the worker's own. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  readonly pluginCache: string;
}

/** terraform's environment. `TF_VAR_release_version` reaches a configuration only where it declares the variable. */
export function terraformEnvironment(input: EnvironmentInput): Record<string, string> {
  const { worker, target, release, credentials, dataDirectory, pluginCache } = input;
  const passedOn = Object.entries(worker).flatMap(([name, value]) =>
    value !== undefined && PASSED_ON.test(name) && !WITHHELD.test(name) ? [[name, value] as const] : [],
  );
  return {
    TF_PLUGIN_CACHE_DIR: pluginCache,
    ...Object.fromEntries(passedOn),
    AWS_REGION: target.region,
    AWS_DEFAULT_REGION: target.region,
    ...credentials,
    TF_VAR_release_version: release.version,
    TF_DATA_DIR: dataDirectory,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
  };
}

/** Values of the environment that no message may show. */
export function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => SECRET.test(name) && name !== 'TF_VAR_release_version')
    .map(([, value]) => value);
}
