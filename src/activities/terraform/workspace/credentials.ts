import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Target } from '../../../domain/policy.ts';
import { refusedByAws } from '../command/unusable.ts';

/** Seconds: the most that AWS allows a role that was assumed by another role, as a worker's mostly is. */
const LASTS = 3600;

/**
 * Credentials of the target's role as terraform reads them, so that it acts as whom Slipway's own calls act as. They are
 * made for each command line anew and last an hour: an apply that takes longer fails with `ExpiredToken` half-way, with
 * its state saved where the backend needs none of them. For such applies leave the role out of slipway.yaml and have
 * the configuration's provider and backend assume it (`assume_role`), which then renew it themselves.
 * @returns nothing for a target without a role: the worker's own credentials count
 * @throws non-retryable `TerraformFailed` with AWS's reason (`AccessDenied`) when the role may not be assumed
 */
export async function roleCredentials(target: Target): Promise<Record<string, string>> {
  const { role, region } = target;
  if (role === undefined) return {};
  const assume = fromTemporaryCredentials({
    params: { RoleArn: role, RoleSessionName: 'slipway-terraform', DurationSeconds: LASTS },
    clientConfig: { region },
  });
  const { accessKeyId, secretAccessKey, sessionToken } = await assume().catch((error: unknown) => {
    throw refusedByAws(target, `The role ${role} of ${target.environment} can't be assumed`, error);
  });
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken ?? '',
  };
}
