import { expect, test } from '@jest/globals';
import { createBatcher } from '../../../src/activities/ecs/batch.ts';

/** A batcher that records its requests as `group: names`. */
function aBatcher({ interval = 20, size = 10 } = {}) {
  const requests: string[] = [];
  const times: number[] = [];
  const batcher = createBatcher<string, string>({
    interval,
    size,
    keyOf: (group) => group,
    fetch: async (group, names) => {
      requests.push(`${group}: ${names.join(' ')}`);
      times.push(performance.now());
      if (group === 'broken') throw new Error('no answer');
      return new Map(names.filter((name) => name !== 'missing').map((name) => [name, `${group}/${name}`]));
    },
  });
  return { ...batcher, requests, times };
}

test('asks of one group within an interval share one request', async () => {
  const { ask, requests } = aBatcher();

  const answers = await Promise.all([ask('staging', 'a'), ask('staging', 'b'), ask('staging', 'a')]);

  expect(answers).toEqual(['staging/a', 'staging/b', 'staging/a']);
  expect(requests).toEqual(['staging: a b']);
});

test('groups are asked apart', async () => {
  const { ask, requests } = aBatcher();

  expect(await Promise.all([ask('staging', 'a'), ask('production', 'a')])).toEqual([
    'staging/a',
    'production/a',
  ]);
  expect(requests).toHaveLength(2);
});

test('more names than a request holds make more requests', async () => {
  const { ask, requests } = aBatcher({ size: 10 });

  await Promise.all(Array.from({ length: 12 }, (_, i) => ask('staging', `s${i}`)));

  expect(requests.map((request) => request.split(' ').length - 1)).toEqual([10, 2]);
});

test('the next request of a group waits for the interval to pass', async () => {
  const { ask, times } = aBatcher({ interval: 50 });

  await ask('staging', 'a');
  await ask('staging', 'a');

  const [first = 0, second = 0] = times;
  expect(second - first).toBeGreaterThanOrEqual(45);
});

test('a name that the answer does not have is undefined', async () => {
  expect(await aBatcher().ask('staging', 'missing')).toBeUndefined();
});

test('a failed request fails those who asked, and the next one is sent', async () => {
  const { ask, requests } = aBatcher();

  const failed = await Promise.allSettled([ask('broken', 'a'), ask('broken', 'b')]);
  await expect(ask('broken', 'c')).rejects.toThrow('no answer');

  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(requests).toEqual(['broken: a b', 'broken: c']);
});
