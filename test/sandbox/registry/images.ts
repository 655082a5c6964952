import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Header } from 'tar-stream';

export type Entry = Partial<Header> & { readonly name: string; readonly body?: string };

/** A tar archive of `entries`, in their order. */
async function aTar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry(header, body ?? '');
  archive.finalize();
  return buffer(Readable.from(archive as AsyncIterable<Buffer>));
}

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface BuiltImage {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly blobs: readonly Buffer[];
}

const COMPRESS = {
  '': (bytes: Buffer) => bytes,
  '+gzip': (bytes: Buffer) => gzipSync(bytes),
  '+zstd': (bytes: Buffer) => zstdCompressSync(bytes),
};

/** An image with a layer for each list of entries. */
export async function anImage(
  layers: readonly (readonly Entry[])[],
  config: object = { config: { Cmd: ['node', 'main.js'] } },
  compression: keyof typeof COMPRESS = '+gzip',
): Promise<BuiltImage> {
  const layerBlobs = await Promise.all(
    layers.map(async (entries) => COMPRESS[compression](await aTar(entries))),
  );
  const configBlob = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', ...config }));
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe('application/vnd.oci.image.config.v1+json', configBlob),
      layers: layerBlobs.map((layer) =>
        describe(`application/vnd.oci.image.layer.v1.tar${compression}`, layer),
      ),
    }),
  );
  return { manifest, digest: digestOf(manifest), blobs: [configBlob, ...layerBlobs] };
}
