import { describe, expect, test } from '@jest/globals';
import { measure, type Observation } from '../../bench/verdict/measure.ts';
import type { Truth } from '../../bench/verdict/truth.ts';
import type { Statement } from '../../bench/verdict/watchers/watcher.ts';

const truth = (service: string, at: number, outcome: Truth['outcome'] = 'success'): Truth => ({
  service,
  outcome,
  at,
  status: 'whatever',
});
const word = (at: number, says: Statement['says'], ...services: string[]): Statement => ({
  services,
  says,
  at,
  words: `said at ${at}`,
});
const observation = (change: Partial<Observation> = {}): Observation => ({
  watcher: 'somebody',
  services: ['a', 'b'],
  statements: [],
  calls: [],
  from: 0,
  to: 60_000,
  ...change,
});

describe('what a watcher says', () => {
  const truths = [truth('a', 20_000), truth('b', 30_000)];

  test('of all together is true once the last has succeeded', () => {
    const row = measure(observation({ statements: [word(34_000, 'success', 'a', 'b')] }), truths);
    expect(row).toMatchObject({ says: 'success', truthful: true, secondsAfterTruth: 4 });
  });

  test('of all together is a failure from the first that failed', () => {
    const failed = [truth('a', 20_000), truth('b', 30_000, 'failure')];
    const row = measure(observation({ statements: [word(29_000, 'failure', 'a', 'b')] }), failed);
    expect(row).toMatchObject({ says: 'failure', truthful: true, secondsAfterTruth: -1 });
  });

  test('of each counts by the latest of them', () => {
    const statements = [word(21_000, 'success', 'a'), word(33_000, 'success', 'b')];
    expect(measure(observation({ statements }), truths)).toMatchObject({
      truthful: true,
      secondsAfterTruth: 3,
    });
  });

  test('is not true when a failure is taken for success, or a service is left out', () => {
    const failed = [truth('a', 20_000), truth('b', 30_000, 'failure')];
    const lie = observation({ statements: [word(34_000, 'success', 'a', 'b')] });
    const half = observation({ statements: [word(21_000, 'success', 'a')] });
    expect(measure(lie, failed).truthful).toBe(false);
    expect(measure(half, truths).truthful).toBe(false);
  });

  test('may be nothing', () => {
    const row = measure(observation(), truths);
    expect(row).toMatchObject({ says: 'nothing', truthful: false });
    expect(row).not.toHaveProperty('secondsAfterTruth');
  });
});

describe('calls', () => {
  const at = (...times: number[]) => times.map((time) => ({ at: time, operation: 'DescribeServices' }));
  const truths = [truth('a', 20_000)];
  const statements = [word(20_000, 'success', 'a')];

  test('count from the beginning of the watch to its last word', () => {
    const calls = [...at(1_000, 8_000, 18_000, 21_000), { at: 9_000, operation: 'ListTasks' }];
    const row = measure(observation({ services: ['a'], statements, calls, from: 5_000 }), truths);
    expect(row).toMatchObject({ calls: 3, callsByOperation: { DescribeServices: 2, ListTasks: 1 } });
  });

  test('every 5 s on ten services are a rate of 1, on one service they are 10', () => {
    const services = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const calls = at(0, 5_000, 10_000, 15_000);
    const ten = measure(
      observation({ services, calls, statements: [word(16_000, 'success', ...services)] }),
      services.map((name) => truth(name, 15_000)),
    );
    const one = measure(observation({ services: ['a'], calls, statements }), truths);
    expect([ten.describeServicesPer5s, one.describeServicesPer5s]).toEqual([1, 10]);
  });
});
