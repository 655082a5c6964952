import { Context } from '@temporalio/activity';

/**
 * Waits for `call`, but no longer than the activity lives.
 * @throws CancelledFailure at once when the activity is cancelled
 */
export function unlessCancelled<T>(call: Promise<T>): Promise<T> {
  return Promise.race([call, Context.current().cancelled]);
}

/** Tells the server that the activity lives, and waits. @throws CancelledFailure at once when it is cancelled */
export async function pause(milliseconds: number): Promise<void> {
  const context = Context.current();
  context.heartbeat();
  await context.sleep(milliseconds);
}
