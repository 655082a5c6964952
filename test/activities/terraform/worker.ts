import { MockActivityEnvironment } from '@temporalio/testing';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { createTerraformActivities } from '../../../src/activities/terraform/activities.ts';

/** What a worker process in a test makes: the activities on directories that exist. */
export function aTerraform({ upstream, dataDirectory }: { upstream: string; dataDirectory: string }) {
  const environment = process.env;
  const source = createSourceRepository({ repository: upstream, dataDirectory, environment });
  return createTerraformActivities({
    source,
    dataDirectory,
    environment,
    assertHolder: () => Promise.resolve(),
  });
}

export function inActivity(activityId: string, attempt: number): MockActivityEnvironment {
  return new MockActivityEnvironment({ activityId, attempt });
}
