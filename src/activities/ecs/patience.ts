import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { nameAwsError } from '../aws-errors.ts';
import { unlessCancelled } from '../pacing.ts';

/** Looks that may fail in a row: with AWS's own retries a minute or two. */
const PATIENCE = 10;

/**
 * Looks, for as long as the activity lives. What is followed for hours must not fail, nor use up its attempts, because AWS
 * throttles a look or doesn't answer it now and then: such a look is taken again.
 * @param look paced by itself, such as by a poll
 * @throws what AWS refused for good, or the last of too many failures in a row; CancelledFailure
 */
export async function lookPatiently<T>(look: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await unlessCancelled(look());
    } catch (error) {
      const failure = nameAwsError(error);
      const passes = failure instanceof ApplicationFailure && failure.nonRetryable !== true;
      if (!passes || failures >= PATIENCE) throw failure;
      log.warn('A look at ECS failed and is taken again', { failure: failure.message, failures });
    }
  }
}
