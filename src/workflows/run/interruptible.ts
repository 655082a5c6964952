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
  // Remembered: what stopped it may be taken back before it has ended.
  let cut = false;
  try {
    return await cancelledWhen(() => (cut ||= stopped()), work);
  } catch (error) {
    if (isCancellation(error) && cut && !CancellationScope.current().consideredCancelled) return undefined;
    throw error;
  }
}

/**
 * Runs `work` to its end while `guard`, which never ends by itself, looks after what it depends on.
 * @throws what `guard` throws, once `work` has been cancelled
 */
export async function guardedBy<T>(guard: () => Promise<never>, work: () => Promise<T>): Promise<T> {
  let alarm: { readonly error: unknown } | undefined;
  const scope = new CancellationScope();
  const guarding = scope.run(guard).catch((error: unknown) => {
    if (!isCancellation(error)) alarm = { error };
  });
  try {
    return await cancelledWhen(() => alarm !== undefined, work);
  } catch (error) {
    throw alarm === undefined ? error : alarm.error;
  } finally {
    scope.cancel();
    await guarding;
  }
}
