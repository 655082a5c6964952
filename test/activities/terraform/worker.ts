import { writeFile } from 'node:fs/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { createTerraformActivities } from '../../../src/activities/terraform/activities.ts';

interface Options {
  readonly upstream: string;
  readonly dataDirectory: string;
  /** Written when an apply asks for the lock, whose answer then never comes. */
  readonly hangsAt?: string;
}

/** What a worker process in a test makes: the activities on directories that exist. */
export function aTerraform({ upstream, dataDirectory, hangsAt }: Options) {
  const assertHolder = async () => {
    if (hangsAt === undefined) return;
    await writeFile(hangsAt, '');
    await new Promise(() => setInterval(() => undefined, 1000));
  };
  const environment = process.env;
  const source = createSourceRepository({ repository: upstream, dataDirectory, environment });
  return createTerraformActivities({
    source,
    dataDirectory,
    environment,
    assertHolder,
  });
}

export function inActivity(activityId: string, attempt: number): MockActivityEnvironment {
  return new MockActivityEnvironment({ activityId, attempt });
}
