import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../domain/policy.ts';

type Place = Pick<Target, 'platform' | 'environment'>;

/** Where an environment's releases have their own parameters; ends with `/`. */
function releasesPrefix({ platform, environment }: Place): string {
  return `/${platform}/${environment}/releases/`;
}

export function settingName(place: Place, version: string, key: string): string {
  return `${releasesPrefix(place)}${version}/${key}`;
}

export function statusName({ platform, environment }: Place): string {
  return `/${platform}/${environment}/status`;
}

/** @throws non-retryable `NotASetting` when one of `names` is no parameter of a release here: nothing else is ever deleted */
export function assertSettings(place: Place, names: readonly string[]): void {
  const foreign = names.filter((name) => !name.startsWith(releasesPrefix(place)));
  if (foreign.length === 0) return;
  throw ApplicationFailure.nonRetryable(
    `Not deleted: ${foreign.join(', ')}. Only parameters under ${releasesPrefix(place)} belong to releases.`,
    'NotASetting',
    { names: foreign },
  );
}
