import type { Traffic } from './canary.ts';
import { percent } from './percent.ts';
import type { MetricPolicy } from './policy.ts';
import type { MetricJudgement } from './verdict.ts';

/** One data point: the start of its period in milliseconds since the epoch, and its value. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** What CloudWatch has of one service over the judged window. */
export interface ServiceSamples {
  /** Why there can be no `cpu` and `memory`, where that is known. */
  readonly withoutUsage?: string;
  /** Of the service's target groups; absent when it has no load balancer. */
  readonly traffic?: TrafficSamples;
  /** Percent. */
  readonly cpu: readonly Point[];
  readonly memory: readonly Point[];
}

export interface TrafficSamples {
  /** Counts. */
  readonly requests: readonly Point[];
  readonly target5xx: readonly Point[];
  readonly connectionErrors: readonly Point[];
  /** Percent of the period's responses at or under the policy's latency threshold. */
  readonly withinLatency: readonly Point[];
}

export interface SampleWindow {
  readonly start: Date;
  readonly end: Date;
  /** Seconds. */
  readonly period: number;
}

/**
 * The judged window: the last `windowSeconds` before `now`, but nothing before `since`. It starts on a whole period, since
 * CloudWatch hands out whole periods only and one begun before `since` would count the release before.
 */
export function sampleWindow(policy: MetricPolicy, since: Date, now: Date): SampleWindow {
  const from = Math.max(since.getTime(), now.getTime() - policy.windowSeconds * 1000);
  return wholePeriods(new Date(from), now, samplingPeriod(policy.windowSeconds));
}

/** From the first whole period of `period` seconds that begins at `since` or later until `now`. */
export function wholePeriods(since: Date, now: Date, period: number): SampleWindow {
  const start = Math.ceil(since.getTime() / (period * 1000)) * period * 1000;
  return { start: new Date(start), end: now, period };
}

/**
 * Seconds: one minute, as AWS's own metrics have it; a window under a minute, which only high-resolution metrics can
 * answer, is cut in four or more of the periods that GetMetricData allows.
 */
export function samplingPeriod(windowSeconds: number): number {
  if (windowSeconds >= 60) return 60;
  return [10, 5].find((period) => period * 4 <= windowSeconds) ?? 1;
}

/** The requests as counts. A period for which there are no response times is taken to be as fast as the others. */
export function countTraffic(samples: TrafficSamples): Traffic {
  const requests = sum(samples.requests);
  const share = weightedShare(samples);
  return {
    requests,
    bad: badIn(samples),
    ...(share !== undefined && { slow: Math.round(requests * (1 - share)) }),
  };
}

/** Judges one service's metrics by the policy. No data is never a pass. */
export function judgeService(
  service: string,
  samples: ServiceSamples,
  policy: MetricPolicy,
): MetricJudgement[] {
  const { traffic } = samples;
  return [
    usage(service, 'cpu', samples, policy.maximumCpu),
    usage(service, 'memory', samples, policy.maximumMemory),
    ...(traffic ? [judgeErrorRate(service, traffic, policy), judgeLatency(service, traffic, policy)] : []),
  ];
}

function usage(
  service: string,
  metric: 'cpu' | 'memory',
  { [metric]: points, withoutUsage = 'CloudWatch has no data' }: ServiceSamples,
  threshold: number | undefined,
): MetricJudgement {
  if (points.length === 0) return notJudged({ service, metric, ...given({ threshold }) }, withoutUsage);
  const value = sum(points) / points.length;
  const known = { service, metric, value, ...given({ threshold }) };
  if (threshold === undefined) return notJudged(known, 'the policy sets no threshold');
  const outcome = value <= threshold ? 'pass' : 'fail';
  return { ...known, outcome, reason: `average ${value.toFixed(1)} %, allowed is ${threshold} %` };
}

function judgeErrorRate(service: string, traffic: TrafficSamples, policy: MetricPolicy): MetricJudgement {
  const requests = sum(traffic.requests);
  const bad = badIn(traffic);
  const threshold = policy.maximumErrorRate;
  const base = { service, metric: 'errorRate', requests, ...given({ threshold }) } as const;
  if (requests === 0) return notJudged(base, 'no requests');
  const value = Math.min(1, bad / requests);
  const known = { ...base, value };
  const why = notGating(requests, threshold, policy);
  if (why) return notJudged(known, why);
  const outcome = value <= (threshold ?? 0) ? 'pass' : 'fail';
  return {
    ...known,
    outcome,
    reason: `${bad} of ${requests} requests failed, allowed is ${percent(threshold ?? 0)}`,
  };
}

function judgeLatency(service: string, traffic: TrafficSamples, policy: MetricPolicy): MetricJudgement {
  const requests = sum(traffic.requests);
  const threshold = policy.latency?.minimumShare;
  const base = { service, metric: 'latency', requests, ...given({ threshold }) } as const;
  const value = policy.latency && weightedShare(traffic);
  if (!policy.latency) return notJudged(base, 'the policy sets no threshold');
  if (value === undefined) return notJudged(base, requests === 0 ? 'no requests' : 'CloudWatch has no data');
  const known = { ...base, value };
  const why = notGating(requests, threshold, policy);
  if (why) return notJudged(known, why);
  const outcome = value >= policy.latency.minimumShare ? 'pass' : 'fail';
  const wanted = `at least ${percent(policy.latency.minimumShare)} is wanted`;
  return {
    ...known,
    outcome,
    reason: `${percent(value)} answered within ${policy.latency.thresholdSeconds} s, ${wanted}`,
  };
}

/** CloudWatch has no point for a period without errors: where there were requests, a missing one is 0. */
function badIn({ target5xx, connectionErrors }: TrafficSamples): number {
  return sum(target5xx) + sum(connectionErrors);
}

function notGating(
  requests: number,
  threshold: number | undefined,
  policy: MetricPolicy,
): string | undefined {
  if (threshold === undefined) return 'the policy sets no threshold';
  if (policy.minimumRequests === undefined)
    return 'the policy sets no minimumRequests, so traffic does not gate';
  if (requests >= policy.minimumRequests) return undefined;
  return `${requests} requests seen, ${policy.minimumRequests} are needed to judge`;
}

/** Share (0 to 1) of responses within the latency threshold, each period weighing as much as it had requests. */
function weightedShare({ requests, withinLatency }: TrafficSamples): number | undefined {
  const weights = new Map<number, number>();
  for (const { at, value } of requests) weights.set(at, (weights.get(at) ?? 0) + value);
  const weighed = withinLatency.map(({ at, value }) => ({
    share: value / 100,
    weight: weights.get(at) ?? 0,
  }));
  const total = weighed.reduce((all, { weight }) => all + weight, 0);
  return total === 0
    ? undefined
    : weighed.reduce((all, { share, weight }) => all + share * weight, 0) / total;
}

function notJudged(known: Omit<MetricJudgement, 'outcome' | 'reason'>, reason: string): MetricJudgement {
  return { ...known, outcome: 'not judged', reason };
}

/** `{threshold}` only when there is one: an absent field is absent. */
function given(fields: { readonly threshold: number | undefined }): { threshold?: number } {
  return fields.threshold === undefined ? {} : { threshold: fields.threshold };
}

function sum(points: readonly Point[]): number {
  return points.reduce((total, { value }) => total + value, 0);
}
