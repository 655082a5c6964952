import { chmod, link, lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const MAX_LINKS = 40;

/** A layer that must not be, or can't be, extracted. */
export class LayerError extends Error {
  override readonly name = 'LayerError';
}

/**
 * Extracts a layer over `root`. Nothing is written outside it: links on an entry's way are followed as under a
 * chroot. An absolute symbolic link is made relative, so that it means the image's file without one.
 * @throws LayerError for path traversal, links that lead out, device files, or a file that is not a layer
 */
export async function extractLayer(content: Readable, mediaType: string, root: string): Promise<void> {
  const layer = new Layer(root);
  const entries = extract();
  // In parallel with the reading below; its failure reaches the loop, for `pipeline` destroys `entries`.
  const reading = pipeline(content, decompressor(mediaType), entries);
  reading.catch(() => undefined);
  try {
    for await (const entry of entries) {
      // streamx types its streams without the chunks' type; a tar entry's are bytes.
      await layer.add(entry.header, entry as unknown as AsyncIterable<Uint8Array>);
      entry.resume();
    }
    await reading;
  } catch (error) {
    entries.destroy();
    if (error instanceof LayerError) throw error;
    throw new LayerError(`The layer can't be extracted: ${String(error)}`, { cause: error });
  }
}

function decompressor(mediaType: string): Transform {
  if (mediaType.endsWith('gzip')) return createGunzip();
  if (mediaType.endsWith('zstd')) return createZstdDecompress();
  if (mediaType.endsWith('tar')) return new PassThrough();
  throw new LayerError(`A layer of type ${mediaType} isn't supported`);
}

class Layer {
  readonly #root: string;
  /** What this layer brought: a whiteout hides lower layers only. */
  readonly #written = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async add(header: Header, content: AsyncIterable<Uint8Array>): Promise<void> {
    const name = normalise(header.name);
    const base = name.split('/').at(-1) ?? '';
    const directory = await inside(this.#root, dirname(name));
    if (base === OPAQUE) return this.#clear(directory);
    if (base.startsWith(WHITEOUT)) {
      const hidden = join(directory, base.slice(WHITEOUT.length));
      if (dirname(hidden) !== directory) throw new LayerError(`The whiteout ${header.name} names no entry`);
      return void (this.#written.has(hidden) || (await rm(hidden, { recursive: true, force: true })));
    }
    const target = name === '.' ? this.#root : join(directory, base);
    this.#written.add(target);
    await mkdir(directory, { recursive: true });
    await this.#write(header, target, content);
  }

  async #write(header: Header, target: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (header.type === 'directory') return makeDirectory(target, header.mode);
    await rm(target, { recursive: true, force: true });
    switch (header.type) {
      case 'file':
      case 'contiguous-file':
        return writeFile(target, header.mode, content);
      case 'symlink':
        return symlink(this.#symlinkTarget(header, target), target);
      case 'link':
        return link(await inside(this.#root, normalise(header.linkname)), target);
      case 'character-device':
      case 'block-device':
      case 'fifo':
        throw new LayerError(`${header.name} is a ${header.type}: an image must not bring one`);
    }
  }

  #symlinkTarget(header: Header, target: string): string {
    const to = header.linkname;
    if (to.startsWith('/')) return relative(dirname(target), join(this.#root, to)) || '.';
    const end = join(dirname(target), to);
    if (!isUnder(this.#root, end))
      throw new LayerError(`The link ${header.name} -> ${to} leads out of the image`);
    return to;
  }

  async #clear(directory: string): Promise<void> {
    const kept = [...this.#written];
    for (const name of await readdir(directory).catch(() => [])) {
      const child = join(directory, name);
      if (!kept.some((path) => isUnder(child, path))) await rm(child, { recursive: true, force: true });
      else if (!this.#written.has(child)) await this.#clear(child);
      else if ((await lstat(child)).isDirectory()) await this.#clear(child);
    }
  }
}

function normalise(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0'))
    throw new LayerError(`The entry ${name} leads out of the image`);
  return parts.join('/') || '.';
}

const isUnder = (root: string, path: string): boolean => path === root || path.startsWith(`${root}/`);

/** Where `path` is under `root` when every symbolic link on the way is read as it would be under a chroot. */
async function inside(root: string, path: string): Promise<string> {
  let current = root;
  let todo = path.split('/');
  let links = 0;
  while (todo.length > 0) {
    const [part = '', ...rest] = todo;
    todo = rest;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      current = current === root ? root : dirname(current);
      continue;
    }
    const next = join(current, part);
    const target = await readlink(next).catch(() => undefined);
    if (target === undefined) {
      current = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new LayerError(`Too many symbolic links on the way to ${path}`);
    if (target.startsWith('/')) current = root;
    todo = [...target.split('/'), ...rest];
  }
  return current;
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) await rm(path, { force: true });
  await mkdir(path, { recursive: true });
  // The owner keeps all rights: later layers and the clean-up must get in.
  await chmod(path, (mode & 0o777) | 0o700);
}

async function writeFile(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', mode & 0o777);
  try {
    for await (const chunk of content) await file.write(chunk);
    await file.chmod(mode & 0o777);
  } finally {
    await file.close();
  }
}
