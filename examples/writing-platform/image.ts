import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { extract, pack } from 'tar-stream';

/** Something that a registry keeps by its digest. */
export interface Blob {
  readonly mediaType: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly content: Buffer;
}

export interface Image {
  readonly service: string;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layer: Blob;
}

export interface Source {
  /** A git repository's folder. */
  readonly repository: string;
  /** Full hash. */
  readonly commit: string;
  readonly version: string;
}

interface File {
  readonly path: string;
  readonly executable: boolean;
  readonly content: Buffer;
}

const CODE_HEADER = { uid: 0, gid: 0, uname: '', gname: '' };

/** The services that there are at a commit: folders in `services` that hold a server. */
export async function listServices({ repository, commit }: Source): Promise<string[]> {
  const { stdout } = await execa('git', ['ls-tree', '-r', '--name-only', commit, '--', 'services/'], {
    cwd: repository,
  });
  return stdout.split('\n').flatMap((path) => /^services\/([^/]+)\/server\.mjs$/.exec(path)?.[1] ?? []);
}

/**
 * Packs a service as it is at a commit into an OCI image. The same source gives the same bytes: times are the commit's,
 * files belong to root, in the order of their paths.
 *
 * The image holds the service alone, without Node: whatever starts it must bring that. Dockerfiles make the ones that don't.
 */
export async function buildImage(service: string, source: Source): Promise<Image> {
  const created = await commitTime(source);
  const archive = await packFiles(await readFiles(service, source), created);
  const layer = blob('application/vnd.oci.image.layer.v1.tar+gzip', gzip(archive));
  const config = blob(
    'application/vnd.oci.image.config.v1+json',
    json({
      created: created.toISOString(),
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {
        User: '1000:1000',
        Env: ['NODE_ENV=production', `SERVICE_VERSION=${source.version}`, `SERVICE_COMMIT=${source.commit}`],
        Entrypoint: ['node', '/app/server.mjs'],
        WorkingDir: '/app',
        ExposedPorts: { '8080/tcp': {} },
        Labels: labels(service, source),
      },
      rootfs: { type: 'layers', diff_ids: [digestOf(archive)] },
      history: [{ created: created.toISOString(), created_by: 'publish' }],
    }),
  );
  const manifest = blob(
    'application/vnd.oci.image.manifest.v1+json',
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor(config),
      layers: [descriptor(layer)],
      annotations: labels(service, source),
    }),
  );
  return { service, manifest, config, layer };
}

export const REVISION = 'org.opencontainers.image.revision';
export const VERSION = 'org.opencontainers.image.version';

function labels(service: string, { version, commit }: Source): Record<string, string> {
  return { [REVISION]: commit, 'org.opencontainers.image.title': service, [VERSION]: version };
}

async function commitTime({ repository, commit }: Source): Promise<Date> {
  const { stdout } = await execa('git', ['show', '--no-patch', '--format=%ct', commit], { cwd: repository });
  return new Date(Number(stdout) * 1000);
}

/** The service's own files in /app, what services share in /shared: so relative imports hold as in the repository. */
async function readFiles(service: string, { repository, commit }: Source): Promise<File[]> {
  const folders = [`services/${service}`, 'services/shared'];
  const archive = await execa('git', ['archive', '--format=tar', commit, '--', ...folders], {
    cwd: repository,
    encoding: 'buffer',
  });
  const files: File[] = [];
  for await (const entry of Readable.from([archive.stdout]).pipe(extract())) {
    const { name, type, mode } = entry.header;
    const content = await buffer(entry);
    if (type !== 'file' || name.endsWith('/Dockerfile')) continue;
    const path = name.replace(`services/${service}/`, 'app/').replace('services/shared/', 'shared/');
    files.push({ path, executable: (mode & 0o100) !== 0, content });
  }
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

async function packFiles(files: readonly File[], mtime: Date): Promise<Buffer> {
  const archive = pack();
  const written = buffer(archive);
  for (const name of foldersOf(files)) {
    archive.entry({ ...CODE_HEADER, name, type: 'directory', mode: 0o755, mtime });
  }
  for (const { path, executable, content } of files) {
    archive.entry({ ...CODE_HEADER, name: path, mode: executable ? 0o755 : 0o644, mtime }, content);
  }
  archive.finalize();
  return written;
}

function foldersOf(files: readonly File[]): string[] {
  const folders = files.flatMap(({ path }) => {
    const steps = path.split('/').slice(0, -1);
    return steps.map((_, i) => steps.slice(0, i + 1).join('/'));
  });
  return [...new Set(folders)].toSorted();
}

function gzip(content: Buffer): Buffer {
  const compressed = gzipSync(content, { level: 9 });
  // The tenth byte names the operating system (RFC 1952, 2.3.1): 255 is none in particular.
  compressed[9] = 255;
  return compressed;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function blob(mediaType: string, content: Buffer): Blob {
  return { mediaType, digest: digestOf(content), content };
}

function descriptor({ mediaType, digest, content }: Blob): object {
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
