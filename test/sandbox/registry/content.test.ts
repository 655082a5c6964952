import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lstat, mkdir, readFile, readdir, readlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { aRegistry } from './aRegistry.ts';
import type { RegistryServer } from './aRegistry.ts';
import { anImage, digestOf } from './images.ts';
import type { Entry } from './images.ts';

let server: RegistryServer;
beforeEach(async () => {
  server = await aRegistry();
});
afterEach(() => server.close());

async function unpacked(...layers: Entry[][]): Promise<string> {
  const image = await anImage(layers);
  await server.push('app', '1.0.0', image);
  return server.registry.images.unpack(image.digest);
}

describe('resolve', () => {
  test('finds an image by tag and by digest, with its configuration', async () => {
    const image = await anImage([[{ name: 'a' }]], { config: { Cmd: ['node', 'x.js'], WorkingDir: '/app' } });
    await server.push('app', '1.0.0', image);

    for (const reference of ['1.0.0', image.digest]) {
      const found = await server.registry.images.resolve('app', reference);
      expect(found?.digest).toBe(image.digest);
      expect(found?.config.config).toEqual({ Cmd: ['node', 'x.js'], WorkingDir: '/app' });
    }
    expect(await server.registry.images.resolve('app', '2.0.0')).toBeUndefined();
    expect(await server.registry.images.resolve('base', image.digest)).toBeUndefined();
  });

  test("takes this machine's platform out of an index, under the index's digest", async () => {
    const [other, own] = [await anImage([[{ name: 'other' }]]), await anImage([[{ name: 'own' }]])];
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const manifests = [
      { image: other, platform: { os: 'linux', architecture: 's390x' } },
      { image: own, platform: { os: 'linux', architecture } },
    ].map(({ image, platform }) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: image.digest,
      size: image.manifest.length,
      platform,
    }));
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    for (const image of [other, own]) await server.push('app', image.digest, image);
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    const pushed = await server.ask('/v2/app/manifests/multi', { method: 'PUT', body });
    const digest = pushed.headers.get('docker-content-digest') ?? '';

    const found = await server.registry.images.resolve('app', 'multi');

    expect(found?.digest).toBe(digest);
    expect(await readdir(await server.registry.images.unpack(digest))).toEqual(['own']);
  });
});

describe('unpack', () => {
  test('lays layers over each other and keeps modes', async () => {
    const root = await unpacked(
      [
        { name: 'bin/', type: 'directory', mode: 0o755 },
        { name: 'bin/run', body: 'old', mode: 0o644 },
        { name: 'etc/keep', body: 'kept' },
      ],
      [{ name: 'bin/run', body: 'new', mode: 0o755 }],
    );

    expect(await readFile(join(root, 'bin/run'), 'utf8')).toBe('new');
    expect((await lstat(join(root, 'bin/run'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(root, 'etc/keep'), 'utf8')).toBe('kept');
  });

  test('a whiteout hides what a lower layer brought, an opaque one all of a directory', async () => {
    const root = await unpacked(
      [
        { name: 'a/gone', body: '1' },
        { name: 'a/stays', body: '1' },
        { name: 'b/gone', body: '1' },
        { name: 'b/deep/gone', body: '1' },
      ],
      [
        { name: 'b/deep/new', body: '2' },
        { name: 'b/new', body: '2' },
        { name: 'a/.wh.gone' },
        { name: 'b/.wh..wh..opq' },
      ],
    );

    expect(await readdir(join(root, 'a'))).toEqual(['stays']);
    expect((await readdir(join(root, 'b'))).toSorted()).toEqual(['deep', 'new']);
    expect(await readdir(join(root, 'b/deep'))).toEqual(['new']);
  });

  test('an absolute link means the file in the image', async () => {
    const root = await unpacked([
      { name: 'usr/bin/tool', body: 'tool' },
      { name: 'bin', type: 'symlink', linkname: '/usr/bin' },
      { name: 'bin/second', body: 'written through the link' },
      { name: 'usr/bin/hard', type: 'link', linkname: 'usr/bin/tool' },
    ]);

    expect(await readlink(join(root, 'bin'))).toBe('usr/bin');
    expect(await readFile(join(root, 'bin/tool'), 'utf8')).toBe('tool');
    expect(await readFile(join(root, 'usr/bin/second'), 'utf8')).toBe('written through the link');
    expect(await readFile(join(root, 'usr/bin/hard'), 'utf8')).toBe('tool');
  });

  test.each<[string, Entry[]]>([
    ['a path that climbs out', [{ name: '../outside', body: 'x' }]],
    ['a link that leads out', [{ name: 'a/out', type: 'symlink', linkname: '../../../etc' }]],
    ['a hard link that leads out', [{ name: 'out', type: 'link', linkname: '../../etc/passwd' }]],
    ['a device', [{ name: 'dev/sda', type: 'block-device', devmajor: 8, devminor: 0 }]],
    ['a fifo', [{ name: 'pipe', type: 'fifo' }]],
  ])('%s is refused and leaves nothing behind', async (_, entries) => {
    await expect(unpacked([{ name: 'fine', body: 'x' }, ...entries])).rejects.toThrow(
      /leads out|must not bring/,
    );
    expect(await readdir(join(server.stateDir, 'images'))).toEqual([]);
  });

  test('an image is extracted once, whoever asks', async () => {
    const image = await anImage([[{ name: 'a', body: 'x' }]]);
    await server.push('app', '1.0.0', image);
    const { images } = server.registry;

    const roots = await Promise.all([images.unpack(image.digest), images.unpack(image.digest)]);
    const before = await lstat(roots[0]);
    const later = await images.unpack(image.digest);

    expect(new Set([...roots, later]).size).toBe(1);
    expect((await lstat(later)).ino).toBe(before.ino);
  });

  test.each(['', '+gzip', '+zstd'] as const)('reads layers of type tar%s', async (compression) => {
    const image = await anImage([[{ name: 'a', body: 'x'.repeat(100_000) }]], {}, compression);
    await server.push('app', '1.0.0', image);

    const root = await server.registry.images.unpack(image.digest);

    expect((await readFile(join(root, 'a'), 'utf8')).length).toBe(100_000);
  });

  test('a layer that is cut off, or no image at all, is an error', async () => {
    const image = await anImage([[{ name: 'a', body: 'x'.repeat(100_000) }]]);
    await server.push('app', '1.0.0', image);
    const layer = join(
      server.stateDir,
      'registry/blobs/sha256',
      digestOf(image.blobs[1] ?? image.manifest).slice(7),
    );
    await truncate(layer, 60);

    await expect(server.registry.images.unpack(image.digest)).rejects.toThrow("The layer can't be extracted");
    await expect(server.registry.images.unpack(digestOf(Buffer.from('none')))).rejects.toThrow(
      'There is no image',
    );
    expect(await readdir(join(server.stateDir, 'images'))).toEqual([]);
  });

  test('what a killed run left half extracted is removed, what is whole stays', async () => {
    const image = await anImage([[{ name: 'a', body: 'x' }]]);
    await server.push('app', '1.0.0', image);
    await server.registry.images.unpack(image.digest);
    await mkdir(join(server.stateDir, 'images/.half'));
    await server.close({ keep: true });

    server = await aRegistry(server.stateDir);

    expect(await readdir(join(server.stateDir, 'images'))).toEqual([image.digest.slice('sha256:'.length)]);
  });
});
