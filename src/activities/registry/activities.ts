import { ApplicationFailure } from '@temporalio/common';
import type { Manifest } from '../../domain/release.ts';
import type { AwsClients } from '../aws.ts';
import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AssertHolder } from '../lock.ts';
import { findTagged } from './images.ts';
import type { Repository } from './images.ts';
import { findManifest } from './manifest.ts';
import { putTag, takeTagOff } from './promotion.ts';
import { checkScan } from './scans.ts';
import type { RegistryActivities, RegistryInput } from './types.ts';

export interface RegistryActivityDependencies {
  readonly aws: Pick<AwsClients, 'clientsFor'>;
  readonly assertHolder: AssertHolder;
}

/** Images by ECR's API. What AWS refuses is a non-retryable failure named after AWS's error. */
export function createRegistryActivities({
  aws,
  assertHolder,
}: RegistryActivityDependencies): RegistryActivities {
  const repositories = ({
    registry,
    services,
  }: RegistryInput): { service: string; repository: Repository }[] => {
    const { ecr } = aws.clientsFor({ region: registry.region });
    return services.map(({ name, repository }) => ({
      service: name,
      repository: { ecr, account: registry.account, name: repository },
    }));
  };
  return withNamedAwsErrors<RegistryActivities>({
    findManifest: async (input) => findManifest(repositories(input), input.release),

    async checkScans(input) {
      const { scanGate } = input.registry;
      if (scanGate === undefined) return [];
      const images = imagesOf(repositories(input), input.manifest);
      return Promise.all(
        images.map(({ service, repository, digest }) => checkScan(service, repository, digest, scanGate)),
      );
    },

    async existingPromotions(input) {
      const images = imagesOf(repositories(input), input.manifest);
      const looks = await Promise.all(
        images.map(async ({ service, repository, digest }) => {
          const tagged = await findTagged(repository, input.tag);
          return 'digest' in tagged && tagged.digest === digest ? [service] : [];
        }),
      );
      return looks.flat();
    },

    async promoteImages(input) {
      const tagged: string[] = [];
      for (const { service, repository, digest } of imagesOf(repositories(input), input.manifest)) {
        const added = await putTag(repository, digest, input.tag, () => assertHolder(input.lock));
        if (added) tagged.push(service);
      }
      return tagged;
    },

    async withdrawPromotion(input) {
      const untagged: string[] = [];
      for (const { service, repository, digest } of imagesOf(repositories(input), input.manifest)) {
        const removed = await takeTagOff(repository, digest, input.tag, () => assertHolder(input.lock));
        if (removed) untagged.push(service);
      }
      return untagged;
    },
  });
}

/** @throws non-retryable `ManifestIncomplete` for a service that the release was not built with */
function imagesOf(
  services: readonly { readonly service: string; readonly repository: Repository }[],
  { version, images }: Manifest,
): { service: string; repository: Repository; digest: string }[] {
  return services.map(({ service, repository }) => {
    const digest = images[service];
    if (digest !== undefined) return { service, repository, digest };
    throw ApplicationFailure.nonRetryable(
      `The release ${version} has no image of the service ${service}: it was built before the service was there. Build a new release.`,
      'ManifestIncomplete',
      { service, version },
    );
  });
}
