import type { DeadManPolicy } from './policy.ts';

/** ECS lets a pause wait for 14 days at most: PAUSE hooks in the developer guide, "Lifecycle hooks for service deployments". */
export const LONGEST_PAUSE_MINUTES = 14 * 24 * 60;

/** Slipway's own looks, and the retries of calls that fail, in seconds: on top of what the policy lets each part last. */
const MARGIN = 600;

/** What the policy lets a canary's parts last; times in seconds. */
export interface CanaryTimes {
  /** As the policy says it; absent: as long as a pause may need. */
  readonly deadMan?: number;
  readonly bake: number;
  readonly steps: number;
  /** All smoke suites, one after the other. */
  readonly smoke: number;
  /** One service's rollout, pauses not counted. */
  readonly rollout: number;
  /** Services, however they get the release. */
  readonly services: number;
  /** Waves that hold a service of the canary. */
  readonly waves: number;
  /** The most services of the canary that one wave holds. */
  readonly together: number;
  /** All suites of the verification, one after the other. */
  readonly tests: number;
  readonly manualTest: number;
  readonly metrics: number;
  readonly soak: number;
}

/** One thing that may come while a rollout waits. */
export interface Ahead {
  readonly what: string;
  readonly seconds: number;
}

/**
 * How long ECS waits at each pause before it goes back by itself.
 * At a step, `deadMan`. Without it: the bake, or the smoke tests, which run at the first pause; another service of the wave may
 * take all of its rollout's time to get there; and a margin; but what a good canary needs (see `atStep`) at the least.
 * At 100 %, that and all that may still come (see `ahead`). No pause is longer than ECS takes.
 */
export function deadManMinutes(times: CanaryTimes): DeadManPolicy {
  return {
    stepMinutes: atMost(stepSeconds(times)),
    lastMinutes: atMost(total(ahead(times))),
  };
}

/**
 * What may come from the first wave's arrival at 100 % to the end, in order and as long as the policy lets it last: the pause
 * itself, in which a person may hold once as long as the switch allows; the other waves, with every service's rollout after the
 * other; the verification and the deployment window.
 */
export function ahead(times: CanaryTimes): readonly Ahead[] {
  const { smoke, steps, bake, rollout, services, waves, tests, manualTest, metrics, soak } = times;
  return [
    { what: 'one pause', seconds: stepSeconds(times) },
    { what: 'the rollouts of the other services', seconds: (services - 1) * rollout },
    { what: 'the steps of the other waves', seconds: (waves - 1) * (smoke + steps * bake) },
    { what: 'the tests', seconds: tests },
    { what: 'the manual test', seconds: manualTest },
    { what: 'the metrics window', seconds: metrics },
    { what: 'the soak', seconds: soak },
    { what: 'a margin', seconds: MARGIN },
  ].filter(({ seconds }) => seconds > 0);
}

/**
 * What a good canary may need at one step, in the order in which it comes: the bake, or the smoke tests at the first pause, where
 * they are longer; a tenth of it, or two minutes, for Slipway's own looks and for calls that fail; and where a wave holds several
 * services of the canary, the rollout of one that the others wait for.
 */
export function atStep({ bake, smoke, rollout, together }: CanaryTimes): readonly Ahead[] {
  const longest = Math.max(bake, smoke);
  return [
    { what: bake < smoke ? 'the smoke tests' : 'the bake', seconds: longest },
    { what: 'a margin', seconds: Math.max(longest / 10, 120) },
    ...(together > 1 ? [{ what: 'the rollout of another service of the wave', seconds: rollout }] : []),
  ];
}

/** In seconds. */
export function total(parts: readonly Ahead[]): number {
  return parts.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** @returns what is too long for a pause of ECS at 100 %, the longest part first; nothing when it fits */
export function tooLong(times: CanaryTimes): readonly Ahead[] {
  const parts = ahead(times);
  return total(parts) <= LONGEST_PAUSE_MINUTES * 60 ? [] : parts.toSorted((a, b) => b.seconds - a.seconds);
}

function stepSeconds(times: CanaryTimes): number {
  const { deadMan, bake, smoke, rollout } = times;
  return deadMan ?? Math.max(Math.max(bake, smoke) + rollout + MARGIN, total(atStep(times)));
}

function atMost(seconds: number): number {
  return Math.min(Math.ceil(seconds / 60), LONGEST_PAUSE_MINUTES);
}
