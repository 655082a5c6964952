import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Target } from '../../domain/policy.ts';

/**
 * Credentials of the target's role as terraform reads them, so that it acts as whom Slipway's own calls act as.
 * @returns nothing for a target without a role: the worker's own credentials count
 */
export async function roleCredentials({ role, region }: Target): Promise<Record<string, string>> {
  if (role === undefined) return {};
  const assume = fromTemporaryCredentials({
    params: { RoleArn: role, RoleSessionName: 'slipway-terraform', DurationSeconds: 3600 },
    clientConfig: { region },
  });
  const { accessKeyId, secretAccessKey, sessionToken } = await assume();
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken ?? '',
  };
}
