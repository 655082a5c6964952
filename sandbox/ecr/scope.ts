import type { ImageIdentifier } from '@aws-sdk/client-ecr';
import type { Image, Repository } from '../registry/repositories.ts';
import type { Registry } from '../registry/registry.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { imageNotFound, repositoryNotFound } from './errors.ts';

export interface EcrOptions {
  readonly store: Store;
  readonly registry: Registry;
  readonly stateDir: string;
  /** Where the registry is reached, as clients name it in an image reference: `127.0.0.1:4566`. */
  readonly registryHost: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly speed: number;
}

export type Operations = Record<string, Operation>;

interface InRegistry {
  readonly registryId?: string | undefined;
}

/** The repository that a request names. @throws AwsError RepositoryNotFoundException */
export function repositoryOf(
  { registry }: EcrOptions,
  input: InRegistry & { readonly repositoryName: string },
  { accountId }: RequestContext,
): Repository {
  const registryId = input.registryId ?? accountId;
  const repository = registryId === accountId ? registry.repositories.find(input.repositoryName) : undefined;
  if (repository === undefined) throw repositoryNotFound(input.repositoryName, registryId);
  return repository;
}

/** @throws AwsError ImageNotFoundException, or InvalidParameterException for an identifier that says nothing */
export function imageOf(
  options: EcrOptions,
  repository: Repository,
  id: ImageIdentifier,
  context: RequestContext,
): Image {
  const found = lookUp(options, repository, id);
  if (found.kind === 'found') return found.image;
  if (found.failureCode === 'MissingDigestAndTag')
    throw new AwsError('InvalidParameterException', found.failureReason);
  throw imageNotFound(id, repository.name, context.accountId);
}

export type Lookup =
  | { readonly kind: 'found'; readonly image: Image }
  | { readonly kind: 'failed'; readonly failureCode: string; readonly failureReason: string };

/** Finds an image by digest, tag or both, which must then agree. */
export function lookUp({ registry }: EcrOptions, repository: Repository, id: ImageIdentifier): Lookup {
  const reference = id.imageDigest ?? id.imageTag;
  if (reference === undefined) {
    return failed('MissingDigestAndTag', 'Invalid request parameters: both tag and digest cannot be null');
  }
  const image = registry.repositories.image(repository.name, reference);
  if (image === undefined) return failed('ImageNotFound', 'Requested image not found');
  if (id.imageTag !== undefined && !image.tags.includes(id.imageTag)) {
    return failed('ImageTagDoesNotMatchDigest', `The tag ${id.imageTag} isn't on ${image.digest}`);
  }
  return { kind: 'found', image };
}

function failed(failureCode: string, failureReason: string): Lookup {
  return { kind: 'failed', failureCode, failureReason };
}
