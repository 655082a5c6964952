import { z } from 'zod';
import type { Blob, Image } from './image.ts';
import { REVISION, VERSION } from './image.ts';

/** What a tag in the registry stands for. */
export interface Published {
  readonly digest: string;
  /** By the image's labels; empty when it has none. */
  readonly commit: string;
  readonly version: string;
}

/** A repository in a registry that speaks the OCI distribution protocol. */
export interface RegistryClient {
  find(tag: string): Promise<Published | undefined>;
  /** Uploads the image's content, where it isn't there yet, and puts `tag` on it. */
  push(image: Image, tag: string): Promise<void>;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const MANIFEST_SHAPE = z.object({ config: z.object({ digest: z.string() }) });
const CONFIG_SHAPE = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).default({}) }).prefault({}),
});

type Send = (
  path: string | URL,
  request: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Uint8Array<ArrayBuffer>;
    /** Status codes; any other is an error. */
    readonly accepted: readonly number[];
  },
) => Promise<Response>;

/**
 * @param registry the registry's address, such as `http://127.0.0.1:4566`
 * @param name the repository
 * @param authorization the header's value
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createRegistryClient(registry: string, name: string, authorization: string): RegistryClient {
  const send: Send = async (path, { headers = {}, accepted, ...request }) => {
    const url = new URL(path, registry);
    const response = await fetch(url, { ...request, headers: { authorization, ...headers } });
    if (accepted.includes(response.status)) return response;
    const reason = await response.text();
    throw new Error(`${request.method ?? 'GET'} ${url.href}: status ${response.status} ${reason}`.trimEnd());
  };

  const upload = async (blob: Blob): Promise<void> => {
    const there = await send(`/v2/${name}/blobs/${blob.digest}`, { method: 'HEAD', accepted: [200, 404] });
    if (there.status === 200) return;
    const started = await send(`/v2/${name}/blobs/uploads/`, { method: 'POST', accepted: [202] });
    const location = new URL(started.headers.get('location') ?? '', started.url);
    location.searchParams.set('digest', blob.digest);
    const headers = { 'content-type': 'application/octet-stream' };
    await send(location, { method: 'PUT', headers, body: new Uint8Array(blob.content), accepted: [201] });
  };

  return {
    async find(tag) {
      const path = `/v2/${name}/manifests/${tag}`;
      const response = await send(path, { headers: { accept: MANIFEST }, accepted: [200, 404] });
      if (response.status === 404) return undefined;
      const digest = response.headers.get('docker-content-digest') ?? '';
      const { config } = MANIFEST_SHAPE.parse(await response.json());
      const read = await send(`/v2/${name}/blobs/${config.digest}`, { accepted: [200] });
      const labels = CONFIG_SHAPE.parse(await read.json()).config.Labels;
      return { digest, commit: labels[REVISION] ?? '', version: labels[VERSION] ?? '' };
    },
    async push({ manifest, config, layer }, tag) {
      await upload(layer);
      await upload(config);
      const headers = { 'content-type': MANIFEST };
      const body = new Uint8Array(manifest.content);
      await send(`/v2/${name}/manifests/${tag}`, { method: 'PUT', headers, body, accepted: [201] });
    },
  };
}
