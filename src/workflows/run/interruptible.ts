import { CancellationScope, condition } from '@temporalio/workflow';
import { isCancellation } from '../failures.ts';

/** Runs `work` to its end; it is cancelled as soon as `stopped` holds, and ends as a cancelled one does. */
export async function cancelledWhen<T>(stopped: () => boolean, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const running = scope.run(work);
  const watch = new CancellationScope();
  const watching = watch.run(async () => {
    await condition(stopped);
    scope.cancel();
  });
  // A cancellation from outside ends the watch as well: that is no failure of its own.
  const watched = watching.catch(() => undefined);
  try {
    return await running;
  } finally {
    watch.cancel();
    await watched;
  }
}

/** As `cancelledWhen`, but a stop is no failure. @returns `undefined` when `work` was cut short */
export async function unless<T>(stopped: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await cancelledWhen(stopped, work);
  } catch (error) {
    if (isCancellation(error) && stopped() && !CancellationScope.current().consideredCancelled)
      return undefined;
    throw error;
  }
}
