import { cancellationSignal } from '@temporalio/activity';
import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';
import { createEcsReader, type EcsReader } from '../ecs/reader.ts';
import { judgeMetrics } from './metrics.ts';
import { checkServedVersions } from './served-version.ts';
import { checkServiceStatus } from './service-status.ts';
import type { VerificationActivities } from './types.ts';
import { watchWindow } from './watch-window.ts';

export interface VerificationDeps {
  readonly aws: AwsClients;
  /** Between two looks of a watch. Default 5,000. */
  readonly pollMilliseconds?: number;
  /** Shared by all activities of a worker, whose polls it coalesces. By default one of these activities' own. */
  readonly reader?: EcsReader;
}

export function createVerificationActivities(options: VerificationDeps): VerificationActivities {
  const { pollMilliseconds = 5_000 } = options;
  const { reader = createEcsReader(options.aws, pollMilliseconds) } = options;
  const deps = { ...options, reader, pollMilliseconds };
  return withNamedAwsErrors<VerificationActivities>({
    checkServiceStatus: (input) => checkServiceStatus(deps, input),
    checkServedVersions: (input) => checkServedVersions(input, cancellationSignal()),
    judgeMetrics: (input) => judgeMetrics(deps, input),
    watchWindow: (input) => watchWindow(deps, input),
  });
}
