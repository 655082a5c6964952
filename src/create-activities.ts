import type { Client } from '@temporalio/client';
import type { Config } from './config.ts';
import type { Platform } from './platform/load.ts';
import { loadPlatform } from './platform/load.ts';
import { environmentPolicy } from './platform/policy.ts';
import type { Activities } from './workflows/activities.ts';
import { createAwsClients } from './activities/aws.ts';
import { createCanaryActivities } from './activities/canary/activities.ts';
import { createEcsActivities } from './activities/ecs/activities.ts';
import { createEcsReader } from './activities/ecs/reader.ts';
import { createEnvironmentActivities } from './activities/environment/activities.ts';
import { createAssertHolder } from './activities/environment/assert-holder.ts';
import { createNotifyActivities } from './activities/notify/activities.ts';
import { createPlatformActivities } from './activities/platform/activities.ts';
import { createRegistryActivities } from './activities/registry/activities.ts';
import { createSettingsActivities } from './activities/settings/activities.ts';
import { createSourceActivities } from './activities/source/activities.ts';
import { createSourceRepository } from './activities/source/repository.ts';
import { createTerraformActivities } from './activities/terraform/activities.ts';
import type { TerraformDependencies } from './activities/terraform/dependencies.ts';
import { createTestActivities } from './activities/tests/activities.ts';
import { createVerificationActivities } from './activities/verification/activities.ts';

interface Worker {
  readonly config: Config;
  readonly platform: Platform;
  readonly client: Client;
}

/** Every activity of a worker that serves `platform`, over the outside systems that its configuration names. */
export function createActivities({ config, platform, client }: Worker): Activities {
  const { dataDirectory, platformFile, taskQueue } = config;
  const environment = process.env;
  const aws = createAwsClients();
  const assertHolder = createAssertHolder({ client });
  const source = createSourceRepository({
    repository: platform.source.repository,
    dataDirectory,
    environment,
  });
  const pollMilliseconds = config.pollSeconds * 1000;
  const reader = createEcsReader(aws, pollMilliseconds);
  const targetOf = (name: string) => environmentPolicy(loadPlatform(platformFile), name).target;
  return {
    ...createPlatformActivities({ platformFile }),
    ...createSourceActivities({ source }),
    ...createRegistryActivities({ aws, assertHolder }),
    ...createSettingsActivities({ aws, source, assertHolder }),
    ...createTerraformActivities({
      aws,
      source,
      environment,
      assertHolder,
      ...terraformSettings(config),
    }),
    ...createEcsActivities({ aws, source, assertHolder, pollMilliseconds, reader }),
    ...createCanaryActivities({ aws, assertHolder, pollMilliseconds, reader }),
    ...createVerificationActivities({ aws, pollMilliseconds, reader }),
    ...createTestActivities({ source, dataDirectory, environment }),
    ...createEnvironmentActivities({ client, aws, taskQueue, targetOf }),
    ...createNotifyActivities({
      environment,
      ...(platform.notifications?.webhook && { webhook: platform.notifications.webhook }),
    }),
  };
}

type TerraformSettings = Omit<TerraformDependencies, 'aws' | 'source' | 'environment' | 'assertHolder'>;

/** What an operator sets of Terraform, as its activities take it. */
export function terraformSettings(config: Config): TerraformSettings {
  return {
    dataDirectory: config.dataDirectory,
    binary: config.terraform,
    concurrency: config.terraformConcurrency,
    grace: config.terraformGraceSeconds * 1000,
    lockWait: config.terraformLockWaitSeconds * 1000,
    ...(config.evidenceKey !== undefined && { key: config.evidenceKey }),
    onShutdown: config.onShutdown === 'interrupt' ? 'interrupt' : 'leave running',
  };
}
