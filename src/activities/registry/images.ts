import {
  BatchGetImageCommand,
  DescribeImagesCommand,
  ImageNotFoundException,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { Digest } from '../../domain/release.ts';

/** One repository of one registry. */
export interface Repository {
  readonly ecr: ECRClient;
  /** AWS account of the registry. */
  readonly account: string;
  readonly name: string;
}

export interface TaggedImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
}

/** @returns the image that `tag` names, or why there is none, for people */
export async function findTagged(
  { ecr, account, name }: Repository,
  tag: string,
): Promise<TaggedImage | { readonly missing: string }> {
  const request = new DescribeImagesCommand({
    registryId: account,
    repositoryName: name,
    imageIds: [{ imageTag: tag }],
  });
  try {
    const [image] = (await ecr.send(request)).imageDetails ?? [];
    if (image?.imageDigest === undefined) return { missing: `${name} has no image tagged ${tag}` };
    return { digest: image.imageDigest, tags: image.imageTags ?? [] };
  } catch (error) {
    if (error instanceof ImageNotFoundException) return { missing: `${name} has no image tagged ${tag}` };
    if (error instanceof RepositoryNotFoundException)
      return { missing: `the registry ${account} has no repository ${name}` };
    throw error;
  }
}

export interface StoredManifest {
  readonly text: string;
  readonly mediaType: string | undefined;
}

/** Docker's and OCI's, single images and indexes: without the list ECR may answer with another form, of another digest. */
const MEDIA_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** @returns the manifest as it was pushed, or `undefined` when the repository does not have it */
export async function readManifest(
  { ecr, account, name }: Repository,
  digest: Digest,
): Promise<StoredManifest | undefined> {
  const { images } = await ecr.send(
    new BatchGetImageCommand({
      registryId: account,
      repositoryName: name,
      imageIds: [{ imageDigest: digest }],
      acceptedMediaTypes: MEDIA_TYPES,
    }),
  );
  const image = images?.[0];
  return image?.imageManifest === undefined
    ? undefined
    : { text: image.imageManifest, mediaType: image.imageManifestMediaType };
}
