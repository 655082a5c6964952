import { isNativeError } from 'node:util/types';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';

/** What the AWS SDK's errors have in common, as far as it is needed to name them. */
interface AwsErrorShape extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $retryable?: { readonly throttling?: boolean };
  readonly code?: string;
}

const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit/;
/** ECS tells of some limits on how often it is called by a ClientException, which is otherwise for good. */
const THROTTLED_IN_WORDS = /^(Rate exceeded|Too many concurrent attempts)/;
/** Refused now, but not for good: something else is at work on the same thing, or a limit frees itself. */
const PASSING = /Conflict|InProgress|LimitExceeded|TooManyUpdates|ResourceInUse|ExpiredToken|RequestExpired/;
/** `CredentialsProviderError` passes too: an instance's or a container's credentials come and go. */
const NO_ANSWER =
  /^(TimeoutError|AbortError|CredentialsProviderError|NetworkingError|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET)/;
const ACCESS = /AccessDenied|Unauthorized|NotAuthorized|AuthorizationError/;
const CREDENTIALS =
  /UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|InvalidAccessKey|IncompleteSignature/;

/**
 * The same activities, with what the AWS SDK throws turned into failures that Temporal can act on: throttling, AWS's own
 * failures and lost connections may be repeated; what AWS refuses is non-retryable and named after AWS's error.
 */
export function withNamedAwsErrors<T extends object>(activities: T): T {
  const named = Object.entries(activities).map(([name, run]) => [
    name,
    typeof run === 'function' ? naming(run) : run,
  ]);
  return { ...activities, ...Object.fromEntries(named) };
}

function naming(run: (...input: unknown[]) => unknown): (...input: unknown[]) => Promise<unknown> {
  return async (...input) => {
    try {
      return await run(...input);
    } catch (error) {
      throw nameAwsError(error);
    }
  };
}

/** @returns the failure to throw instead of `error`; anything that isn't AWS's comes back as it is */
export function nameAwsError(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CancelledFailure || !isNativeError(error))
    return error;
  const aws: AwsErrorShape = error;
  const { name, message } = aws;
  if (NO_ANSWER.test(aws.code ?? name) || hadNoAnswer(aws))
    return retryable('AwsUnreachable', `AWS gave no answer: ${name}: ${message}`, aws);
  if (!aws.$metadata && !aws.$fault) return error;
  if (THROTTLED.test(name) || THROTTLED_IN_WORDS.test(message) || aws.$retryable?.throttling)
    return retryable('AwsThrottled', `${name}: ${message}`, aws);
  if (aws.$fault === 'server' || (aws.$metadata?.httpStatusCode ?? 0) >= 500)
    return retryable('AwsFailed', `${name}: ${message}`, aws);
  if (ACCESS.test(name))
    return permanent(
      'AccessDenied',
      `${message} Allow that action for the role that Slipway uses, and start again.`,
      aws,
    );
  if (CREDENTIALS.test(name))
    return permanent(
      'AwsCredentialsInvalid',
      `${message} Give the worker valid AWS credentials; \`aws sts get-caller-identity\` shows them.`,
      aws,
    );
  const type = name.replace(/(Exception|Error)$/, '') || 'AwsRefused';
  if (PASSING.test(name)) return retryable(type, `${name}: ${message}`, aws);
  return permanent(type, `AWS refused: ${name}: ${message}`, aws);
}

/** The SDK has tried, and no attempt brought a status. */
function hadNoAnswer({ $metadata, $fault }: AwsErrorShape): boolean {
  return $metadata !== undefined && $metadata.httpStatusCode === undefined && $fault === undefined;
}

function retryable(type: string, message: string, cause: AwsErrorShape): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: false, details: details(cause), cause });
}

function permanent(type: string, message: string, cause: AwsErrorShape): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: details(cause), cause });
}

function details({
  name,
  $metadata,
}: AwsErrorShape): [{ error: string; status?: number; requestId?: string }] {
  const { httpStatusCode: status, requestId } = $metadata ?? {};
  return [{ error: name, ...(status !== undefined && { status }), ...(requestId && { requestId }) }];
}
