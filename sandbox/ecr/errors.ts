import type { ImageIdentifier } from '@aws-sdk/client-ecr';
import { AwsError } from '../protocol/service.ts';
import { RegistryError } from '../registry/errors.ts';

export function repositoryNotFound(name: string, registryId: string): AwsError {
  return new AwsError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${registryId}'`,
  );
}

export function imageNotFound(id: ImageIdentifier, name: string, registryId: string): AwsError {
  return new AwsError(
    'ImageNotFoundException',
    `The image with imageId ${showId(id)} does not exist within the repository with name '${name}' in the registry with id '${registryId}'`,
  );
}

export function invalidParameter(name: string, constraint: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `Invalid parameter at '${name}' failed to satisfy constraint: '${constraint}'`,
  );
}

/** An image identifier as ECR's messages show it. */
export function showId({ imageDigest, imageTag }: ImageIdentifier): string {
  return `{imageDigest:'${imageDigest ?? 'null'}', imageTag:'${imageTag ?? 'null'}'}`;
}

/** What ECR's API answers where the distribution protocol answers `error`. */
export function fromRegistry(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.code === 'MANIFEST_INVALID') return invalidParameter('imageManifest', error.message);
  if (error.code === 'TAG_INVALID') return new AwsError('ImageTagAlreadyExistsException', error.message);
  if (error.code !== 'MANIFEST_BLOB_UNKNOWN') return error;
  const missing =
    error.detail?.['kind'] === 'index' ? 'ReferencedImagesNotFoundException' : 'LayersNotFoundException';
  return new AwsError(missing, error.message);
}
