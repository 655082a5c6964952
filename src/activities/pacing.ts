import { Context } from '@temporalio/activity';

/** The longest that a waiting activity is silent, in milliseconds: well within any heartbeat timeout. */
const SILENCE = 5_000;

/**
 * Waits for `call`, but no longer than the activity lives, and tells the server that it does.
 * @throws CancelledFailure at once when the activity is cancelled
 */
export async function unlessCancelled<T>(call: Promise<T>): Promise<T> {
  const context = Context.current();
  const telling = setInterval(() => context.heartbeat(), SILENCE);
  try {
    return await Promise.race([call, context.cancelled]);
  } finally {
    clearInterval(telling);
  }
}

/** Tells the server that the activity lives, and waits. @throws CancelledFailure at once when it is cancelled */
export async function pause(milliseconds: number): Promise<void> {
  const context = Context.current();
  let left = milliseconds;
  do {
    context.heartbeat();
    const nap = Math.min(left, SILENCE);
    await context.sleep(nap);
    left -= nap;
  } while (left > 0);
}
