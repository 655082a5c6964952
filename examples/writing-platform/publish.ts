import { parseArgs } from 'node:util';
import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  RepositoryAlreadyExistsException,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import { execa } from 'execa';
import { endpointConfiguration } from './endpoint.ts';
import type { Image, Source } from './image.ts';
import { buildImage, listServices } from './image.ts';
import type { RegistryClient } from './registry-client.ts';
import { createRegistryClient } from './registry-client.ts';

const PLATFORM = 'writing-platform';
const SEMANTIC_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const FULL_HASH = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

export interface PublishOptions extends Source {
  /** Services to publish; default: all that the commit has. */
  readonly services?: readonly string[];
  /** Address that serves both ECR's API and the registry; default: AWS by its SDK's own configuration. */
  readonly registry?: string;
}

export interface PublishedImage {
  readonly service: string;
  readonly repository: string;
  readonly digest: string;
  /** False when it was there already. */
  readonly pushed: boolean;
}

/** The version or the commit is already that of another image. */
export class AlreadyPublishedError extends Error {
  override readonly name = 'AlreadyPublishedError';
}

/**
 * Packs services as they are at a commit, and pushes each with the version and the commit as its tags. What is there already
 * is left as it is.
 * @throws AlreadyPublishedError when one of the tags stands for something else; nothing is pushed then
 */
export async function publish(options: PublishOptions): Promise<PublishedImage[]> {
  const source = await checkSource(options);
  const services = options.services ?? (await listServices(source));
  if (services.length === 0) throw new Error(`There are no services at ${source.commit}`);
  const ecr = new ECRClient(endpointConfiguration(options.registry));
  try {
    const images = await Promise.all(services.map((service) => buildImage(service, source)));
    const { address, authorization } = await login(ecr, options.registry);
    const targets = await Promise.all(
      images.map(async (image) => {
        const repository = `${PLATFORM}/${image.service}`;
        await ensureRepository(ecr, repository);
        const client = createRegistryClient(address, repository, authorization);
        return { image, repository, client, missing: await missingTags(client, repository, image, source) };
      }),
    );
    return await Promise.all(targets.map(pushMissing));
  } finally {
    ecr.destroy();
  }
}

async function checkSource({ repository, commit, version }: Source): Promise<Source> {
  if (!SEMANTIC_VERSION.test(version))
    throw new Error(`"${version}" is not a semantic version such as 1.4.0`);
  if (!FULL_HASH.test(commit)) throw new Error(`"${commit}" is not a full commit hash`);
  const { failed } = await execa('git', ['cat-file', '-e', `${commit}^{commit}`], {
    cwd: repository,
    reject: false,
  });
  if (failed) throw new Error(`${repository} has no commit ${commit}`);
  return { repository, commit, version };
}

interface Missing {
  readonly tags: readonly string[];
  /** The digest that is there already. */
  readonly digest?: string;
}

/** Which of the image's two tags aren't there yet: a push may have ended between them. */
async function missingTags(
  client: RegistryClient,
  repository: string,
  image: Image,
  { version, commit }: Source,
): Promise<Missing> {
  const [byVersion, byCommit] = [await client.find(version), await client.find(commit)];
  if (byVersion && byVersion.commit !== commit) {
    throw new AlreadyPublishedError(
      `${repository}:${version} is already published from commit ${byVersion.commit}, not ${commit}: choose a new version`,
    );
  }
  if (byCommit && byCommit.version !== version) {
    throw new AlreadyPublishedError(
      `Commit ${commit} is already published as ${repository}:${byCommit.version}, not ${version}`,
    );
  }
  if (byVersion && byCommit) return { tags: [], digest: byVersion.digest };
  const present = (byVersion ?? byCommit)?.digest;
  if (present !== undefined && present !== image.manifest.digest) {
    throw new AlreadyPublishedError(
      `${repository}@${present} is only half published, and this machine packs ${commit} as ${image.manifest.digest}`,
    );
  }
  return { tags: [...(byVersion ? [] : [version]), ...(byCommit ? [] : [commit])] };
}

async function pushMissing(target: {
  image: Image;
  repository: string;
  client: RegistryClient;
  missing: Missing;
}): Promise<PublishedImage> {
  const { image, repository, client, missing } = target;
  for (const tag of missing.tags) await client.push(image, tag);
  const digest = missing.digest ?? image.manifest.digest;
  return { service: image.service, repository, digest, pushed: missing.tags.length > 0 };
}

async function login(ecr: ECRClient, registry?: string): Promise<{ address: string; authorization: string }> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand());
  const [token] = authorizationData ?? [];
  const address = registry ?? token?.proxyEndpoint;
  if (token?.authorizationToken === undefined || address === undefined) {
    throw new Error('ECR gave no authorization token');
  }
  return { address, authorization: `Basic ${token.authorizationToken}` };
}

async function ensureRepository(ecr: ECRClient, name: string): Promise<void> {
  try {
    await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundException)) throw error;
    await createRepository(ecr, name);
  }
}

async function createRepository(ecr: ECRClient, repositoryName: string): Promise<void> {
  const imageScanningConfiguration = { scanOnPush: true };
  const settings = { repositoryName, imageTagMutability: 'IMMUTABLE', imageScanningConfiguration } as const;
  try {
    await ecr.send(new CreateRepositoryCommand(settings));
  } catch (error) {
    if (!(error instanceof RepositoryAlreadyExistsException)) throw error;
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      repository: { type: 'string' },
      commit: { type: 'string' },
      version: { type: 'string' },
      registry: { type: 'string' },
    },
  });
  const { repository, commit, version, registry } = values;
  if (repository === undefined || commit === undefined || version === undefined) {
    console.error(
      'usage: node examples/writing-platform/publish.ts --repository DIR --commit HASH --version X.Y.Z [--registry URL]',
    );
    process.exit(2);
  }
  const images = await publish({
    repository,
    commit,
    version,
    ...(registry === undefined ? {} : { registry }),
  });
  for (const image of images) {
    console.log(
      `${image.repository}:${version} ${image.digest} ${image.pushed ? 'pushed' : 'was there already'}`,
    );
  }
}
