import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';
import type { AssertHolder } from '../lock.ts';
import type { SourceReader } from '../source/reader.ts';
import { checkIdentity } from './check-identity.ts';
import { checkTaskDefinitions } from './check-task-definitions.ts';
import { followRollout } from './follow-rollout.ts';
import { planServices, readStates } from './plan-services.ts';
import { createEcsReader, type EcsReader } from './reader.ts';
import { registerTaskDefinition } from './register.ts';
import { restoreService } from './restore-service.ts';
import { runMigration } from './run-migration.ts';
import { startRollout } from './start-rollout.ts';
import type { EcsActivities } from './types.ts';

export interface EcsDeps {
  readonly aws: AwsClients;
  readonly source: Pick<SourceReader, 'readFile'>;
  readonly assertHolder: AssertHolder;
  /** Between two looks at ECS. Default 3,000. */
  readonly pollMilliseconds?: number;
  /** Shared by all activities of a worker, whose polls it coalesces. By default one of these activities' own. */
  readonly reader?: EcsReader;
}

export function createEcsActivities(options: EcsDeps): EcsActivities {
  const { pollMilliseconds = 3_000 } = options;
  const { reader = createEcsReader(options.aws, pollMilliseconds) } = options;
  const deps = { ...options, reader, pollMilliseconds };
  return withNamedAwsErrors<EcsActivities>({
    checkIdentity: ({ target }) => checkIdentity(deps.aws, target),
    describeServices: ({ target, services }) => readStates(reader, target, services),
    checkTaskDefinitions: ({ target, taskDefinitions }) =>
      checkTaskDefinitions(deps.aws, target, taskDefinitions),
    planServices: (input) => planServices(deps, input),
    registerTaskDefinition: (input) => registerTaskDefinition(deps, input),
    runMigration: (input) => runMigration(deps, input),
    startRollout: (input) => startRollout(deps, input),
    followRollout: (input) => followRollout(deps, input),
    restoreService: (input) => restoreService(deps, input),
  });
}
