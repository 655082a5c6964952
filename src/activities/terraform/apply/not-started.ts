import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { UnfinishedApply } from '../types.ts';

/** What a failure's first detail says of the apply. */
type Mark = { readonly started: false } | { readonly unfinished: UnfinishedApply };

/** The same failure, with `started: false` in its first detail: no attempt has begun an apply, so there is nothing to undo. */
export function notStarted(error: unknown): Error {
  return marked(error, { started: false });
}

/** The same failure, with the apply in its first detail of whose end nobody knows; an `ApplyInterrupted` says it all itself. */
export function leftUnfinished(error: unknown, unfinished: UnfinishedApply): unknown {
  const isAsked = error instanceof ApplicationFailure && error.type === 'ApplyInterrupted';
  return isAsked ? error : marked(error, { unfinished });
}

function marked(error: unknown, mark: Mark): Error {
  if (error instanceof CancelledFailure) return cancelled(error, mark);
  if (error instanceof ApplicationFailure) return failed(error, mark);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const cause = error instanceof Error ? { cause: error } : {};
  return ApplicationFailure.create({ type: name, message, details: [mark], ...cause });
}

function cancelled({ message, details, cause }: CancelledFailure, mark: Mark): CancelledFailure {
  return new CancelledFailure(message, withMark(details, mark), cause);
}

function failed(
  { message, type, nonRetryable, details, nextRetryDelay, category, cause }: ApplicationFailure,
  mark: Mark,
) {
  return ApplicationFailure.create({
    message,
    details: withMark(details ?? [], mark),
    ...(typeof type === 'string' && { type }),
    ...(typeof nonRetryable === 'boolean' && { nonRetryable }),
    ...(nextRetryDelay != null && { nextRetryDelay }),
    ...(category != null && { category }),
    ...(cause && { cause }),
  });
}

/** Details that begin with something else than an object keep it, behind the mark. */
function withMark([first, ...rest]: readonly unknown[], mark: Mark): unknown[] {
  if (first === undefined) return [mark, ...rest];
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return [mark, first, ...rest];
  return [{ ...first, ...mark }, ...rest];
}
