import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';
import { createEcsReader, type EcsReader } from '../ecs/reader.ts';
import type { AssertHolder } from '../lock.ts';
import { awaitPause } from './await-pause.ts';
import { continueRollout } from './continue-rollout.ts';
import type { CanaryActivities } from './types.ts';
import { watchCanary } from './watch-canary.ts';

export interface CanaryDeps {
  readonly aws: AwsClients;
  readonly assertHolder: AssertHolder;
  /** Between two looks at ECS. Default 5,000. */
  readonly pollMilliseconds?: number;
  /** Shared by all activities of a worker, whose polls it coalesces. By default one of these activities' own. */
  readonly reader?: EcsReader;
}

export function createCanaryActivities(options: CanaryDeps): CanaryActivities {
  const { pollMilliseconds = 5_000 } = options;
  const { reader = createEcsReader(options.aws, pollMilliseconds) } = options;
  const deps = { ...options, reader, pollMilliseconds };
  return withNamedAwsErrors<CanaryActivities>({
    awaitPause: (input) => awaitPause(deps, input),
    continueRollout: (input) => continueRollout(deps, input),
    watchCanary: (input) => watchCanary(deps, input),
  });
}
