import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../../domain/policy.ts';
import { nameAwsError } from '../../aws-errors.ts';

/** Why terraform was not even asked. */
export type UnusableReason =
  | 'MissingParameter'
  | 'UndeclaredVariable'
  | 'OverriddenVariable'
  | 'VariableTooLarge'
  | 'NotADirectory'
  | 'TerraformMissing'
  | 'TerraformVersion';

/** A non-retryable `TerraformFailed` that Slipway found out by itself. `message` ends with what to do. */
export function unusable(target: Target, reason: UnusableReason, message: string): ApplicationFailure {
  return failure(target, reason, message);
}

/** What AWS refused, as a `TerraformFailed` with AWS's own name for it as the reason; what may pass stays as it is. */
export function refusedByAws(target: Target, what: string, error: unknown): unknown {
  const named = nameAwsError(error);
  if (!(named instanceof ApplicationFailure) || named.nonRetryable !== true) return named;
  return failure(target, named.type ?? 'AwsRefused', `${what}: ${named.message}`);
}

function failure({ environment }: Target, reason: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'TerraformFailed', { reason, environment });
}
