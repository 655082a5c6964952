import { expect, test } from '@jest/globals';
import { spreadLooks } from '../../src/domain/canary.ts';
import type { Look } from '../../src/domain/canary.ts';

const look = (service: string, second: number): Look => ({
  service,
  at: new Date(second * 1_000).toISOString(),
  canary: { requests: second, bad: 0 },
  baseline: { requests: 0, bad: 0 },
  balancer: { requests: 0, bad: 0 },
  deaths: 0,
  stoppedReasons: [],
});
const seconds = (looks: readonly Look[]) => looks.map(({ canary }) => canary.requests);

test('few looks are all kept', () => {
  const looks = [1, 2, 3].map((second) => look('web', second));
  expect(spreadLooks(looks, 60)).toEqual(looks);
  expect(spreadLooks([], 60)).toEqual([]);
});

test('of many the first, the latest and some between are kept, evenly', () => {
  const looks = Array.from({ length: 601 }, (_, second) => look('web', second));
  const kept = seconds(spreadLooks(looks, 61));
  expect(kept).toEqual(Array.from({ length: 61 }, (_, i) => i * 10));
});

test.each([1, 2, 3, 7, 59, 60])('never more than %i, and always the latest', (most) => {
  const looks = Array.from({ length: 97 }, (_, second) => look('web', second));
  const kept = seconds(spreadLooks(looks, most));
  expect(kept).toHaveLength(most);
  expect(kept.at(-1)).toBe(96);
});

test('each service has its own, in the order in which they were taken', () => {
  const looks = Array.from({ length: 10 }, (_, second) => [look('web', second), look('api', second)]).flat();
  const kept = spreadLooks(looks, 2);
  expect(kept.map(({ service, canary }) => `${service} ${canary.requests}`)).toEqual([
    'web 0',
    'api 0',
    'web 9',
    'api 9',
  ]);
});
