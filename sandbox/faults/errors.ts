import { AwsError } from '../protocol/service.ts';

/**
 * The services that grew up with the Query protocol say `Throttling`, the others `ThrottlingException`; the status is
 * 400 for all. (Elastic Load Balancing's guide has `ThrottlingException`, its API answers `Throttling`: boto3 issue 3125.)
 */
const SAY_THROTTLING = new Set(['elbv2', 'cloudwatch', 'sts']);

/** The error that the service gives to a caller who asks too often. @param service its model's name */
export function throttled(service: string): AwsError {
  const code = SAY_THROTTLING.has(service) ? 'Throttling' : 'ThrottlingException';
  return new AwsError(code, 'Rate exceeded', { status: 400 });
}

/** The codes that AWS's services share, for statuses that need no code of their own. */
export const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  500: 'InternalFailure',
  503: 'ServiceUnavailable',
};
