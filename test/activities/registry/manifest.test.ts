import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anImageOf, anIndex, aRegistry } from './aRegistry.ts';
import type { Registry } from './aRegistry.ts';

const COMMIT = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const services = [
  { name: 'web', repository: 'notes/web' },
  { name: 'api', repository: 'notes/api' },
];

let registry: Registry;
beforeAll(async () => {
  registry = await aRegistry();
});
afterAll(() => registry.close());

const find = (version: string, commit: string, of = services) =>
  registry.activities.findManifest({ registry: registry.policy, services: of, release: { version, commit } });

test('a release whose images have both tags is found with a digest per service', async () => {
  const web = await registry.push('notes/web', await anImageOf('web 1'), '1.0.0', COMMIT);
  const api = await registry.push('notes/api', await anImageOf('api 1'), '1.0.0', COMMIT);

  expect(await find('1.0.0', COMMIT)).toEqual({
    kind: 'found',
    manifest: { version: '1.0.0', commit: COMMIT, images: { web, api } },
  });
});

test('a multi-platform image is found by the digest of its index', async () => {
  const platforms = [
    await anImageOf('amd64'),
    await anImageOf('arm64'),
    await anImageOf('attestation'),
  ] as const;
  for (const image of platforms) await registry.push('notes/web', image);
  const commit = '1'.repeat(40);
  const index = await registry.push('notes/web', anIndex(...platforms), '1.1.0', commit);

  expect(await find('1.1.0', commit, [{ name: 'web', repository: 'notes/web' }])).toMatchObject({
    kind: 'found',
    manifest: { images: { web: index } },
  });
});

describe('a release is not built', () => {
  test('when no image has its tags', async () => {
    const lookup = await find('9.9.9', '9'.repeat(40));
    expect(lookup).toMatchObject({ kind: 'not built', missing: ['web', 'api'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringContaining(
        'web: notes/web has no image tagged 9.9.9; api: notes/api has no image tagged 9.9.9. Build and push',
      ),
    );
  });

  test('when only some services have it', async () => {
    const commit = '2'.repeat(40);
    await registry.push('notes/web', await anImageOf('web 2'), '1.2.0', commit);

    expect(await find('1.2.0', commit)).toMatchObject({ kind: 'not built', missing: ['api'] });
  });

  test('when an image has the commit but not the version', async () => {
    const commit = '3'.repeat(40);
    const digest = await registry.push('notes/web', await anImageOf('web 3'), commit);

    const lookup = await find('1.3.0', commit, [{ name: 'web', repository: 'notes/web' }]);
    expect(lookup).toMatchObject({ kind: 'not built', missing: ['web'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringContaining(`${digest.slice(0, 19)} is tagged with the commit`),
    );
  });

  test('when an image has the version but no commit at all', async () => {
    await registry.push('notes/web', await anImageOf('web 4'), '1.4.0', 'latest-ish');

    const lookup = await find('1.4.0', '4'.repeat(40), [{ name: 'web', repository: 'notes/web' }]);
    expect(lookup).toMatchObject({ kind: 'not built', missing: ['web'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringContaining('the image tagged 1.4.0 has no tag of a commit'),
    );
  });

  test('when its image was pushed without any tag', async () => {
    await registry.push('notes/web', await anImageOf('untagged'));
    expect(await find('1.5.0', '5'.repeat(40), [{ name: 'web', repository: 'notes/web' }])).toMatchObject({
      kind: 'not built',
    });
  });

  test('when a repository is not there', async () => {
    const lookup = await find('1.0.0', COMMIT, [{ name: 'worker', repository: 'notes/worker' }]);
    expect(lookup).toMatchObject({ kind: 'not built', missing: ['worker'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringContaining('the registry 123456789012 has no repository notes/worker'),
    );
  });
});

describe('a version belongs to another commit', () => {
  test('when the two tags are on different images', async () => {
    await registry.push('notes/api', await anImageOf('api 6'), '1.6.0', '6'.repeat(40));
    await registry.push('notes/api', await anImageOf('api 6b'), OTHER);

    const lookup = await find('1.6.0', OTHER, [{ name: 'api', repository: 'notes/api' }]);
    expect(lookup).toMatchObject({ kind: 'other commit', services: ['api'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringMatching(new RegExp(`built from ${'6'.repeat(40)}, but ${OTHER} is sha256:`)),
    );
  });

  test('when the version is built, and the commit was never', async () => {
    const built = '7'.repeat(40);
    await registry.push('notes/api', await anImageOf('api 7'), '1.7.0', built);

    const lookup = await find('1.7.0', 'c'.repeat(40), [{ name: 'api', repository: 'notes/api' }]);
    expect(lookup).toMatchObject({ kind: 'other commit', services: ['api'] });
    expect(lookup).toHaveProperty(
      'detail',
      expect.stringContaining(
        `api: notes/api: 1.7.0 was built from ${built}, not from ${'c'.repeat(40)}. A version is bound to one commit`,
      ),
    );
  });

  test('also when other services of it are missing', async () => {
    await registry.push('notes/api', await anImageOf('api 8'), '1.8.0', '8'.repeat(40));
    expect(await find('1.8.0', 'd'.repeat(40))).toMatchObject({ kind: 'other commit', services: ['api'] });
  });
});

test('an image that did not change between two releases belongs to both', async () => {
  const [first, second] = ['e'.repeat(40), 'f'.repeat(40)];
  const digest = await registry.push(
    'notes/api',
    await anImageOf('the same'),
    '2.0.0',
    first,
    '2.1.0',
    second,
  );
  const of = [{ name: 'api', repository: 'notes/api' }];

  expect(await find('2.0.0', first, of)).toMatchObject({
    kind: 'found',
    manifest: { images: { api: digest } },
  });
  expect(await find('2.1.0', second, of)).toMatchObject({
    kind: 'found',
    manifest: { images: { api: digest } },
  });
});
