import {
  BatchDeleteImageCommand,
  ImageAlreadyExistsException,
  ImageTagAlreadyExistsException,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { ApplicationFailure } from '@temporalio/common';
import type { Digest } from '../../domain/release.ts';
import { findTagged, readManifest } from './images.ts';
import type { Repository } from './images.ts';

/** Asserts the lock right before a write. */
export type BeforeWrite = () => Promise<void>;

/**
 * Puts `tag` on the image `digest`.
 * @returns whether it was not there before
 * @throws non-retryable `TagConflict` when the tag is on another image: a tag is never moved; `ImageGone`
 */
export async function putTag(
  repository: Repository,
  digest: Digest,
  tag: string,
  beforeWrite: BeforeWrite,
): Promise<boolean> {
  // A repository whose tags are mutable would move the tag without a word, so look first.
  const tagged = await findTagged(repository, tag);
  if ('digest' in tagged) {
    if (tagged.digest === digest) return false;
    throw tagConflict(repository.name, tag, digest, tagged.digest);
  }
  const manifest = await readManifest(repository, digest);
  if (manifest === undefined) throw imageGone(repository.name, digest);
  await beforeWrite();
  try {
    await repository.ecr.send(
      new PutImageCommand({
        registryId: repository.account,
        repositoryName: repository.name,
        imageManifest: manifest.text,
        imageManifestMediaType: manifest.mediaType,
        imageDigest: digest,
        imageTag: tag,
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ImageAlreadyExistsException) return false;
    if (error instanceof ImageTagAlreadyExistsException) throw tagConflict(repository.name, tag, digest);
    throw error;
  }
}

/**
 * Takes `tag` off the image `digest`, if it is there and is not the image's last: ECR deletes an image with its last tag.
 * @returns whether it was taken off
 */
export async function takeTagOff(
  repository: Repository,
  digest: Digest,
  tag: string,
  beforeWrite: BeforeWrite,
): Promise<boolean> {
  const tagged = await findTagged(repository, tag);
  if ('missing' in tagged || tagged.digest !== digest || tagged.tags.length < 2) return false;
  await beforeWrite();
  const { imageIds, failures } = await repository.ecr.send(
    new BatchDeleteImageCommand({
      registryId: repository.account,
      repositoryName: repository.name,
      imageIds: [{ imageTag: tag }],
    }),
  );
  const failure = failures?.find(({ failureCode }) => failureCode !== 'ImageNotFound');
  if (failure) {
    throw ApplicationFailure.retryable(
      `The tag ${tag} could not be taken off in ${repository.name}: ${failure.failureCode}: ${failure.failureReason}`,
      'TagNotRemoved',
      { repository: repository.name, tag, digest },
    );
  }
  return (imageIds ?? []).length > 0;
}

function tagConflict(repository: string, tag: string, digest: Digest, taken?: Digest): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `In ${repository} the tag ${tag} is on ${taken ?? 'another image'}, not on the release's ${digest}. Tags are never moved: delete that tag if it is wrong, or release a new version.`,
    'TagConflict',
    { repository, tag, digest, ...(taken !== undefined && { taken }) },
  );
}

function imageGone(repository: string, digest: Digest): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${repository} no longer has the image ${digest}; a lifecycle policy may have removed it. Build and push the release again.`,
    'ImageGone',
    { repository, digest },
  );
}
