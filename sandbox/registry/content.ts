import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { BlobStore } from './blobs.ts';
import { isDigest, parseManifest } from './oci.ts';
import type { OciImageConfig, OciIndex, OciManifest } from './oci.ts';
import type { Repositories } from './repositories.ts';
import { extractLayer, LayerError } from './unpack.ts';

export interface ResolvedImage {
  /** What the reference means in the registry: the index's digest for a multi-platform image. */
  readonly digest: string;
  /** Of this machine's platform. */
  readonly manifest: OciManifest;
  readonly config: OciImageConfig;
}

/** Images as a container runtime needs them. */
export interface ImageStore {
  /**
   * @param reference a tag or a digest
   * @returns undefined when there is no such repository or image, or none for this machine's platform
   */
  resolve(repository: string, reference: string): Promise<ResolvedImage | undefined>;
  /**
   * Extracts an image, once for each digest.
   * @param digest of a resolved image
   * @returns the directory that holds its root file system; shared by all who ask, so not to be written to
   * @throws LayerError when a layer is missing, broken or not safe
   */
  unpack(digest: string): Promise<string>;
}

interface Dependencies {
  readonly directory: string;
  readonly blobs: BlobStore;
  readonly repositories: Repositories;
}

/** Opens the extracted images under `directory`. What a killed run left half extracted is removed. */
export async function openImageStore({ directory, blobs, repositories }: Dependencies): Promise<ImageStore> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    if (name.startsWith('.')) await rm(join(directory, name), { recursive: true, force: true });
  }
  const running = new Map<string, Promise<string>>();

  const manifestOf = async (digest: string): Promise<OciManifest | undefined> => {
    if ((await blobs.size(digest)) === undefined) return undefined;
    const parsed = parseManifest(await blobs.read(digest));
    if (parsed.kind === 'manifest') return parsed.manifest;
    const own = parsed.kind === 'index' ? forThisMachine(parsed.index) : undefined;
    return own === undefined ? undefined : manifestOf(own);
  };

  const extractAll = async (digest: string): Promise<string> => {
    const target = join(directory, digest.slice('sha256:'.length));
    if (await exists(target)) return target;
    const manifest = await manifestOf(digest);
    if (manifest === undefined) throw new LayerError(`There is no image ${digest}`);
    const temporary = join(directory, `.${randomUUID()}`);
    await mkdir(temporary);
    try {
      for (const layer of manifest.layers)
        await extractLayer(blobs.stream(layer.digest), layer.mediaType, temporary);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
    return target;
  };

  return {
    async resolve(repository, reference) {
      const image = repositories.image(repository, reference);
      const manifest = image && (await manifestOf(image.digest));
      if (image === undefined || manifest === undefined) return undefined;
      const config = JSON.parse(
        (await blobs.read(manifest.config.digest)).toString('utf8'),
      ) as OciImageConfig;
      return { digest: image.digest, manifest, config };
    },
    unpack(digest) {
      if (!isDigest(digest)) return Promise.reject(new LayerError(`${digest} isn't a sha256 digest`));
      const begun = running.get(digest) ?? extractAll(digest).finally(() => running.delete(digest));
      running.set(digest, begun);
      return begun;
    },
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function forThisMachine(index: OciIndex): string | undefined {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  return index.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  )?.digest;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
