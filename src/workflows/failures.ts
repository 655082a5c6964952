import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { describeProblems, type Parsed } from '../domain/input.ts';
import { FAILED_OUTCOMES, type FailedOutcome } from '../domain/outcome.ts';
import type { Check } from '../domain/verdict.ts';

/** Ends a run before or after its changes with a named outcome; thrown by steps, turned into the run's failure once. */
export class Ended extends Error {
  readonly outcome: FailedOutcome;

  constructor(outcome: FailedOutcome, reason: string) {
    super(reason);
    this.name = 'Ended';
    this.outcome = outcome;
  }
}

/** @throws Ended with `outcome` and all checks that did not pass, not the first */
export function demandPassed(checks: readonly Check[], outcome: FailedOutcome): void {
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0)
    throw new Ended(outcome, failed.map(({ name, detail }) => `${name}: ${detail}`).join('; '));
}

/** @throws non-retryable `InvalidInput` that names every field that is wrong */
export function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.kind === 'ok') return parsed.value;
  throw ApplicationFailure.nonRetryable(
    `The input is not valid: ${describeProblems(parsed.problems)}`,
    'InvalidInput',
    parsed.problems,
  );
}

/**
 * Does what comes before a run can end by itself: reads its policy, looks for its images. Nothing has been changed then.
 * @throws ApplicationFailure of an outcome's type, with the sentence of the error's cause
 */
export async function beforehand<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApplicationFailure && isOutcome(error.type)) throw error;
    if (isCancellation(error)) throw nothingChanged('Aborted', 'The run was cancelled.');
    const outcome = failureType(error) === 'InvalidInput' ? 'InvalidInput' : 'PreflightFailed';
    throw nothingChanged(outcome, explain(error));
  }
}

function nothingChanged(outcome: FailedOutcome, reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${reason} Nothing was changed.`, outcome, { outcome, reason });
}

export function isOutcome(type: string | null | undefined): type is FailedOutcome {
  return (FAILED_OUTCOMES as readonly unknown[]).includes(type);
}

/** The sentence for people in an error, however deep Temporal has wrapped it. */
export function explain(error: unknown): string {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    return error.cause === undefined ? error.message : explain(error.cause);
  }
  if (error instanceof TimeoutFailure) {
    const last = error.cause === undefined ? '' : `; the last attempt: ${explain(error.cause)}`;
    return `${error.message}${last}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The type of the ApplicationFailure in an error, if there is one. A timeout's cause is the attempt's before: it has none. */
export function failureType(error: unknown): string | undefined {
  if (error instanceof ApplicationFailure) return error.type ?? undefined;
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure
    ? failureType(error.cause)
    : undefined;
}

/** The first of the details of the ApplicationFailure or cancellation in an error, when it is an object. */
export function failureDetails(error: unknown): Readonly<Record<string, unknown>> | undefined {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) {
    const first: unknown = error.details?.[0];
    return typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : undefined;
  }
  return error instanceof ActivityFailure ? failureDetails(error.cause) : undefined;
}

export { isCancellation };
