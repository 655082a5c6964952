import type { CanaryStep, Traffic } from '../canary.ts';
import type { Held, Paused } from '../status.ts';

/** What people see of a canary, the same in the terminal, the Temporal UI and the report. All texts are plain. */

const MARKS: Readonly<Record<NonNullable<CanaryStep['verdict']>, string>> = {
  pass: '✔ pass',
  fail: '✘ fail',
  inconclusive: '? inconclusive',
  skipped: '» skipped',
};

/** A row per step of a service, in their order, under `CANARY_HEAD`. */
export function canaryRows(steps: readonly CanaryStep[]): string[][] {
  return steps.map((step) => [
    step.service,
    `${step.weight} %`,
    String(step.looks),
    seenOfRelease(step),
    step.seen === undefined ? '' : traffic(step.seen.baseline),
    verdict(step),
    // What passed is told by its figures.
    step.verdict === 'pass' ? '' : why(step),
  ]);
}

export const CANARY_HEAD = [
  'Service',
  'Weight',
  'Looks',
  'Release',
  'Old version',
  'Verdict',
  'Why',
] as const;

/** @returns such as `pass: web 260 requests, 14 bad, 3 slow; old version 1043 requests, 0 bad, 1 slow` */
export function canaryEnd(step: CanaryStep): string {
  const { service, verdict: given = 'open', seen } = step;
  const old = seen === undefined ? '' : `; old version ${traffic(seen.baseline)}`;
  const reasons = given === 'pass' ? '' : ` (${why(step)})`;
  return `${given}: ${service} ${seenOfRelease(step)}${old}${reasons}`;
}

/** @returns such as `web at 25 %, look 3: release 260 requests, 14 bad, 3 slow; old version 1043 requests, 0 bad, 1 slow` */
export function canaryLook(step: CanaryStep): string {
  const { service, weight, looks, seen } = step;
  const where = `${service} at ${weight} %`;
  if (seen === undefined) return where;
  return `${where}, look ${looks}: release ${seenOfRelease(step)}; old version ${traffic(seen.baseline)}`;
}

/** What became of a step, such as `✘ fail`. */
export function verdict({ verdict: given }: CanaryStep): string {
  return given === undefined ? 'judged now' : MARKS[given];
}

/** The judge's reasons as sentences, one after the other. */
export function why({ reasons }: CanaryStep): string {
  return reasons.map((reason) => (/[.!?]$/.test(reason) ? reason : `${reason}.`)).join(' ');
}

/** @returns such as `held by alice since 2026-11-02T10:00:00Z: errors on the dashboard` */
export function heldBy({ by, since, reason }: Held): string {
  return `held by ${by} since ${since}${reason === undefined ? '' : `: ${reason}`}`;
}

/** Until when a pause may last. */
export function pausedAt({ services, weight, expiresAt }: Paused): string {
  return `${services.join(', ')} at ${weight} %: unless the run goes on, ECS puts the old version back by itself at ${expiresAt}`;
}

function seenOfRelease({ seen }: CanaryStep): string {
  if (seen === undefined) return '';
  const { canary, deaths } = seen;
  return deaths === 0 ? traffic(canary) : `${traffic(canary)}, ${deaths} died`;
}

function traffic({ requests, bad, slow }: Traffic): string {
  if (requests === 0 && bad === 0) return 'no requests';
  return `${requests} requests, ${bad} bad${slow === undefined ? '' : `, ${slow} slow`}`;
}
