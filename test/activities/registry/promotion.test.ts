import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BuiltImage } from '../../sandbox/registry/images.ts';
import { anImageOf, aLock, aRegistry } from './aRegistry.ts';
import type { Registry } from './aRegistry.ts';

const TAG = 'production-1.0.0';
const services = [
  { name: 'web', repository: 'notes/web' },
  { name: 'api', repository: 'notes/api' },
];

let registry: Registry;
let images: Record<string, string>;
/** Of web. */
let image: BuiltImage;
beforeEach(async () => {
  registry = await aRegistry();
  images = await pushRelease();
});
afterEach(() => registry.close());

async function pushRelease(): Promise<Record<string, string>> {
  // An image tells when it was built: built anew a second later it is another one.
  image = await anImageOf('web');
  return {
    web: await registry.push('notes/web', image, '1.0.0'),
    api: await registry.push('notes/api', await anImageOf('api'), '1.0.0'),
  };
}

const input = () => ({
  registry: registry.policy,
  services,
  manifest: { version: '1.0.0', commit: 'a'.repeat(40), images },
  tag: TAG,
  lock: aLock,
});
const tags = async () => [
  await registry.tagsOf('notes/web', images['web'] ?? ''),
  await registry.tagsOf('notes/api', images['api'] ?? ''),
];

describe('a promotion', () => {
  test("puts the tag on the release's digests, with the lock asserted before each write", async () => {
    expect(await registry.activities.promoteImages(input())).toEqual(['web', 'api']);
    expect(await tags()).toEqual([
      ['1.0.0', TAG],
      ['1.0.0', TAG],
    ]);
    expect(registry.asserted()).toBe(2);
  });

  test('done again changes nothing', async () => {
    await registry.activities.promoteImages(input());
    expect(await registry.activities.promoteImages(input())).toEqual([]);
    expect(registry.asserted()).toBe(2);
  });

  test('that was cut short goes on where it was', async () => {
    await registry.activities.promoteImages({ ...input(), services: services.slice(0, 1) });
    expect(await registry.activities.promoteImages(input())).toEqual(['api']);
  });

  test.each(['IMMUTABLE', 'MUTABLE'] as const)(
    'never moves a tag, in a repository with %s tags',
    async (mutability) => {
      await registry.close();
      registry = await aRegistry({ mutability });
      images = await pushRelease();
      const other = await registry.push('notes/api', await anImageOf('other'), TAG);

      await expect(registry.activities.promoteImages(input())).rejects.toMatchObject({
        type: 'TagConflict',
        nonRetryable: true,
        message: expect.stringContaining(
          `In notes/api the tag ${TAG} is on ${other}, not on the release's ${images['api']}`,
        ),
      });
      expect(await registry.tagsOf('notes/api', other)).toEqual([TAG]);
    },
  );

  test('is done when the tag comes between look and write, on the same image', async () => {
    const [web] = services;
    registry.beforeWrite(() => registry.push('notes/web', image, TAG));
    expect(await registry.activities.promoteImages({ ...input(), services: web ? [web] : [] })).toEqual([]);
    expect(await registry.tagsOf('notes/web', images['web'] ?? '')).toEqual(['1.0.0', TAG]);
  });

  test('is refused when the tag comes between look and write, on another image', async () => {
    registry.beforeWrite(async () => registry.push('notes/web', await anImageOf('other'), TAG));
    await expect(registry.activities.promoteImages(input())).rejects.toMatchObject({
      type: 'TagConflict',
      nonRetryable: true,
    });
  });

  test('of an image that is gone says so', async () => {
    images = { ...images, api: `sha256:${'0'.repeat(64)}` };
    await expect(registry.activities.promoteImages(input())).rejects.toMatchObject({
      type: 'ImageGone',
      nonRetryable: true,
    });
  });

  test('of a release without one of the services says so', async () => {
    images = { web: images['web'] ?? '' };
    await expect(registry.activities.promoteImages(input())).rejects.toMatchObject({
      type: 'ManifestIncomplete',
      nonRetryable: true,
    });
  });
});

describe('a promotion that was there before the run', () => {
  test('is told from what the run adds, so that its undo leaves it', async () => {
    const [web] = services;
    await registry.activities.promoteImages({ ...input(), services: web ? [web] : [] });

    const before = await registry.activities.existingPromotions(input());
    await registry.activities.promoteImages(input());
    const added = services.filter(({ name }) => !before.includes(name));
    await registry.activities.withdrawPromotion({ ...input(), services: added });

    expect(before).toEqual(['web']);
    expect(await tags()).toEqual([['1.0.0', TAG], ['1.0.0']]);
  });

  test("is no other image's", async () => {
    await registry.push('notes/api', await anImageOf('other'), TAG);
    expect(await registry.activities.existingPromotions(input())).toEqual([]);
    expect(registry.asserted()).toBe(0);
  });
});

describe('a withdrawal', () => {
  test('takes the tag off and leaves the images', async () => {
    await registry.activities.promoteImages(input());
    expect(await registry.activities.withdrawPromotion(input())).toEqual(['web', 'api']);
    expect(await tags()).toEqual([['1.0.0'], ['1.0.0']]);
  });

  test('of what was never promoted is nothing', async () => {
    expect(await registry.activities.withdrawPromotion(input())).toEqual([]);
    expect(registry.asserted()).toBe(0);
  });

  test('leaves a tag that is on another image', async () => {
    const other = await registry.push('notes/api', await anImageOf('other'), TAG, '2.0.0');
    expect(await registry.activities.withdrawPromotion(input())).toEqual([]);
    expect(await registry.tagsOf('notes/api', other)).toEqual(['2.0.0', TAG]);
  });

  test("leaves an image's last tag, with which ECR would delete the image", async () => {
    const only = await registry.push('notes/web', await anImageOf('only'), TAG);
    images = { ...images, web: only };
    expect(await registry.activities.withdrawPromotion(input())).toEqual([]);
    expect(await registry.tagsOf('notes/web', only)).toEqual([TAG]);
  });
});

test('a run that lost the lock writes nothing', async () => {
  registry.loseLock();
  await expect(registry.activities.promoteImages(input())).rejects.toMatchObject({ type: 'LockLost' });
  expect(await tags()).toEqual([['1.0.0'], ['1.0.0']]);
});
