import type { Digest, Release } from '../../domain/release.ts';
import { findTagged } from './images.ts';
import type { Repository, TaggedImage } from './images.ts';
import type { ManifestLookup } from './types.ts';

export interface ServiceRepository {
  readonly service: string;
  readonly repository: Repository;
}

type Found =
  | { readonly kind: 'found'; readonly digest: Digest }
  | { readonly kind: 'missing' | 'other commit'; readonly detail: string };

/** Looks for the release's image of every service: one digest that has the version's tag and the commit's. */
export async function findManifest(
  services: readonly ServiceRepository[],
  release: Release,
): Promise<ManifestLookup> {
  const found = await Promise.all(
    services.map(async ({ service, repository }) => ({
      service,
      found: await findImage(repository, release),
    })),
  );
  const others = found.flatMap(({ service, found: image }) =>
    image.kind === 'other commit' ? [{ service, detail: image.detail }] : [],
  );
  if (others.length > 0) {
    return {
      kind: 'other commit',
      services: others.map(({ service }) => service),
      detail: `${lines(others)}. A version is bound to one commit: give the commit that ${release.version} was built from, or build a new version.`,
    };
  }
  const missing = found.flatMap(({ service, found: image }) =>
    image.kind === 'missing' ? [{ service, detail: image.detail }] : [],
  );
  if (missing.length > 0) {
    return {
      kind: 'not built',
      missing: missing.map(({ service }) => service),
      detail: `${lines(missing)}. Build and push them with the tags ${release.version} and ${release.commit}, then start again.`,
    };
  }
  const images = found.flatMap(({ service, found: image }) =>
    image.kind === 'found' ? [[service, image.digest] as const] : [],
  );
  return { kind: 'found', manifest: { ...release, images: Object.fromEntries(images) } };
}

async function findImage(repository: Repository, { version, commit }: Release): Promise<Found> {
  const [byVersion, byCommit] = await Promise.all([
    findTagged(repository, version),
    findTagged(repository, commit),
  ]);
  if ('missing' in byVersion) {
    const built = 'missing' in byCommit ? '' : `, though ${short(byCommit.digest)} is tagged with the commit`;
    return { kind: 'missing', detail: `${byVersion.missing}${built}` };
  }
  if ('missing' in byCommit) return withoutCommit(repository.name, byVersion, version, commit);
  if (byVersion.digest === byCommit.digest) return { kind: 'found', digest: byVersion.digest };
  const built = commitsOf(byVersion);
  return {
    kind: 'other commit',
    detail: `${repository.name}: ${version} is ${short(byVersion.digest)}${built.length > 0 ? `, built from ${built.join(', ')}` : ''}, but ${commit} is ${short(byCommit.digest)}`,
  };
}

/** The version has an image, which the commit's tag is not on: built from another commit, or pushed without that tag. */
function withoutCommit(name: string, image: TaggedImage, version: string, commit: string): Found {
  const built = commitsOf(image);
  return built.length > 0
    ? {
        kind: 'other commit',
        detail: `${name}: ${version} was built from ${built.join(', ')}, not from ${commit}`,
      }
    : {
        kind: 'missing',
        detail: `${name}: the image tagged ${version} has no tag of a commit, so nothing says what it was built from`,
      };
}

function commitsOf({ tags }: TaggedImage): string[] {
  return tags.filter((tag) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(tag));
}

function short(digest: Digest): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

function lines(details: readonly { readonly service: string; readonly detail: string }[]): string {
  return details.map(({ service, detail }) => `${service}: ${detail}`).join('; ');
}
