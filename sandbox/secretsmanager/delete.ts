import type { DeleteSecretRequest, RestoreSecretRequest } from '@aws-sdk/client-secrets-manager';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { anySecretOf, secretOf } from './secrets.ts';
import type { SecretTable } from './secrets.ts';

const DEFAULT_DAYS = 30;
const LEAST_DAYS = 7;
const DAY_MS = 24 * 3600 * 1000;

/** DeleteSecret: after the recovery window, or at once by force (then also a secret that isn't there is a success). */
export function deleteSecret(
  table: SecretTable,
  now: () => number,
): Operation<Given<DeleteSecretRequest, 'SecretId'>> {
  return ({ SecretId, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force = false }, request) => {
    checkWindow(days, force);
    const asked = new Date(now()).toISOString();
    if (force) {
      const secret = table.find(request, SecretId);
      if (secret) table.remove(secret);
      return { ARN: secret?.arn ?? SecretId, Name: secret?.name ?? SecretId, DeletionDate: asked };
    }
    const secret = secretOf(table, request, SecretId);
    const due = new Date(now() + (days ?? DEFAULT_DAYS) * DAY_MS).toISOString();
    table.save({ ...secret, deletion: { asked, due } });
    return { ARN: secret.arn, Name: secret.name, DeletionDate: due };
  };
}

function checkWindow(days: number | undefined, force: boolean): void {
  if (force && days !== undefined) {
    throw new AwsError(
      'InvalidParameterException',
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
  }
  if (days !== undefined && (days < LEAST_DAYS || days > DEFAULT_DAYS)) {
    throw new AwsError(
      'InvalidParameterException',
      `RecoveryWindowInDays value must be between ${LEAST_DAYS} and ${DEFAULT_DAYS} days (inclusive).`,
    );
  }
}

export function restoreSecret(table: SecretTable): Operation<Given<RestoreSecretRequest, 'SecretId'>> {
  return ({ SecretId }, request) => {
    const secret = anySecretOf(table, request, SecretId);
    table.save({ ...secret, deletion: undefined });
    return { ARN: secret.arn, Name: secret.name };
  };
}
