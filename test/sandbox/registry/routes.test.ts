import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { aRegistry } from './aRegistry.ts';
import type { RegistryServer } from './aRegistry.ts';
import { anImage, digestOf } from './images.ts';

let server: RegistryServer;
beforeEach(async () => {
  server = await aRegistry();
});
afterEach(() => server.close());

const codeOf = async (response: Response): Promise<string | undefined> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code;

describe('blobs', () => {
  const blob = Buffer.from('some content');
  const digest = digestOf(blob);

  test('an upload in chunks gives back the same bytes', async () => {
    const started = await server.ask('/v2/app/blobs/uploads/', { method: 'POST' });
    const location = started.headers.get('location') ?? '';
    const chunk = (start: number, end: number): Promise<Response> =>
      server.ask(location, {
        method: 'PATCH',
        body: blob.subarray(start, end),
        headers: { 'content-range': `${start}-${end - 1}` },
      });

    expect((await chunk(0, 4)).headers.get('range')).toBe('0-3');
    expect((await chunk(6, 8)).status).toBe(416);
    expect((await chunk(4, 8)).status).toBe(202);
    expect((await server.ask(location)).headers.get('range')).toBe('0-7');
    const finished = await server.ask(`${location}?digest=${digest}`, {
      method: 'PUT',
      body: blob.subarray(8),
    });

    expect(finished.status).toBe(201);
    expect(await (await server.ask(`/v2/app/blobs/${digest}`)).text()).toBe('some content');
    expect(
      (await server.ask(`/v2/app/blobs/${digest}`, { method: 'HEAD' })).headers.get('content-length'),
    ).toBe('12');
  });

  test('content that is not what the digest says is refused and not kept', async () => {
    const wrong = digestOf(Buffer.from('other'));
    const answer = await server.ask(`/v2/app/blobs/uploads/?digest=${wrong}`, { method: 'POST', body: blob });

    expect([answer.status, await codeOf(answer)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await server.ask(`/v2/app/blobs/${wrong}`, { method: 'HEAD' })).status).toBe(404);
    expect(await server.registry.blobs.has(digest)).toBe(false);
  });

  test('a blob is seen in the repositories that it was pushed to or mounted into, and no other', async () => {
    await server.ask(`/v2/app/blobs/uploads/?digest=${digest}`, { method: 'POST', body: blob });
    expect((await server.ask(`/v2/base/blobs/${digest}`)).status).toBe(404);

    const mounted = await server.ask(`/v2/base/blobs/uploads/?mount=${digest}&from=app`, { method: 'POST' });

    expect(mounted.status).toBe(201);
    expect((await server.ask(`/v2/base/blobs/${digest}`)).status).toBe(200);
  });

  test('a mount of what is not there falls back to an upload', async () => {
    const answer = await server.ask(`/v2/base/blobs/uploads/?mount=${digest}&from=app`, { method: 'POST' });
    expect(answer.status).toBe(202);
    expect((await server.ask(answer.headers.get('location') ?? '', { method: 'DELETE' })).status).toBe(204);
  });
});

describe('manifests', () => {
  test('a pushed image is found by tag and by digest', async () => {
    const image = await anImage([[{ name: 'main.js', body: '1' }]]);
    const pushed = await server.push('app', '1.0.0', image);

    expect(pushed.headers.get('docker-content-digest')).toBe(image.digest);
    for (const reference of ['1.0.0', image.digest]) {
      const found = await server.ask(`/v2/app/manifests/${reference}`);
      expect(Buffer.from(await found.arrayBuffer())).toEqual(image.manifest);
      expect(found.headers.get('content-type')).toBe('application/vnd.oci.image.manifest.v1+json');
    }
  });

  test('an immutable tag stays on its digest; pushing the same again changes nothing', async () => {
    const [first, second] = [await anImage([[{ name: 'a' }]]), await anImage([[{ name: 'b' }]])];
    await server.push('app', '1.0.0', first);

    const moved = await server.push('app', '1.0.0', second);
    const again = await server.push('app', '1.0.0', first);

    expect([moved.status, await codeOf(moved)]).toEqual([400, 'TAG_INVALID']);
    expect(again.status).toBe(201);
    expect(server.registry.repositories.tags('app')).toEqual({ '1.0.0': first.digest });
  });

  test('of two images that are pushed to an immutable tag at once, one gets it', async () => {
    const images = await Promise.all(['a', 'b', 'c', 'd'].map((name) => anImage([[{ name }]])));

    const answers = await Promise.all(images.map((image) => server.push('app', '1.0.0', image)));

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400, 400, 400]);
    const winner = images[answers.findIndex(({ status }) => status === 201)];
    expect(server.registry.repositories.tags('app')).toEqual({ '1.0.0': winner?.digest });
  });

  test('a mutable tag moves', async () => {
    const [first, second] = [await anImage([[{ name: 'a' }]]), await anImage([[{ name: 'b' }]])];
    await server.push('base', 'latest', first);
    expect((await server.push('base', 'latest', second)).status).toBe(201);
    expect(server.registry.repositories.image('base', 'latest')?.digest).toBe(second.digest);
  });

  test.each(['constructor', '__proto__'])('%s is a tag as any other', async (tag) => {
    const image = await anImage([[{ name: 'a' }]]);
    expect((await server.ask(`/v2/app/manifests/${tag}`)).status).toBe(404);
    expect((await server.push('app', tag, image)).status).toBe(201);
    expect((await server.ask(`/v2/app/manifests/${tag}`)).headers.get('docker-content-digest')).toBe(
      image.digest,
    );
  });

  test.each([
    ['whose blobs are missing', 404, 'MANIFEST_BLOB_UNKNOWN'],
    ['that is not JSON', 400, 'MANIFEST_INVALID'],
    ['under another digest', 400, 'DIGEST_INVALID'],
  ])('a manifest %s is refused', async (why, status, code) => {
    const image = await anImage([[{ name: 'a' }]]);
    if (why.includes('digest')) await server.push('app', 'good', image);
    const reference = why.includes('digest') ? digestOf(Buffer.from('x')) : '1.0.0';
    const body = why.includes('JSON') ? Buffer.from('{') : image.manifest;

    const answer = await server.ask(`/v2/app/manifests/${reference}`, { method: 'PUT', body });

    expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
    expect(server.registry.repositories.image('app', '1.0.0')).toBeUndefined();
  });

  test('deleting by tag leaves an image that has another tag; by digest nothing', async () => {
    const image = await anImage([[{ name: 'a' }]]);
    await server.push('app', 'one', image);
    await server.push('app', 'two', image);

    await server.ask('/v2/app/manifests/one', { method: 'DELETE' });
    expect(server.registry.repositories.image('app', image.digest)?.tags).toEqual(['two']);
    await server.ask(`/v2/app/manifests/${image.digest}`, { method: 'DELETE' });

    expect((await server.ask('/v2/app/manifests/two')).status).toBe(404);
    expect(server.registry.repositories.images('app')).toEqual([]);
  });
});

test('tags are listed in pages', async () => {
  const image = await anImage([[{ name: 'a' }]]);
  for (const tag of ['c', 'a', 'b']) await server.push('app', tag, image);

  const first = await server.ask('/v2/app/tags/list?n=2');
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await server.ask(next);

  expect(await first.json()).toEqual({ name: 'app', tags: ['a', 'b'] });
  expect(await second.json()).toEqual({ name: 'app', tags: ['c'] });
  expect(second.headers.get('link')).toBeNull();
});

test('a repository that ECR did not create is unknown', async () => {
  const answer = await server.ask('/v2/other/blobs/uploads/', { method: 'POST' });
  expect([answer.status, await codeOf(answer)]).toEqual([404, 'NAME_UNKNOWN']);
});

test.each([
  ['none', {}, 401, 'UNAUTHORIZED'],
  ['made up', { authorization: `Basic ${Buffer.from('AWS:x.y').toString('base64')}` }, 403, 'DENIED'],
])('credentials that are %s are refused', async (_, headers, status, code) => {
  const answer = await fetch(`${server.url}/v2/`, { headers });
  expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
});

test('images, tags and credentials survive a restart', async () => {
  const image = await anImage([[{ name: 'a', body: 'x' }]]);
  await server.push('app', '1.0.0', image);
  const { password } = server.registry.access.issue();
  const directory = server.stateDir;
  await server.close({ keep: true });
  server = await aRegistry(directory);

  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;
  const answer = await fetch(`${server.url}/v2/app/manifests/1.0.0`, { headers: { authorization } });

  expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
});
