import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

/** A failure's first detail then: no attempt has begun an apply, so there is nothing to undo. */
const NOT_STARTED = { started: false };

/** The same failure, with `started: false` in its first detail. */
export function notStarted(error: unknown): Error {
  if (error instanceof CancelledFailure) return cancelled(error);
  if (error instanceof ApplicationFailure) return marked(error);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const cause = error instanceof Error ? { cause: error } : {};
  return ApplicationFailure.create({ type: name, message, details: [NOT_STARTED], ...cause });
}

function cancelled({ message, details, cause }: CancelledFailure): CancelledFailure {
  return new CancelledFailure(message, withMark(details), cause);
}

function marked({
  message,
  type,
  nonRetryable,
  details,
  nextRetryDelay,
  category,
  cause,
}: ApplicationFailure) {
  return ApplicationFailure.create({
    message,
    details: withMark(details ?? []),
    ...(typeof type === 'string' && { type }),
    ...(typeof nonRetryable === 'boolean' && { nonRetryable }),
    ...(nextRetryDelay != null && { nextRetryDelay }),
    ...(category != null && { category }),
    ...(cause && { cause }),
  });
}

/** Details that begin with something else than an object keep it, behind the mark. */
function withMark([first, ...rest]: readonly unknown[]): unknown[] {
  if (first === undefined) return [NOT_STARTED, ...rest];
  if (typeof first !== 'object' || first === null || Array.isArray(first))
    return [NOT_STARTED, first, ...rest];
  return [{ ...first, ...NOT_STARTED }, ...rest];
}
