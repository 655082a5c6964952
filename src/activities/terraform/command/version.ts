import { execa } from 'execa';
import type { Target } from '../../../domain/policy.ts';
import { hasCode } from '../../process/errors.ts';
import { unusable } from './unusable.ts';

/** The oldest Terraform whose plan tells all that is judged. OpenTofu began later, with 1.6. */
const OLDEST = { major: 1, minor: 5 };
/** Milliseconds. */
const ANSWERS_WITHIN = 60_000;

/** By binary and PATH. */
const known = new Map<string, Promise<void>>();

/**
 * Looks the version of terraform up, once a process; a failed look is none.
 * @param binary a name on `environment`'s PATH, or a path
 * @throws non-retryable `TerraformFailed`: `TerraformMissing`, and `TerraformVersion` for one that is too old
 */
export async function assertVersion(
  binary: string,
  environment: Readonly<NodeJS.ProcessEnv>,
  target: Target,
): Promise<void> {
  const key = `${binary}\0${environment['PATH'] ?? ''}`;
  const looking = known.get(key) ?? lookUp(binary, environment, target);
  known.set(key, looking);
  try {
    await looking;
  } catch (error) {
    known.delete(key);
    throw error;
  }
}

async function lookUp(
  binary: string,
  environment: Readonly<NodeJS.ProcessEnv>,
  target: Target,
): Promise<void> {
  const { PATH, HOME, TF_CLI_CONFIG_FILE } = environment;
  const result = await execa(binary, ['version', '-json'], {
    env: { PATH, HOME, TF_CLI_CONFIG_FILE, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' },
    extendEnv: false,
    // Not where a configuration is: its providers are not asked for.
    cwd: '/',
    reject: false,
    stdin: 'ignore',
    timeout: ANSWERS_WITHIN,
  });
  const { cause } = result;
  if (['ENOENT', 'EACCES'].some((code) => hasCode(cause, code))) {
    throw unusable(
      target,
      'TerraformMissing',
      `${binary} can't be started. Install terraform or tofu on the workers, on their PATH, or give its path as SLIPWAY_TERRAFORM.`,
    );
  }
  const version = versionIn(result.stdout);
  // Killed, or out of memory: nothing is known of its version.
  if (version === undefined && result.exitCode === undefined) throw result;
  if (version !== undefined && isNewEnough(version)) return;
  throw unusable(
    target,
    'TerraformVersion',
    `${binary} is ${version === undefined ? 'of no known version' : `version ${version}`}. Slipway needs Terraform ${OLDEST.major}.${OLDEST.minor} or later, or OpenTofu: install it on the workers, or give its path as SLIPWAY_TERRAFORM.`,
  );
}

/** Terraform and OpenTofu answer with the same member. */
function versionIn(text: string): string | undefined {
  return /"terraform_version":\s*"(\d+\.\d+\.\d+[^"]*)"/.exec(text)?.[1];
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}
