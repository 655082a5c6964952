/** A reference to content: its media type, digest (`sha256:<hex>`) and size in bytes. */
export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** An image's manifest, OCI's or Docker's (schema 2). */
export interface OciManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: OciDescriptor;
  readonly layers: readonly OciDescriptor[];
  readonly subject?: OciDescriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A multi-platform image: a manifest per platform. */
export interface OciIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly OciDescriptor[];
  readonly subject?: OciDescriptor;
}

/** An image's configuration: how its process is started, and its layers' uncompressed digests. */
export interface OciImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly created?: string;
  readonly config?: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly WorkingDir?: string;
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly StopSignal?: string;
  };
  readonly rootfs?: { readonly type: string; readonly diff_ids: readonly string[] };
}

const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPES.manifest, MEDIA_TYPES.dockerManifest];
const INDEX_TYPES: readonly string[] = [MEDIA_TYPES.index, MEDIA_TYPES.dockerList];
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TAG = /^\w[\w.-]{0,127}$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);
export const isTag = (text: string): boolean => TAG.test(text);
const isManifestType = (mediaType: string): boolean => MANIFEST_TYPES.includes(mediaType);
const isIndexType = (mediaType: string): boolean => INDEX_TYPES.includes(mediaType);

/**
 * Reads a manifest or an index.
 * @returns what it is, its media type (by the document itself, else as it was sent), or the reason why it is neither
 */
export function parseManifest(
  bytes: Uint8Array,
  sentAs?: string,
): ParsedManifest | { readonly kind: 'invalid'; readonly reason: string } {
  let document: Partial<OciManifest & OciIndex> | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<OciManifest & OciIndex> | null;
  } catch {
    return { kind: 'invalid', reason: 'not JSON' };
  }
  if (document === null || document.schemaVersion !== 2)
    return { kind: 'invalid', reason: 'schemaVersion must be 2' };
  const mediaType = document.mediaType ?? sentAs ?? guessType(document);
  if (sentAs !== undefined && document.mediaType !== undefined && sentAs !== document.mediaType) {
    return { kind: 'invalid', reason: `sent as ${sentAs}, but its mediaType is ${document.mediaType}` };
  }
  if (isIndexType(mediaType) && areDescriptors(document.manifests)) {
    return { kind: 'index', mediaType, index: document as OciIndex };
  }
  if (isManifestType(mediaType) && isDescriptor(document.config) && areDescriptors(document.layers)) {
    return { kind: 'manifest', mediaType, manifest: document as OciManifest };
  }
  return { kind: 'invalid', reason: `not a valid ${mediaType}` };
}

export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: OciManifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: OciIndex };

function guessType(document: Partial<OciManifest & OciIndex>): string {
  return document.manifests === undefined ? MEDIA_TYPES.manifest : MEDIA_TYPES.index;
}

function isDescriptor(value: unknown): value is OciDescriptor {
  const descriptor = value as Partial<OciDescriptor> | null | undefined;
  return (
    typeof descriptor?.digest === 'string' &&
    isDigest(descriptor.digest) &&
    typeof descriptor.mediaType === 'string' &&
    Number.isSafeInteger(descriptor.size)
  );
}

function areDescriptors(value: unknown): value is OciDescriptor[] {
  return Array.isArray(value) && value.every(isDescriptor);
}
