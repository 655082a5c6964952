import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { RegistryError } from './errors.ts';
import { isDigest } from './oci.ts';

/** Content by digest, in files named by it. What is there is whole and is what its name says. */
export interface BlobStore {
  has(digest: string): Promise<boolean>;
  /** Bytes; undefined when there is no such blob. */
  size(digest: string): Promise<number | undefined>;
  read(digest: string): Promise<Buffer>;
  stream(digest: string): Readable;
  /** Keeps `bytes`. @returns their digest */
  put(bytes: Uint8Array): Promise<string>;
  startUpload(): Promise<string>;
  /** Bytes received so far. @throws RegistryError BLOB_UPLOAD_UNKNOWN */
  uploadedSize(upload: string): Promise<number>;
  /**
   * Adds to an upload. @param from where the chunk claims to start, in bytes; unchecked when left out
   * @returns bytes received so far
   * @throws RegistryError BLOB_UPLOAD_UNKNOWN, or BLOB_UPLOAD_INVALID (416) for a chunk out of order
   */
  append(upload: string, body: AsyncIterable<Uint8Array>, from?: number): Promise<number>;
  /** Makes the upload a blob. @throws RegistryError DIGEST_INVALID when its content isn't what `digest` says */
  finishUpload(upload: string, digest: string): Promise<number>;
  cancelUpload(upload: string): Promise<void>;
}

/**
 * Opens the blobs under `directory`. Unfinished uploads of an earlier run are dropped: their clients' connections
 * are gone with it.
 */
export async function openBlobStore(directory: string): Promise<BlobStore> {
  const blobs = join(directory, 'blobs', 'sha256');
  const uploads = join(directory, 'uploads');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(blobs, { recursive: true });
  await mkdir(uploads, { recursive: true });

  const pathOf = (digest: string): string => {
    if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', `${digest} isn't a sha256 digest`);
    return join(blobs, digest.slice('sha256:'.length));
  };
  const uploadPath = (upload: string): string => {
    if (!/^[0-9a-f-]{36}$/.test(upload)) throw uploadUnknown(upload);
    return join(uploads, upload);
  };
  const keep = async (temporary: string, digest: string): Promise<void> => {
    await sync(temporary);
    await rename(temporary, pathOf(digest));
    await sync(blobs);
  };

  const store: BlobStore = {
    has: async (digest) => (await store.size(digest)) !== undefined,
    size: (digest) => sizeOf(pathOf(digest)),
    read: (digest) => readFile(pathOf(digest)),
    stream: (digest) => createReadStream(pathOf(digest)),
    async put(bytes) {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      if (await store.has(digest)) return digest;
      const upload = await store.startUpload();
      await store.append(upload, once(bytes));
      await keep(uploadPath(upload), digest);
      return digest;
    },
    async startUpload() {
      const upload = randomUUID();
      await (await open(uploadPath(upload), 'wx')).close();
      return upload;
    },
    async uploadedSize(upload) {
      const size = await sizeOf(uploadPath(upload));
      if (size === undefined) throw uploadUnknown(upload);
      return size;
    },
    async append(upload, body, from) {
      const size = await store.uploadedSize(upload);
      if (from !== undefined && from !== size) {
        throw new RegistryError(
          'BLOB_UPLOAD_INVALID',
          `The chunk starts at ${from}, but ${size} bytes were received`,
          {
            status: 416,
          },
        );
      }
      const file = await open(uploadPath(upload), 'a');
      try {
        for await (const chunk of body) await file.write(chunk);
      } finally {
        await file.close();
      }
      return store.uploadedSize(upload);
    },
    async finishUpload(upload, digest) {
      pathOf(digest);
      const size = await store.uploadedSize(upload);
      const found = await digestOf(uploadPath(upload));
      if (found !== digest) {
        await store.cancelUpload(upload);
        throw new RegistryError(
          'DIGEST_INVALID',
          `The uploaded content has the digest ${found}, not ${digest}`,
          {
            detail: { expected: digest, found },
          },
        );
      }
      await keep(uploadPath(upload), digest);
      return size;
    },
    async cancelUpload(upload) {
      await store.uploadedSize(upload);
      await rm(uploadPath(upload), { force: true });
    },
  };
  return store;
}

function uploadUnknown(upload: string): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', `There is no upload ${upload}: start it with POST`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
