import { cancellationSignal } from '@temporalio/activity';
import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';
import { createEcsReader } from '../ecs/reader.ts';
import { judgeMetrics } from './metrics.ts';
import { checkServedVersions } from './served-version.ts';
import { checkServiceStatus } from './service-status.ts';
import type { VerificationActivities } from './types.ts';
import { watchWindow } from './watch-window.ts';

export interface VerificationDeps {
  readonly aws: AwsClients;
  /** Between two looks of a watch. Default 5,000. */
  readonly pollMilliseconds?: number;
  /** Tasks of a release that may die while it is watched (an essential container exited). Default 1. */
  readonly allowedDeaths?: number;
}

export function createVerificationActivities(options: VerificationDeps): VerificationActivities {
  const { pollMilliseconds = 5_000, allowedDeaths = 1 } = options;
  const reader = createEcsReader(options.aws, pollMilliseconds);
  const deps = { ...options, reader, pollMilliseconds, allowedDeaths };
  return withNamedAwsErrors<VerificationActivities>({
    checkServiceStatus: (input) => checkServiceStatus(deps, input),
    checkServedVersions: (input) => checkServedVersions(input, cancellationSignal()),
    judgeMetrics: (input) => judgeMetrics(deps, input),
    watchWindow: (input) => watchWindow(deps, input),
  });
}
