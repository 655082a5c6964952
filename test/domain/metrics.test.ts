import { describe, expect, test } from '@jest/globals';
import {
  countTraffic,
  judgeService,
  samplingPeriod,
  sampleWindow,
  wholePeriods,
} from '../../src/domain/metrics.ts';
import type { Point, ServiceSamples, TrafficSamples } from '../../src/domain/metrics.ts';
import type { MetricPolicy } from '../../src/domain/policy.ts';

const policy: MetricPolicy = {
  windowSeconds: 300,
  minimumRequests: 100,
  maximumErrorRate: 0.01,
  latency: { thresholdSeconds: 0.5, minimumShare: 0.95 },
  maximumCpu: 80,
  maximumMemory: 90,
};
const points = (...values: number[]): Point[] => values.map((value, i) => ({ at: i * 60_000, value }));
const someTraffic = (change: Partial<TrafficSamples> = {}): TrafficSamples => ({
  requests: points(100, 100),
  target5xx: [],
  connectionErrors: [],
  withinLatency: points(99, 99),
  ...change,
});
const samples = (change: Partial<TrafficSamples> = {}): ServiceSamples => ({
  traffic: someTraffic(change),
  cpu: points(50),
  memory: points(50),
});
const judge = (metric: string, given: ServiceSamples, by: MetricPolicy = policy) =>
  judgeService('web', given, by).find((judgement) => judgement.metric === metric);

describe('error rate', () => {
  test('requests and no error points are a rate of 0, a pass', () => {
    expect(judge('errorRate', samples())).toMatchObject({
      outcome: 'pass',
      value: 0,
      requests: 200,
      threshold: 0.01,
    });
  });

  test('target 5xx and connection errors both count as bad', () => {
    const bad = { target5xx: points(1), connectionErrors: points(0, 3) };
    expect(judge('errorRate', samples(bad))).toMatchObject({ outcome: 'fail', value: 0.02 });
  });

  test('exactly the allowed rate passes, one more bad request fails', () => {
    expect(judge('errorRate', samples({ target5xx: points(2) }))?.outcome).toBe('pass');
    expect(judge('errorRate', samples({ target5xx: points(3) }))?.outcome).toBe('fail');
  });

  test('an allowed rate of 0 fails at the first bad request', () => {
    const strict = { ...policy, maximumErrorRate: 0 };
    expect(judge('errorRate', samples({ target5xx: points(1) }), strict)?.outcome).toBe('fail');
    expect(judge('errorRate', samples(), strict)?.outcome).toBe('pass');
  });

  test('below the least requests it is not judged, whatever the rate, and says so', () => {
    const few = samples({ requests: points(99), target5xx: points(99) });
    expect(judge('errorRate', few)).toMatchObject({
      outcome: 'not judged',
      value: 1,
      reason: '99 requests seen, 100 are needed to judge',
    });
  });

  test('without minimumRequests in the policy, traffic does not gate', () => {
    const { minimumRequests: _, ...open } = policy;
    expect(judge('errorRate', samples({ target5xx: points(50) }), open)).toMatchObject({
      outcome: 'not judged',
      value: 0.25,
    });
  });

  test('no requests are never a pass, also when none are asked for', () => {
    expect(judge('errorRate', samples({ requests: [] }), { ...policy, minimumRequests: 0 })).toEqual({
      service: 'web',
      metric: 'errorRate',
      outcome: 'not judged',
      requests: 0,
      threshold: 0.01,
      reason: 'no requests',
    });
  });
});

describe('latency', () => {
  test('each period weighs as much as it had requests', () => {
    const given = samples({ requests: points(900, 100), withinLatency: points(100, 40) });
    expect(judge('latency', given)).toMatchObject({ outcome: 'fail', value: 0.94, requests: 1000 });
  });

  test('a share at the least wanted passes', () => {
    expect(judge('latency', samples({ withinLatency: points(95, 95) }))).toMatchObject({
      outcome: 'pass',
      value: 0.95,
    });
  });

  test('requests without a response time are not a pass', () => {
    expect(judge('latency', samples({ withinLatency: [] }))).toMatchObject({
      outcome: 'not judged',
      reason: 'CloudWatch has no data',
    });
  });
});

describe('cpu and memory', () => {
  test('the average is judged', () => {
    expect(judge('cpu', { cpu: points(70, 90), memory: [] })).toMatchObject({ outcome: 'pass', value: 80 });
    expect(judge('cpu', { cpu: points(70, 91), memory: [] })).toMatchObject({ outcome: 'fail', value: 80.5 });
  });

  test('no data is not a pass', () => {
    expect(judge('memory', { cpu: points(1), memory: [] })).toMatchObject({
      outcome: 'not judged',
      reason: 'CloudWatch has no data',
    });
  });

  test('why there can be none is said where it is known', () => {
    expect(judge('cpu', { cpu: [], memory: [], withoutUsage: 'only an average' })).toMatchObject({
      outcome: 'not judged',
      reason: 'only an average',
    });
  });

  test('without a threshold they are reported, not judged', () => {
    expect(judge('memory', samples(), { windowSeconds: 60 })).toEqual({
      service: 'web',
      metric: 'memory',
      outcome: 'not judged',
      value: 50,
      reason: 'the policy sets no threshold',
    });
  });
});

test('a service without a load balancer has no traffic metrics', () => {
  const metrics = judgeService('worker', { cpu: points(1), memory: points(1) }, policy).map(
    ({ metric }) => metric,
  );
  expect(metrics).toEqual(['cpu', 'memory']);
});

describe('requests as counts', () => {
  test('what is bad is errors of targets and connections, what is slow is each period by its requests', () => {
    const given = someTraffic({
      requests: points(1_000, 10),
      target5xx: points(3),
      connectionErrors: points(0, 2),
      withinLatency: points(99, 50),
    });
    expect(countTraffic(given)).toEqual({ requests: 1_010, bad: 5, slow: 15 });
  });

  test('a period without response times is taken to be as fast as the others', () => {
    const given = someTraffic({ requests: points(100, 100), withinLatency: points(90) });
    expect(countTraffic(given)).toEqual({ requests: 200, bad: 0, slow: 20 });
  });

  test('without any response times nothing is said of slowness', () => {
    expect(countTraffic(someTraffic({ withinLatency: [] }))).toEqual({ requests: 200, bad: 0 });
    expect(countTraffic(someTraffic({ requests: [], withinLatency: [] }))).toEqual({ requests: 0, bad: 0 });
  });
});

describe('the judged window', () => {
  const at = (time: string) => new Date(`2026-01-01T${time}Z`);

  test('starts on the first whole period after the rollout', () => {
    expect(sampleWindow(policy, at('10:00:01'), at('10:04:30'))).toEqual({
      start: at('10:01:00'),
      end: at('10:04:30'),
      period: 60,
    });
  });

  test('of a canary step begins with the first whole period, however long ago', () => {
    expect(wholePeriods(at('08:00:01'), at('10:04:30'), 60)).toEqual({
      start: at('08:01:00'),
      end: at('10:04:30'),
      period: 60,
    });
    expect(wholePeriods(at('08:00:00'), at('10:04:30'), 60).start).toEqual(at('08:00:00'));
  });

  test('is no longer than the policy says', () => {
    expect(sampleWindow(policy, at('08:00:00'), at('10:04:30')).start).toEqual(at('10:00:00'));
  });

  test.each([
    [300, 60],
    [60, 60],
    [45, 10],
    [20, 5],
    [10, 1],
    [2, 1],
  ])('of %i s is read in periods of %i s', (window, period) => {
    expect(samplingPeriod(window)).toBe(period);
  });
});
