import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { RegistryAccess } from './access.ts';
import type { BlobStore } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { isDigest } from './oci.ts';
import type { Image, Repositories } from './repositories.ts';

export interface RegistryRoutes {
  readonly access: RegistryAccess;
  readonly blobs: BlobStore;
  readonly repositories: Repositories;
  /** Makes durable what a request changed; awaited before its answer leaves. */
  readonly flush: () => Promise<void>;
}

/** One request of the distribution protocol, taken apart. `reference`: tag, digest or upload. */
interface Exchange extends RegistryRoutes {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly name: string;
  readonly reference: string;
}

type Handler = (exchange: Exchange) => Promise<void> | void;

// ECR's limit is 4 MiB, as in the specification.
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** The distribution protocol's ways, by what stands after the repository's name. */
const WAYS: readonly { readonly path: RegExp; readonly methods: Readonly<Record<string, Handler>> }[] = [
  { path: /^(.+)\/blobs\/uploads\/?()$/, methods: { POST: startUpload } },
  {
    path: /^(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: showUpload, PATCH: addToUpload, PUT: finishUpload, DELETE: cancelUpload },
  },
  { path: /^(.+)\/blobs\/([^/]+)$/, methods: { GET: sendBlob, HEAD: sendBlob } },
  {
    path: /^(.+)\/manifests\/([^/]+)$/,
    methods: { GET: sendManifest, HEAD: sendManifest, PUT: takeManifest, DELETE: deleteManifest },
  },
  { path: /^(.+)\/tags\/list()$/, methods: { GET: listTags } },
];

/** Answers one request under `/v2/`. Never throws: a failure is an answer too. */
export async function handleRegistry(
  routes: RegistryRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  try {
    await answer(routes, request, response);
  } catch (error) {
    sendError(request, response, error);
  }
}

async function answer(
  routes: RegistryRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry');
  routes.access.check(request.headers.authorization);
  const path = decodeURIComponent(url.pathname.slice('/v2/'.length));
  if (path === '') return void response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  for (const way of WAYS) {
    const [, name, reference] = way.path.exec(path) ?? [];
    if (name === undefined || reference === undefined) continue;
    const handler = way.methods[request.method ?? ''];
    if (handler === undefined)
      throw new RegistryError('UNSUPPORTED', `${request.method} isn't supported here`);
    if (!NAME.test(name)) throw new RegistryError('NAME_INVALID', `'${name}' isn't a valid repository name`);
    routes.repositories.get(name);
    return handler({ ...routes, request, response, query: url.searchParams, name, reference });
  }
  throw new RegistryError('UNSUPPORTED', `There is nothing at ${url.pathname}`, { status: 404 });
}

async function startUpload(exchange: Exchange): Promise<void> {
  const { blobs, repositories, name, query, request } = exchange;
  const mount = query.get('mount');
  if (mount !== null && isDigest(mount) && repositories.hasBlob(query.get('from') ?? '', mount)) {
    repositories.linkBlob(name, mount);
    return created(exchange, 'blobs', mount);
  }
  const upload = await blobs.startUpload();
  const digest = query.get('digest');
  if (digest === null) return progress(exchange, upload, 202);
  await blobs.append(upload, request);
  return keep(exchange, upload, digest);
}

async function showUpload(exchange: Exchange): Promise<void> {
  await progress(exchange, exchange.reference, 204);
}

async function addToUpload(exchange: Exchange): Promise<void> {
  const { blobs, reference, request } = exchange;
  await blobs.append(reference, request, chunkStart(request));
  await progress(exchange, reference, 202);
}

async function finishUpload(exchange: Exchange): Promise<void> {
  const { blobs, query, reference, request } = exchange;
  const digest = query.get('digest');
  if (digest === null) throw new RegistryError('DIGEST_INVALID', 'The query must have the digest');
  await blobs.append(reference, request, chunkStart(request));
  await keep(exchange, reference, digest);
}

async function cancelUpload({ blobs, reference, response }: Exchange): Promise<void> {
  await blobs.cancelUpload(reference);
  response.writeHead(204).end();
}

async function keep(exchange: Exchange, upload: string, digest: string): Promise<void> {
  await exchange.blobs.finishUpload(upload, digest);
  exchange.repositories.linkBlob(exchange.name, digest);
  await created(exchange, 'blobs', digest);
}

async function created(exchange: Exchange, kind: 'blobs' | 'manifests', digest: string): Promise<void> {
  const { flush, name, reference, response } = exchange;
  await flush();
  const location = `/v2/${name}/${kind}/${kind === 'manifests' ? reference : digest}`;
  response.writeHead(201, { Location: location, 'Docker-Content-Digest': digest, 'Content-Length': 0 }).end();
}

async function progress({ blobs, name, response }: Exchange, upload: string, status: number): Promise<void> {
  const size = await blobs.uploadedSize(upload);
  response
    .writeHead(status, {
      Location: `/v2/${name}/blobs/uploads/${upload}`,
      'Docker-Upload-UUID': upload,
      Range: `0-${Math.max(size - 1, 0)}`,
      ...(status === 204 ? {} : { 'Content-Length': 0 }),
    })
    .end();
}

function chunkStart(request: IncomingMessage): number | undefined {
  const range = request.headers['content-range'];
  if (range === undefined) return undefined;
  const start = /^(?:bytes )?(\d+)-\d+/.exec(range)?.[1];
  if (start === undefined)
    throw new RegistryError('BLOB_UPLOAD_INVALID', `Content-Range ${range} isn't start-end`);
  return Number(start);
}

async function sendBlob({
  blobs,
  name,
  reference,
  repositories,
  request,
  response,
}: Exchange): Promise<void> {
  if (!isDigest(reference)) throw new RegistryError('DIGEST_INVALID', `${reference} isn't a sha256 digest`);
  const size = repositories.hasBlob(name, reference) ? await blobs.size(reference) : undefined;
  if (size === undefined) throw new RegistryError('BLOB_UNKNOWN', `There is no blob ${reference} in ${name}`);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Docker-Content-Digest': reference,
  });
  if (request.method === 'HEAD') return void response.end();
  await pipeline(blobs.stream(reference), response);
}

async function sendManifest(exchange: Exchange): Promise<void> {
  const { blobs, request, response } = exchange;
  const image = imageOf(exchange);
  const bytes = await blobs.read(image.digest);
  response.writeHead(200, {
    'Content-Type': image.mediaType,
    'Content-Length': bytes.length,
    'Docker-Content-Digest': image.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function takeManifest(exchange: Exchange): Promise<void> {
  const { name, reference, repositories, request } = exchange;
  const bytes = await buffer(request);
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new RegistryError('SIZE_INVALID', 'A manifest has 4 MiB at most', { status: 413 });
  }
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim();
  const { image } = await repositories.putManifest(name, reference, bytes, mediaType);
  await created(exchange, 'manifests', image.digest);
}

async function deleteManifest(exchange: Exchange): Promise<void> {
  const { flush, name, reference, repositories, response } = exchange;
  imageOf(exchange);
  repositories.deleteImage(name, reference);
  await flush();
  response.writeHead(202, { 'Content-Length': 0 }).end();
}

function imageOf({ name, reference, repositories }: Exchange): Image {
  const image = repositories.image(name, reference);
  if (image === undefined)
    throw new RegistryError('MANIFEST_UNKNOWN', `Requested image not found: ${name}, ${reference}`);
  return image;
}

function listTags({ name, query, repositories, response }: Exchange): void {
  const after = query.get('last') ?? '';
  const limit = query.has('n') ? Number(query.get('n')) : Infinity;
  if (Number.isNaN(limit) || limit < 0)
    throw new RegistryError('UNSUPPORTED', 'n must be a number', { status: 400 });
  const rest = Object.keys(repositories.tags(name))
    .toSorted()
    .filter((tag) => tag > after);
  const tags = rest.slice(0, limit);
  const last = tags.at(-1);
  if (last !== undefined && rest.length > tags.length) {
    response.setHeader(
      'Link',
      `</v2/${name}/tags/list?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"`,
    );
  }
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ name, tags }));
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // An answer that has begun can only be broken off: the client sees that it is short.
  if (response.headersSent) return void response.destroy();
  const known = error instanceof RegistryError ? error : undefined;
  const body = known?.toBody() ?? { errors: [{ code: 'UNKNOWN', message: String(error) }] };
  if (known?.code === 'UNAUTHORIZED') {
    response.setHeader(
      'WWW-Authenticate',
      `Basic realm="http://${request.headers.host}/",service="ecr.amazonaws.com"`,
    );
  }
  response.writeHead(known?.status ?? 500, { 'Content-Type': 'application/json' });
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
}
