import type { Store } from '../store.ts';
import type { BlobStore } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { isDigest, isTag, parseManifest } from './oci.ts';
import type { OciDescriptor, ParsedManifest } from './oci.ts';

/** A repository's settings. Times are ISO strings. */
export interface Repository {
  readonly name: string;
  readonly createdAt: string;
  readonly immutableTags: boolean;
  readonly scanOnPush: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A manifest or index in a repository. `imageSize` is the sum of the layers' and the configuration's, in bytes. */
export interface Image {
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly imageSize: number;
  readonly pushedAt: string;
  readonly tags: readonly string[];
  /** An index's manifests, by digest. */
  readonly members?: readonly string[];
}

export interface PushedImage {
  readonly image: Image;
  /** Nothing changed: this digest was there already, under this tag. */
  readonly existed: boolean;
}

type StoredImage = Omit<Image, 'tags'>;

/** What is in which repository: images, tags and the blobs that were pushed there. */
export interface Repositories {
  create(settings: Omit<Repository, 'createdAt'>): Repository;
  update(repository: Repository): void;
  delete(name: string): void;
  find(name: string): Repository | undefined;
  list(): Repository[];
  /** @throws RegistryError NAME_UNKNOWN */
  get(name: string): Repository;
  images(repository: string): Image[];
  /** @param reference a tag or a digest */
  image(repository: string, reference: string): Image | undefined;
  tags(repository: string): Readonly<Record<string, string>>;
  /**
   * Keeps a manifest under a tag, or under its digest alone. All that it refers to must be in the repository.
   * @throws RegistryError
   */
  putManifest(
    repository: string,
    reference: string | undefined,
    bytes: Uint8Array,
    mediaType?: string,
  ): Promise<PushedImage>;
  /** Takes a tag off, or (by digest) the image with all its tags. @returns what was there */
  deleteImage(repository: string, reference: string): Image | undefined;
  hasBlob(repository: string, digest: string): boolean;
  linkBlob(repository: string, digest: string): void;
}

interface Dependencies {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly accountId: string;
  readonly now: () => number;
  /** Called when an image came into a repository. */
  readonly onPush?: (image: Image) => void;
}

export function createRepositories({ store, blobs, accountId, now, onPush }: Dependencies): Repositories {
  const repositories = store.table<Repository>('registry.repositories');
  const images = store.table<StoredImage>('registry.images');
  const links = store.table<true>('registry.blobs');
  const key = (repository: string, digest: string): string => `${repository}@${digest}`;
  const tagsOf = (repository: string): Readonly<Record<string, string>> =>
    repositories.get(repository)?.tags ?? {};
  const withTags = (image: StoredImage): Image => ({
    ...image,
    tags: Object.entries(tagsOf(image.repository))
      .filter(([, digest]) => digest === image.digest)
      .map(([tag]) => tag),
  });

  /** All that a manifest refers to must be in its repository. */
  const checkParts = (name: string, parsed: ParsedManifest): void => {
    for (const { digest } of partsOf(parsed)) {
      const found = parsed.kind === 'index' ? images.get(key(name, digest)) : links.get(key(name, digest));
      if (found !== undefined) continue;
      throw new RegistryError(
        'MANIFEST_BLOB_UNKNOWN',
        `The manifest refers to ${digest}, which isn't in ${name}`,
        {
          detail: { digest, kind: parsed.kind },
        },
      );
    }
  };

  const self: Repositories = {
    create(settings) {
      const repository = { ...settings, createdAt: new Date(now()).toISOString() };
      repositories.set(repository.name, repository);
      return repository;
    },
    update(repository) {
      repositories.set(repository.name, repository);
    },
    delete(name) {
      const prefix = `${name}@`;
      for (const table of [images, links]) {
        for (const [entry] of table.entries()) if (entry.startsWith(prefix)) table.delete(entry);
      }
      repositories.delete(name);
    },
    find: (name) => repositories.get(name),
    list: () => repositories.values().toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    get(name) {
      const repository = repositories.get(name);
      if (repository === undefined) {
        throw new RegistryError(
          'NAME_UNKNOWN',
          `The repository with name '${name}' does not exist in the registry with id '${accountId}'`,
        );
      }
      return repository;
    },
    images: (repository) =>
      images
        .values()
        .filter((image) => image.repository === repository)
        .map(withTags),
    image(repository, reference) {
      const digest = isDigest(reference) ? reference : digestUnder(tagsOf(repository), reference);
      const image = digest === undefined ? undefined : images.get(key(repository, digest));
      return image && withTags(image);
    },
    tags: tagsOf,
    async putManifest(name, reference, bytes, mediaType) {
      self.get(name);
      const parsed = parseManifest(bytes, mediaType);
      if (parsed.kind === 'invalid')
        throw new RegistryError('MANIFEST_INVALID', `The manifest is invalid: ${parsed.reason}`);
      checkParts(name, parsed);
      const digest = await blobs.put(bytes);
      const tag = checkReference(reference, digest);
      const known = images.get(key(name, digest));
      // Read again: another push may have set the tag, or the repository be deleted, while the manifest was written.
      const current = self.get(name);
      const tagged = tag === undefined ? undefined : digestUnder(current.tags, tag);
      const existed = known !== undefined && (tag === undefined || tagged === digest);
      if (tag !== undefined && tagged !== undefined && tagged !== digest && current.immutableTags) {
        throw tagIsImmutable(name, tag);
      }
      const image = known ?? describe(name, digest, parsed, new Date(now()).toISOString());
      if (known === undefined) images.set(key(name, digest), image);
      if (tag !== undefined && tagged !== digest)
        self.update({ ...current, tags: { ...current.tags, [tag]: digest } });
      const pushed = withTags(image);
      if (known === undefined) onPush?.(pushed);
      return { image: pushed, existed };
    },
    deleteImage(name, reference) {
      const repository = self.get(name);
      const image = self.image(name, reference);
      if (image === undefined) return undefined;
      const gone = ([tag, digest]: [string, string]): boolean =>
        isDigest(reference) ? digest === image.digest : tag === reference;
      const tags = Object.fromEntries(Object.entries(repository.tags).filter((entry) => !gone(entry)));
      self.update({ ...repository, tags });
      // ECR keeps no image whose last tag was deleted by that tag.
      if (isDigest(reference) || image.tags.length === 1) images.delete(key(name, image.digest));
      return image;
    },
    hasBlob: (repository, digest) => links.get(key(repository, digest)) === true,
    linkBlob: (repository, digest) => links.set(key(repository, digest), true),
  };
  return self;
}

/** `constructor` is a valid tag too. */
function digestUnder(tags: Readonly<Record<string, string>>, tag: string): string | undefined {
  return Object.hasOwn(tags, tag) ? tags[tag] : undefined;
}

/** The refusal that ECR gives a push to a tag that is taken. */
function tagIsImmutable(repository: string, tag: string): RegistryError {
  return new RegistryError(
    'TAG_INVALID',
    `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
  );
}

function checkReference(reference: string | undefined, digest: string): string | undefined {
  if (reference === undefined || reference === digest) return undefined;
  if (isDigest(reference)) {
    throw new RegistryError('DIGEST_INVALID', `The manifest has the digest ${digest}, not ${reference}`);
  }
  if (!isTag(reference)) throw new RegistryError('TAG_INVALID', `${reference} isn't a valid tag`);
  return reference;
}

function partsOf(parsed: ParsedManifest): readonly OciDescriptor[] {
  return parsed.kind === 'index'
    ? parsed.index.manifests
    : [parsed.manifest.config, ...parsed.manifest.layers];
}

function describe(repository: string, digest: string, parsed: ParsedManifest, pushedAt: string): StoredImage {
  const imageSize = partsOf(parsed).reduce((sum, part) => sum + part.size, 0);
  const artifactType =
    parsed.kind === 'manifest'
      ? (parsed.manifest.artifactType ?? parsed.manifest.config.mediaType)
      : undefined;
  const members = parsed.kind === 'index' ? parsed.index.manifests.map((member) => member.digest) : undefined;
  return {
    repository,
    digest,
    mediaType: parsed.mediaType,
    imageSize,
    pushedAt,
    ...(artifactType && { artifactType }),
    ...(members && { members }),
  };
}
