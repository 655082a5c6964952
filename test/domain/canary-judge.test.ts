import { describe, expect, test } from '@jest/globals';
import { judgeCanary } from '../../src/domain/canary-judge.ts';
import type { CanaryQuestion, Look, Traffic } from '../../src/domain/canary.ts';
import type { JudgePolicy } from '../../src/domain/policy.ts';

const policy: JudgePolicy = {
  minimumRequests: 100,
  maximumErrorRate: 0.01,
  latency: { thresholdSeconds: 0.5, minimumShare: 0.95, maximumDecrease: 0.02 },
  maximumErrorRateIncrease: 0.005,
};

const traffic = (requests: number, bad = 0, slow?: number): Traffic => ({
  requests,
  bad,
  ...(slow !== undefined && { slow }),
});
const look = (change: Partial<Look> = {}): Look => ({
  service: 'web',
  at: '2026-01-01T10:00:00.000Z',
  canary: traffic(200, 0, 0),
  baseline: traffic(1_800, 0, 0),
  balancer: traffic(2_000),
  deaths: 0,
  stoppedReasons: [],
  ...change,
});
const question = (change: Partial<CanaryQuestion> = {}, ...looks: Partial<Look>[]): CanaryQuestion => ({
  service: 'web',
  policy,
  allowedTaskDeaths: 0,
  weight: 10,
  looks: looks.map(look),
  ...change,
});
const judge = (of: Partial<Look>, change: Partial<CanaryQuestion> = {}) => judgeCanary(question(change, of));
const outcome = (of: Partial<Look>, change: Partial<CanaryQuestion> = {}) => judge(of, change).outcome;
const by = (only: Partial<JudgePolicy>) => ({ policy: { minimumRequests: 100, ...only } });

test('a release as good as the old version passes, and says what was found', () => {
  expect(judge({})).toEqual({
    outcome: 'pass',
    reasons: [
      '0 new tasks of web died; 0 may.',
      '0 of 200 requests (0 %) to the new tasks of web failed; 1 % may, the old ones had 0 of 1800 requests (0 %) in the same time.',
      'The load balancer of web answered 0 of 2000 requests (0 %) with an error of its own; 1 % may be.',
      '0 of 200 requests (0 %) to the new tasks of web took longer than 0.5 s; 5 % may.',
      '0 of 200 requests (0 %) to the new tasks of web failed, 0 of 1800 requests (0 %) to the old ones in the same time; a difference of 0.5 percentage points is allowed.',
      '0 of 200 requests (0 %) to the new tasks of web took longer than 0.5 s, 0 of 1800 requests (0 %) to the old ones in the same time; a difference of 2 percentage points is allowed.',
      'The new tasks of web, at 10 % of the traffic, had 200 requests.',
    ],
  });
});

describe('hard guards', () => {
  test('more deaths than allowed fail with why, also without any traffic', () => {
    const dead = {
      deaths: 1,
      stoppedReasons: ['1 task stopped: Essential container in task exited'],
      canary: traffic(0),
    };
    expect(judge(dead)).toEqual({
      outcome: 'fail',
      reasons: ['1 new task of web died; 0 may. 1 task stopped: Essential container in task exited'],
    });
    expect(outcome({ deaths: 1 }, { allowedTaskDeaths: 1 })).toBe('pass');
  });

  test('a death that ECS has forgotten by the newest look still counts', () => {
    expect(judgeCanary(question({}, { deaths: 1 }, { deaths: 0 })).outcome).toBe('fail');
  });

  test('the error rate fails above its limit, not at it, even when the old version is as bad', () => {
    const alike = (bad: number) =>
      outcome({ canary: traffic(200, bad, 0), baseline: traffic(1_800, bad * 9, 0) });
    expect(alike(2)).toBe('pass');
    expect(alike(3)).toBe('fail');
  });

  test("the load balancer's own errors fail the release, whoever they were for", () => {
    expect(judge({ balancer: { requests: 2_000, bad: 21 } })).toEqual({
      outcome: 'fail',
      reasons: [
        'The load balancer of web answered 21 of 2000 requests (1.05 %) with an error of its own; 1 % may be.',
      ],
    });
    expect(outcome({ balancer: { requests: 2_000, bad: 20 } })).toBe('pass');
  });

  test('errors of a load balancer that had no target to choose are not counted as requests, and fail', () => {
    expect(outcome({ canary: traffic(0), balancer: { requests: 0, bad: 300 } })).toBe('fail');
  });

  test('the latency fails below its share, not at it', () => {
    const only = by({ latency: { thresholdSeconds: 0.5, minimumShare: 0.95 } });
    expect(outcome({ canary: traffic(200, 0, 10) }, only)).toBe('pass');
    expect(judge({ canary: traffic(200, 0, 11) }, only)).toEqual({
      outcome: 'fail',
      reasons: ['11 of 200 requests (5.5 %) to the new tasks of web took longer than 0.5 s; 5 % may.'],
    });
  });

  test('every breach is told, the gravest first', () => {
    const { outcome: end, reasons } = judge({ deaths: 2, canary: traffic(260, 14, 60) });
    expect(end).toBe('fail');
    expect(
      reasons.map((reason) => /died|failed; 1|longer.*may\.|failed, 0|longer.*old/.exec(reason)?.[0]),
    ).toEqual([
      'died',
      'failed; 1',
      'longer than 0.5 s; 5 % may.',
      'failed, 0',
      expect.stringContaining('old'),
    ]);
    expect(reasons[1]).toBe(
      '14 of 260 requests (5.38 %) to the new tasks of web failed; 1 % may, the old ones had 0 of 1800 requests (0 %) in the same time.',
    );
  });
});

describe('beside the old version', () => {
  const errors = by({ maximumErrorRateIncrease: 0.01 });
  const slowness = by({ latency: { thresholdSeconds: 0.5, maximumDecrease: 0.02 } });

  test.each([
    [6, 4, 'pass'],
    [8, 4, 'fail'],
    [4, 8, 'pass'],
  ])('%i of 200 failed beside %i of 200: %s', (ours, theirs, expected) => {
    const seen = { canary: traffic(200, ours), baseline: traffic(200, theirs) };
    expect(outcome(seen, errors)).toBe(expected);
  });

  test('a difference of exactly the limit is allowed, whatever floating point makes of it', () => {
    expect(outcome({ canary: traffic(100, 4), baseline: traffic(100, 3) }, errors)).toBe('pass');
    expect(outcome({ canary: traffic(100, 0, 9), baseline: traffic(100, 0, 7) }, slowness)).toBe('pass');
  });

  test('a slower release fails although no absolute limit is set', () => {
    expect(judge({ canary: traffic(200, 0, 10), baseline: traffic(1_000, 0, 0) }, slowness)).toEqual({
      outcome: 'fail',
      reasons: [
        '10 of 200 requests (5 %) to the new tasks of web took longer than 0.5 s, 0 of 1000 requests (0 %) to the old ones in the same time; a difference of 2 percentage points is allowed.',
      ],
    });
  });

  test('an old version with too few requests leaves the comparison open, and so the step', () => {
    expect(judge({ baseline: traffic(99, 0, 0) })).toEqual({
      outcome: 'inconclusive',
      reasons: [
        'The old tasks of web had 99 requests in the same time; 100 are needed to compare the error rate and latency of the new ones with theirs.',
      ],
    });
  });

  test('where the policy compares nothing, the old version needs no requests', () => {
    expect(outcome({ baseline: traffic(0) }, by({ maximumErrorRate: 0.01 }))).toBe('pass');
  });

  test('at 100 % there is nothing to compare with: guards and traffic decide, and the reason says so', () => {
    const seen = { baseline: traffic(0), canary: traffic(200, 2, 10) };
    const { outcome: end, reasons } = judge(seen, { weight: 100 });
    expect(end).toBe('pass');
    expect(reasons).toContain(
      'All traffic is on the new tasks of web: no old version is left to compare their error rate and latency with.',
    );
    expect(outcome({ ...seen, canary: traffic(200, 3, 0) }, { weight: 100 })).toBe('fail');
    expect(outcome({ ...seen, canary: traffic(99, 0, 0) }, { weight: 100 })).toBe('inconclusive');
  });
});

describe('too little to judge', () => {
  test('no look at all is inconclusive, also for a person who skips the waiting', () => {
    expect(judgeCanary(question())).toEqual({
      outcome: 'inconclusive',
      reasons: ['Nothing has been seen of web yet.'],
    });
    expect(judgeCanary(question({ guardsOnly: true })).outcome).toBe('inconclusive');
  });

  test("another service's looks are not this one's", () => {
    expect(judgeCanary(question({}, { service: 'api' })).outcome).toBe('inconclusive');
  });

  test('below the minimum no share fails and nothing passes', () => {
    expect(judge({ canary: traffic(99, 99, 99) })).toEqual({
      outcome: 'inconclusive',
      reasons: [
        'The new tasks of web, at 10 % of the traffic, had 99 requests; 100 are needed to judge them.',
      ],
    });
  });

  test('a minimum of 0 is no pass without data', () => {
    expect(outcome({ canary: traffic(0) }, { policy: { minimumRequests: 0 } })).toBe('inconclusive');
    expect(outcome({ canary: traffic(1) }, { policy: { minimumRequests: 0 } })).toBe('pass');
  });

  test('requests without response times are inconclusive where latency is asked for, and told once', () => {
    expect(judge({ canary: traffic(200) })).toEqual({
      outcome: 'inconclusive',
      reasons: ['CloudWatch has no response times of the new tasks of web: their latency was not judged.'],
    });
    expect(outcome({ canary: traffic(200) }, by({ maximumErrorRate: 0.01 }))).toBe('pass');
  });

  test('missing response times of the old version leave only the comparison open', () => {
    const seen = { baseline: traffic(1_800) };
    expect(judge(seen)).toEqual({
      outcome: 'inconclusive',
      reasons: ['CloudWatch has no response times of the old tasks of web: their latency was not judged.'],
    });
    expect(outcome(seen, by({ latency: { thresholdSeconds: 0.5, minimumShare: 0.95 } }))).toBe('pass');
  });
});

describe('a person skips the waiting', () => {
  test('too little traffic passes, and the reason names it', () => {
    const { outcome: end, reasons } = judge({ canary: traffic(3, 0, 0) }, { guardsOnly: true });
    expect(end).toBe('pass');
    expect(reasons[0]).toBe('A person skipped the waiting: only what fails at once was judged.');
    expect(reasons.at(-1)).toContain('had 3 requests; 100 are needed');
  });

  test('what fails at once still fails', () => {
    expect(outcome({ canary: traffic(200, 20, 0) }, { guardsOnly: true })).toBe('fail');
    expect(outcome({ deaths: 1 }, { guardsOnly: true })).toBe('fail');
  });
});

describe('whatever was seen', () => {
  /** A small generator of pseudo-random numbers: the same cases at every run. */
  function numbers(seed: number) {
    let state = seed;
    return (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % below;
    };
  }
  const cases = Array.from({ length: 3_000 }, (_, i) => {
    const next = numbers(i + 1);
    const some = (slow: boolean) => {
      const requests = [0, next(50), 80 + next(50), next(5_000)][next(4)] ?? 0;
      return traffic(requests, next(3) === 0 ? 0 : next(60), slow ? next(requests + 1) : undefined);
    };
    return question(
      {
        weight: [10, 50, 100][next(3)] ?? 10,
        allowedTaskDeaths: next(2),
        guardsOnly: next(4) === 0,
        policy: {
          minimumRequests: next(120),
          ...(next(2) === 0 && { maximumErrorRate: next(20) / 100 }),
          ...(next(2) === 0 && { maximumErrorRateIncrease: next(10) / 100 }),
          ...(next(2) === 0 && {
            latency: {
              thresholdSeconds: 0.5,
              ...(next(2) === 0 && { minimumShare: next(100) / 100 }),
              ...(next(2) === 0 && { maximumDecrease: next(20) / 100 }),
            },
          }),
        },
      },
      { canary: some(next(3) > 0), baseline: some(next(3) > 0), deaths: next(3), balancer: some(false) },
    );
  });
  const changed = (of: CanaryQuestion, change: (seen: Look) => Partial<Look>): CanaryQuestion => ({
    ...of,
    looks: of.looks.map((seen) => ({ ...seen, ...change(seen) })),
  });

  test('there is a verdict with a reason, and there are verdicts of each kind', () => {
    const seen = new Set(cases.map((each) => judgeCanary(each).outcome));
    expect(seen).toEqual(new Set(['pass', 'fail', 'inconclusive']));
    expect(cases.every((each) => judgeCanary(each).reasons.every((reason) => /\.$|: /.test(reason)))).toBe(
      true,
    );
    expect(cases.every((each) => judgeCanary(each).reasons.length > 0)).toBe(true);
  });

  test.each<[string, (seen: Look) => Partial<Look>]>([
    ['requests of the release that fail', ({ canary }) => ({ canary: { ...canary, bad: canary.bad + 7 } })],
    [
      'requests that fail, each as slow as it is bad',
      ({ canary: { requests, bad, slow } }) => ({
        canary: traffic(requests + 7, bad + 7, slow === undefined ? undefined : slow + 7),
      }),
    ],
    [
      "errors of the load balancer's own",
      ({ balancer }) => ({ balancer: { ...balancer, bad: balancer.bad + 9 } }),
    ],
    ['deaths', ({ deaths }) => ({ deaths: deaths + 1 })],
    [
      'slow requests',
      ({ canary: { slow, ...rest } }) => ({
        canary: { ...rest, ...(slow !== undefined && { slow: slow + 5 }) },
      }),
    ],
  ])('more %s never make a failure anything better', (_what, worse) => {
    const failed = cases.filter((each) => judgeCanary(each).outcome === 'fail');
    const better = failed.filter((each) => judgeCanary(changed(each, worse)).outcome !== 'fail');
    expect(failed.length).toBeGreaterThan(100);
    expect(better).toEqual([]);
  });

  test('no requests of the release never pass, unless a person skips the waiting', () => {
    const empty = cases
      .filter(({ guardsOnly }) => !guardsOnly)
      .map((each) => changed(each, () => ({ canary: traffic(0) })));
    expect(empty.filter((each) => judgeCanary(each).outcome === 'pass')).toEqual([]);
  });

  test('skipping the waiting changes no failure', () => {
    const changes = cases.filter((each) => {
      const [waited, skipped] = [false, true].map(
        (guardsOnly) => judgeCanary({ ...each, guardsOnly }).outcome,
      );
      return skipped !== (waited === 'fail' ? 'fail' : 'pass');
    });
    expect(changes).toEqual([]);
  });
});
