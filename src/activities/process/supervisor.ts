import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';

/** Who watches a process: takes signs of life, and says when to let go of it or to stop it. */
export interface Supervisor {
  heartbeat(line: string): void;
  /** Aborted when this attempt has to end. */
  readonly signal: AbortSignal;
  /** Once `signal` is aborted: whether the process must end too, or goes on without its watcher. */
  mustStop(): boolean;
  /** What to throw when the attempt ends without a result. */
  failure(): Error;
}

/** What a worker's shutdown does to a process that could outlive it. */
export type OnShutdown = 'leave running' | 'interrupt';

/**
 * The current activity as a supervisor. Only a cancellation that was asked for stops the process. A pause, a reset,
 * a timeout or the run's end leave it: the next attempt, or the undo, finds it.
 */
export function activitySupervisor(onShutdown: OnShutdown = 'leave running'): Supervisor {
  const context = Context.current();
  return {
    heartbeat: (line) => context.heartbeat(line),
    signal: context.cancellationSignal,
    mustStop() {
      const details = context.cancellationDetails;
      if (details?.cancelRequested) return true;
      return details?.workerShutdown === true && onShutdown === 'interrupt';
    },
    failure() {
      const reason: unknown = context.cancellationSignal.reason;
      return reason instanceof Error ? reason : new CancelledFailure('The activity was cancelled');
    },
  };
}

/** For what has to be done to its end, whatever becomes of the attempt: it gives signs of life, and nothing stops it. */
export function undisturbed(supervisor: Supervisor): Supervisor {
  return {
    heartbeat: (line) => supervisor.heartbeat(line),
    signal: new AbortController().signal,
    mustStop: () => false,
    failure: () => supervisor.failure(),
  };
}

/** For what goes on beside: its signs of life would drown those of the work. */
export function unnoticed(supervisor: Supervisor): Supervisor {
  return { ...undisturbed(supervisor), heartbeat: () => undefined };
}

/** Milliseconds. */
const BEAT_EVERY = 2_000;

/** Does `work` with signs of life; outside an activity it just does it. */
export async function beating<T>(line: string, work: () => Promise<T>): Promise<T> {
  const stop = startBeating(line);
  try {
    return await work();
  } finally {
    stop();
  }
}

/** Gives signs of life until the function that it returns is called; outside an activity it does nothing. */
export function startBeating(line: string): () => void {
  const context = currentContext();
  if (!context) return () => undefined;
  context.heartbeat(line);
  const timer = setInterval(() => context.heartbeat(line), BEAT_EVERY);
  return () => clearInterval(timer);
}

function currentContext(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}
