import type {
  BatchCheckLayerAvailabilityRequest,
  BatchDeleteImageRequest,
  BatchGetImageRequest,
  DescribeImagesRequest,
  ImageDetail,
  ImageFailure,
  ImageIdentifier,
  ListImagesRequest,
  PutImageRequest,
} from '@aws-sdk/client-ecr';
import { createHash } from 'node:crypto';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import { isDigest } from '../registry/oci.ts';
import type { Image } from '../registry/repositories.ts';
import { fromRegistry, invalidParameter } from './errors.ts';
import { imageOf, lookUp, repositoryOf } from './scope.ts';
import type { EcrOptions, Lookup, Operations } from './scope.ts';
import type { Scans } from './scans.ts';

const DEFAULT_PAGE = 100;
const badToken = (): AwsError => invalidParameter('nextToken', 'a token of this API');

/** ECR's operations on images. */
export function imageOperations(options: EcrOptions, scans: Scans): Operations {
  const { blobs, repositories } = options.registry;

  return {
    async PutImage(input: Given<PutImageRequest, 'repositoryName' | 'imageManifest'>, context) {
      const { name } = repositoryOf(options, input, context);
      const bytes = Buffer.from(input.imageManifest);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      if (input.imageDigest !== undefined && input.imageDigest !== digest) {
        throw new AwsError('ImageDigestDoesNotMatchException', `The manifest has the digest ${digest}`);
      }
      const { image, existed } = await repositories
        .putManifest(name, input.imageTag, bytes, input.imageManifestMediaType)
        .catch((error: unknown) => {
          throw fromRegistry(error);
        });
      if (existed) {
        throw new AwsError(
          'ImageAlreadyExistsException',
          `Image with digest '${digest}'${input.imageTag === undefined ? '' : ` and tag '${input.imageTag}'`} already exists in the repository with name '${name}' in registry with id '${context.accountId}'`,
        );
      }
      return {
        image: {
          registryId: context.accountId,
          repositoryName: name,
          imageId: identify(image, input.imageTag),
          imageManifest: input.imageManifest,
          imageManifestMediaType: image.mediaType,
        },
      };
    },
    async BatchGetImage(input: Given<BatchGetImageRequest, 'repositoryName' | 'imageIds'>, context) {
      const repository = repositoryOf(options, input, context);
      const { found, failures } = sort(input.imageIds, (id) => lookUp(options, repository, id));
      const images = await Promise.all(
        found.map(async ({ id, image }) => ({
          registryId: context.accountId,
          repositoryName: repository.name,
          imageId: identify(image, id.imageTag),
          imageManifest: (await blobs.read(image.digest)).toString('utf8'),
          imageManifestMediaType: image.mediaType,
        })),
      );
      return { images, failures };
    },
    async DescribeImages(input: Given<DescribeImagesRequest, 'repositoryName'>, context) {
      const repository = repositoryOf(options, input, context);
      const wanted = tagFilter(input.filter?.tagStatus);
      const found =
        input.imageIds?.map((id) => imageOf(options, repository, id, context)) ??
        repositories.images(repository.name).filter(wanted);
      const page = pageOf(found, input.maxResults ?? DEFAULT_PAGE, input.nextToken, badToken);
      const imageDetails = await Promise.all(
        page.items.map(async (image): Promise<ImageDetail> => ({
          registryId: context.accountId,
          repositoryName: repository.name,
          imageDigest: image.digest,
          ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
          imageSizeInBytes: image.imageSize,
          imagePushedAt: new Date(image.pushedAt),
          imageManifestMediaType: image.mediaType,
          ...(image.artifactType !== undefined && { artifactMediaType: image.artifactType }),
          ...(await scans.summary(image)),
        })),
      );
      return { imageDetails, nextToken: page.next };
    },
    ListImages(input: Given<ListImagesRequest, 'repositoryName'>, context) {
      const repository = repositoryOf(options, input, context);
      const ids = repositories
        .images(repository.name)
        .filter(tagFilter(input.filter?.tagStatus))
        .flatMap(identifyAll);
      const page = pageOf(ids, input.maxResults ?? DEFAULT_PAGE, input.nextToken, badToken);
      return { imageIds: page.items, nextToken: page.next };
    },
    BatchDeleteImage(input: Given<BatchDeleteImageRequest, 'repositoryName' | 'imageIds'>, context) {
      const repository = repositoryOf(options, input, context);
      const { found, failures } = sort(input.imageIds, (id) => {
        const result = lookUp(options, repository, id);
        if (result.kind === 'failed' || (id.imageTag !== undefined && result.image.tags.length > 1))
          return result;
        const list = repositories
          .images(repository.name)
          .find(({ members }) => members?.includes(result.image.digest));
        return list === undefined ? result : referencedBy(list);
      });
      const imageIds = found.flatMap(({ id, image }) => {
        repositories.deleteImage(repository.name, id.imageTag ?? image.digest);
        return id.imageTag === undefined ? identifyAll(image) : [identify(image, id.imageTag)];
      });
      return { imageIds, failures };
    },
    async BatchCheckLayerAvailability(
      input: Given<BatchCheckLayerAvailabilityRequest, 'repositoryName' | 'layerDigests'>,
      context,
    ) {
      const { name } = repositoryOf(options, input, context);
      const layers = [];
      const failures = [];
      for (const layerDigest of input.layerDigests) {
        if (!isDigest(layerDigest)) {
          failures.push({
            layerDigest,
            failureCode: 'InvalidLayerDigest',
            failureReason: 'Not a sha256 digest',
          });
        } else if (repositories.hasBlob(name, layerDigest)) {
          layers.push({
            layerDigest,
            layerAvailability: 'AVAILABLE',
            layerSize: await blobs.size(layerDigest),
          });
        } else {
          layers.push({ layerDigest, layerAvailability: 'UNAVAILABLE' });
        }
      }
      return { layers, failures };
    },
  };
}

function referencedBy({ digest }: Image): Lookup {
  const failureReason = `Requested image referenced by manifest list: [${digest}]`;
  return { kind: 'failed', failureCode: 'ImageReferencedByManifestList', failureReason };
}

function identify(image: Image, imageTag: string | undefined): ImageIdentifier {
  return { imageDigest: image.digest, ...(imageTag !== undefined && { imageTag }) };
}

function identifyAll(image: Image): ImageIdentifier[] {
  return image.tags.length === 0
    ? [identify(image, undefined)]
    : image.tags.map((tag) => identify(image, tag));
}

function tagFilter(tagStatus: string = 'ANY'): (image: Image) => boolean {
  return ({ tags }) => tagStatus === 'ANY' || tags.length > 0 === (tagStatus === 'TAGGED');
}

interface Sorted {
  readonly found: { readonly id: ImageIdentifier; readonly image: Image }[];
  readonly failures: ImageFailure[];
}

function sort(ids: readonly ImageIdentifier[], look: (id: ImageIdentifier) => Lookup): Sorted {
  const sorted: Sorted = { found: [], failures: [] };
  for (const imageId of ids) {
    const result = look(imageId);
    if (result.kind === 'found') sorted.found.push({ id: imageId, image: result.image });
    else {
      const { failureCode, failureReason } = result;
      sorted.failures.push({ imageId, failureCode, failureReason } as ImageFailure);
    }
  }
  return sorted;
}
