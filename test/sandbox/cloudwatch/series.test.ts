import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SeriesStore } from '../../../sandbox/cloudwatch/series.ts';
import { Store } from '../../../sandbox/store.ts';

const START = 1_800_000_000;
const metric = { namespace: 'Demo', name: 'Requests', dimensions: { B: '2', A: '1' } };
const inAnyOrder = { ...metric, dimensions: { A: '1', B: '2' } };
const HOUR = 3600;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'series-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function aStore(): Promise<Store> {
  return Store.open(await mkdtemp(join(folder, 'state-')));
}

function counts(series: SeriesStore, period: number, end = START + HOUR): [at: number, count: number][] {
  return series
    .points({ ...inAnyOrder, start: START, end, period })
    .map(({ at, parts }) => [at - START, parts.flatMap((part) => part.counts).reduce((a, b) => a + b, 0)]);
}

test('values are found to the second, in any period', async () => {
  const store = await aStore();
  const series = new SeriesStore(store, () => START * 1000);
  for (const second of [0, 0, 3, 7, 64])
    series.record({ ...metric, value: 1, timestamp: (START + second) * 1000 + 999 });
  expect(counts(series, 1)).toEqual([
    [0, 2],
    [3, 1],
    [7, 1],
    [64, 1],
  ]);
  expect(counts(series, 5)).toEqual([
    [0, 3],
    [5, 1],
    [60, 1],
  ]);
  expect(counts(series, 60)).toEqual([
    [0, 4],
    [60, 1],
  ]);
  expect(counts(series, 60, START + 7)).toEqual([[0, 3]]);
  series.close();
  await store.close();
});

test('a metric is its namespace, name and all its dimensions', async () => {
  const store = await aStore();
  const series = new SeriesStore(store, () => START * 1000);
  series.record({ ...metric, dimensions: { A: '1' }, value: 1 });
  expect(counts(series, 60)).toEqual([]);
  expect(series.metrics(0)).toEqual([{ ...metric, dimensions: { A: '1' } }]);
  series.close();
  await store.close();
});

test('what was measured is there after a restart', async () => {
  const stateDir = await mkdtemp(join(folder, 'state-'));
  const store = await Store.open(stateDir);
  const series = new SeriesStore(store, () => START * 1000);
  series.record({ ...metric, value: 1 });
  series.save();
  series.record({ ...metric, value: 2 });
  series.close();
  await store.close();

  const again = await Store.open(stateDir);
  const restored = new SeriesStore(again, () => START * 1000);
  restored.record({ ...metric, value: 2 });
  expect(counts(restored, 60)).toEqual([[0, 3]]);
  restored.close();
  await again.close();
});

test('after three hours minutes are left, after fifteen days nothing', async () => {
  const store = await aStore();
  let now = START * 1000;
  const series = new SeriesStore(store, () => now);
  for (const second of [1, 2, 3])
    series.record({ ...metric, value: second, timestamp: (START + second) * 1000 });
  now += 4 * HOUR * 1000;
  series.save();
  expect(counts(series, 1)).toEqual([[0, 3]]);
  now += 15 * 24 * HOUR * 1000;
  series.save();
  expect(counts(series, 60)).toEqual([]);
  expect(store.table('cloudwatch.minutes').values()).toEqual([]);
  series.close();
  await store.close();
});

test('more metrics than there is room for push out the oldest', async () => {
  const store = await aStore();
  const series = new SeriesStore(store, () => START * 1000);
  for (let i = 0; i <= 5000; i++) series.record({ ...metric, name: `m${i}`, value: 1 });
  expect(series.metrics(0)).toHaveLength(5000);
  expect(series.metrics(0).some(({ name }) => name === 'm0')).toBe(false);
  series.close();
  await store.close();
});

test('when there are too many, the metric that was silent for longest makes room', async () => {
  const store = await aStore();
  const series = new SeriesStore(store, () => START * 1000);
  const record = (name: string, minute: number): void =>
    series.record({
      namespace: 'Demo',
      name,
      dimensions: {},
      value: 1,
      timestamp: (START + minute * 60) * 1000,
    });
  record('old and busy', 0);
  record('silent', 0);
  for (let i = 2; i < 5000; i++) record(`metric ${i}`, 0);
  record('old and busy', 1);
  record('new', 1);
  const names = series.metrics(0).map(({ name }) => name);
  expect(names).toHaveLength(5000);
  expect(names).toEqual(expect.arrayContaining(['old and busy', 'new', 'metric 2']));
  expect(names).not.toContain('silent');
  series.close();
  await store.close();
});
