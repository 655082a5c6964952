import type {
  CreateRepositoryRequest,
  DeleteRepositoryRequest,
  DescribeRepositoriesRequest,
  ListTagsForResourceRequest,
  PutImageScanningConfigurationRequest,
  PutImageTagMutabilityRequest,
  Repository as RepositoryShape,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-ecr';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { RequestContext } from '../protocol/service.ts';
import type { Repository } from '../registry/repositories.ts';
import { invalidParameter, repositoryNotFound } from './errors.ts';
import { repositoryOf } from './scope.ts';
import type { EcrOptions, Operations } from './scope.ts';

const DEFAULT_PAGE = 100;
const MAX_TAGS = 50;

/** ECR's operations on repositories and their tags. */
export function repositoryOperations(options: EcrOptions): Operations {
  const { repositories } = options.registry;
  const tags = options.store.table<Record<string, string>>('ecr.tags');
  const describe = (repository: Repository, context: RequestContext): RepositoryShape => ({
    repositoryArn: arnOf(repository.name, context),
    registryId: context.accountId,
    repositoryName: repository.name,
    repositoryUri: `${options.registryHost()}/${repository.name}`,
    createdAt: new Date(repository.createdAt),
    imageTagMutability: repository.immutableTags ? 'IMMUTABLE' : 'MUTABLE',
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: { encryptionType: 'AES256' },
  });
  const byArn = (arn: string, context: RequestContext): Repository => {
    const name = arn.slice(arnOf('', context).length);
    const repository = arn.startsWith(arnOf('', context)) ? repositories.find(name) : undefined;
    if (repository === undefined) throw repositoryNotFound(name || arn, context.accountId);
    return repository;
  };

  return {
    CreateRepository(input: Given<CreateRepositoryRequest, 'repositoryName'>, context) {
      const name = input.repositoryName;
      if (repositories.find(name) !== undefined) {
        throw new AwsError(
          'RepositoryAlreadyExistsException',
          `The repository with name '${name}' already exists in the registry with id '${context.accountId}'`,
        );
      }
      const given = asRecord(input.tags);
      const repository = repositories.create({
        name,
        immutableTags: isImmutable(input.imageTagMutability),
        scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
        tags: {},
      });
      if (Object.keys(given).length > 0) tags.set(name, given);
      return { repository: describe(repository, context) };
    },
    DescribeRepositories(input: DescribeRepositoriesRequest, context) {
      const { repositoryNames, maxResults = DEFAULT_PAGE, nextToken } = input;
      const found =
        repositoryNames?.map((repositoryName) =>
          repositoryOf(options, { ...input, repositoryName }, context),
        ) ?? repositories.list();
      const page = pageOf(found, maxResults, nextToken, () =>
        invalidParameter('nextToken', 'a token of this API'),
      );
      return {
        repositories: page.items.map((repository) => describe(repository, context)),
        nextToken: page.next,
      };
    },
    DeleteRepository(input: Given<DeleteRepositoryRequest, 'repositoryName'>, context) {
      const repository = repositoryOf(options, input, context);
      if (input.force !== true && repositories.images(repository.name).length > 0) {
        throw new AwsError(
          'RepositoryNotEmptyException',
          `The repository with name '${repository.name}' in registry with id '${context.accountId}' cannot be deleted because it still contains images`,
        );
      }
      repositories.delete(repository.name);
      tags.delete(repository.name);
      return { repository: describe(repository, context) };
    },
    PutImageTagMutability(
      input: Given<PutImageTagMutabilityRequest, 'repositoryName' | 'imageTagMutability'>,
      context,
    ) {
      const repository = repositoryOf(options, input, context);
      repositories.update({ ...repository, immutableTags: isImmutable(input.imageTagMutability) });
      const { registryId, repositoryName, imageTagMutability } = { ...input, registryId: context.accountId };
      return { registryId, repositoryName, imageTagMutability };
    },
    PutImageScanningConfiguration(
      input: Given<PutImageScanningConfigurationRequest, 'repositoryName' | 'imageScanningConfiguration'>,
      context,
    ) {
      const repository = repositoryOf(options, input, context);
      const scanOnPush = input.imageScanningConfiguration.scanOnPush ?? false;
      repositories.update({ ...repository, scanOnPush });
      return {
        registryId: context.accountId,
        repositoryName: repository.name,
        imageScanningConfiguration: { scanOnPush },
      };
    },
    TagResource(input: Given<TagResourceRequest, 'resourceArn' | 'tags'>, context) {
      const { name } = byArn(input.resourceArn, context);
      const merged = { ...tags.get(name), ...asRecord(input.tags) };
      if (Object.keys(merged).length > MAX_TAGS) {
        throw new AwsError('TooManyTagsException', `A repository has ${MAX_TAGS} tags at most`);
      }
      tags.set(name, merged);
      return {};
    },
    UntagResource(input: Given<UntagResourceRequest, 'resourceArn' | 'tagKeys'>, context) {
      const { name } = byArn(input.resourceArn, context);
      const kept = Object.entries(tags.get(name) ?? {}).filter(([key]) => !input.tagKeys.includes(key));
      tags.set(name, Object.fromEntries(kept));
      return {};
    },
    ListTagsForResource(input: Given<ListTagsForResourceRequest, 'resourceArn'>, context) {
      const { name } = byArn(input.resourceArn, context);
      return { tags: Object.entries(tags.get(name) ?? {}).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

function arnOf(name: string, { accountId, region }: RequestContext): string {
  return `arn:aws:ecr:${region}:${accountId}:repository/${name}`;
}

function asRecord(tags: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function isImmutable(mutability: string = 'MUTABLE'): boolean {
  if (mutability === 'IMMUTABLE' || mutability === 'MUTABLE') return mutability === 'IMMUTABLE';
  throw invalidParameter(
    'imageTagMutability',
    'MUTABLE or IMMUTABLE: this registry has no exclusion filters',
  );
}
