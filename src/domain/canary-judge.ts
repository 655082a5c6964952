import type { CanaryJudge, CanaryQuestion, Look, Traffic } from './canary.ts';
import { percent } from './percent.ts';
import type { Verdict } from './verdict.ts';

/** What one criterion says of a look. */
interface Finding {
  readonly outcome: Verdict['outcome'];
  readonly reason: string;
}

/** Shares that are equal on paper may differ by this in floating point. */
const EQUAL = 1e-9;

/**
 * Judges a canary step by the newest look, whose counts are of the whole step. First the hard guards: deaths, error rate, the
 * load balancer's own errors, latency; then the release beside the old version. No share is judged on fewer requests than the
 * policy's minimum, of either version where both are compared. Without a single look nothing passes, also not with `guardsOnly`.
 * @returns every reason to fail; else all that kept it from passing; else what was found good
 */
export const judgeCanary: CanaryJudge = (question) => {
  const { service, guardsOnly = false } = question;
  const looks = question.looks.filter((look) => look.service === service);
  const latest = looks.at(-1);
  if (!latest) return { outcome: 'inconclusive', reasons: [`Nothing has been seen of ${service} yet.`] };
  const findings = [
    deaths(question, looks),
    ...errorRate(question, latest),
    ...balancer(question, latest),
    ...latency(question, latest),
    ...besideBaseline(question, latest),
    traffic(question, latest),
  ];
  const failed = findings.filter(({ outcome }) => outcome === 'fail');
  if (failed.length > 0) return verdict('fail', failed);
  if (guardsOnly)
    return {
      outcome: 'pass',
      reasons: ['A person skipped the waiting: only what fails at once was judged.', ...reasons(findings)],
    };
  const open = findings.filter(({ outcome }) => outcome === 'inconclusive');
  return open.length > 0 ? verdict('inconclusive', open) : verdict('pass', findings);
};

/** ECS forgets a stopped task after about an hour, so the most that any look has seen counts. */
function deaths({ service, allowedTaskDeaths }: CanaryQuestion, looks: readonly Look[]): Finding {
  const worst = looks.reduce((most, look) => (look.deaths > most.deaths ? look : most));
  const known = `${count(worst.deaths, 'new task')} of ${service} died; ${allowedTaskDeaths} may`;
  if (worst.deaths <= allowedTaskDeaths) return pass(`${known}.`);
  return fail([`${known}.`, ...worst.stoppedReasons].join(' '));
}

function errorRate(question: CanaryQuestion, look: Look): Finding[] {
  const { service, policy, weight } = question;
  if (policy.maximumErrorRate === undefined || !isEnough(question, look.canary)) return [];
  const old = weight < 100 ? `, the old ones had ${failures(look.baseline)} in the same time` : '';
  const reason = `${failures(look.canary)} to the new tasks of ${service} failed; ${percent(policy.maximumErrorRate)} may${old}.`;
  return [exceeds(badShare(look.canary), policy.maximumErrorRate) ? fail(reason) : pass(reason)];
}

/** The load balancer's own errors belong to no version: a guard over the whole. */
function balancer(question: CanaryQuestion, look: Look): Finding[] {
  const { service, policy } = question;
  if (policy.maximumErrorRate === undefined || !isEnough(question, look.balancer)) return [];
  const reason = `The load balancer of ${service} answered ${failures(look.balancer)} with an error of its own; ${percent(policy.maximumErrorRate)} may be.`;
  return [exceeds(badShare(look.balancer), policy.maximumErrorRate) ? fail(reason) : pass(reason)];
}

function latency(question: CanaryQuestion, { canary }: Look): Finding[] {
  const { service, policy } = question;
  if (policy.latency?.minimumShare === undefined || !isEnough(question, canary)) return [];
  const { minimumShare, thresholdSeconds } = policy.latency;
  const share = slowShare(canary);
  if (share === undefined) return [noTimes(`the new tasks of ${service}`)];
  const reason = `${slow(canary, share)} to the new tasks of ${service} took longer than ${thresholdSeconds} s; ${percent(1 - minimumShare)} may.`;
  return [exceeds(share, 1 - minimumShare) ? fail(reason) : pass(reason)];
}

/** The release beside the old version in the same time, as far as the policy asks for it. */
function besideBaseline(question: CanaryQuestion, look: Look): Finding[] {
  const { service, policy, weight } = question;
  const asked = [
    ...(policy.maximumErrorRateIncrease === undefined ? [] : ['error rate']),
    ...(policy.latency?.maximumDecrease === undefined ? [] : ['latency']),
  ].join(' and ');
  if (!asked || !isEnough(question, look.canary)) return [];
  if (weight >= 100)
    return [
      pass(
        `All traffic is on the new tasks of ${service}: no old version is left to compare their ${asked} with.`,
      ),
    ];
  if (!isEnough(question, look.baseline)) {
    const had = count(totalOf(look.baseline), 'request');
    return [
      inconclusive(
        `The old tasks of ${service} had ${had} in the same time; ${needed(question)} are needed to compare the ${asked} of the new ones with theirs.`,
      ),
    ];
  }
  return [...moreErrors(question, look), ...slower(question, look)];
}

function moreErrors({ service, policy }: CanaryQuestion, { canary, baseline }: Look): Finding[] {
  const allowed = policy.maximumErrorRateIncrease;
  if (allowed === undefined) return [];
  const reason = `${failures(canary)} to the new tasks of ${service} failed, ${failures(baseline)} to the old ones in the same time; a difference of ${points(allowed)} is allowed.`;
  return [exceeds(badShare(canary) - badShare(baseline), allowed) ? fail(reason) : pass(reason)];
}

function slower({ service, policy }: CanaryQuestion, { canary, baseline }: Look): Finding[] {
  if (policy.latency?.maximumDecrease === undefined) return [];
  const { maximumDecrease, thresholdSeconds } = policy.latency;
  const [ours, theirs] = [slowShare(canary), slowShare(baseline)];
  if (ours === undefined) return [noTimes(`the new tasks of ${service}`)];
  if (theirs === undefined) return [noTimes(`the old tasks of ${service}`)];
  const reason = `${slow(canary, ours)} to the new tasks of ${service} took longer than ${thresholdSeconds} s, ${slow(baseline, theirs)} to the old ones in the same time; a difference of ${points(maximumDecrease)} is allowed.`;
  return [exceeds(ours - theirs, maximumDecrease) ? fail(reason) : pass(reason)];
}

function traffic(question: CanaryQuestion, { canary }: Look): Finding {
  const { service, weight } = question;
  const seen = `The new tasks of ${service}, at ${weight} % of the traffic, had ${count(totalOf(canary), 'request')}`;
  if (isEnough(question, canary)) return pass(`${seen}.`);
  return inconclusive(`${seen}; ${needed(question)} are needed to judge them.`);
}

/** No data is never a pass, whatever the policy says. */
function needed({ policy }: CanaryQuestion): number {
  return Math.max(1, policy.minimumRequests);
}

function isEnough(question: CanaryQuestion, seen: Traffic): boolean {
  return totalOf(seen) >= needed(question);
}

/** A request that was tried at several targets is bad more often than it is counted. */
function totalOf({ requests, bad }: Traffic): number {
  return Math.max(requests, bad);
}

function badShare(seen: Traffic): number {
  return totalOf(seen) === 0 ? 0 : seen.bad / totalOf(seen);
}

/** Of the requests that were counted as such: one that found no target took no time. */
function slowShare(seen: Traffic): number | undefined {
  return seen.slow === undefined || seen.requests === 0 ? undefined : Math.min(1, seen.slow / seen.requests);
}

function exceeds(value: number, limit: number): boolean {
  return value - limit > EQUAL;
}

function noTimes(whose: string): Finding {
  return inconclusive(`CloudWatch has no response times of ${whose}: their latency was not judged.`);
}

function failures(seen: Traffic): string {
  return `${seen.bad} of ${count(totalOf(seen), 'request')} (${percent(badShare(seen))})`;
}

function slow(seen: Traffic, share: number): string {
  return `${seen.slow} of ${count(seen.requests, 'request')} (${percent(share)})`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A difference of two shares. */
function points(share: number): string {
  return `${percent(share).slice(0, -2)} percentage points`;
}

function verdict(outcome: Verdict['outcome'], findings: readonly Finding[]): Verdict {
  return { outcome, reasons: reasons(findings) };
}

function reasons(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ reason }) => reason))];
}

function pass(reason: string): Finding {
  return { outcome: 'pass', reason };
}

function fail(reason: string): Finding {
  return { outcome: 'fail', reason };
}

function inconclusive(reason: string): Finding {
  return { outcome: 'inconclusive', reason };
}
