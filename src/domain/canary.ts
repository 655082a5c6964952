import type { JudgePolicy } from './policy.ts';
import type { Verdict } from './verdict.ts';

/** Requests of one revision since the step began: counts. */
export interface Traffic {
  readonly requests: number;
  /** Answered with 5xx by a task, or not at all. */
  readonly bad: number;
  /** Slower than the policy's threshold; absent when the policy has none, or CloudWatch no answer. */
  readonly slow?: number;
}

/** What was seen of one service at one moment of a canary step; all counts are of the step so far. */
export interface Look {
  readonly service: string;
  /** ISO 8601. */
  readonly at: string;
  readonly canary: Traffic;
  /** The old revision in the same time. */
  readonly baseline: Traffic;
  /** Requests that the load balancer itself answered with 5xx, for whichever revision, and all that it had. */
  readonly balancer: { readonly requests: number; readonly bad: number };
  /** Tasks of the release that died since its rollout began, and why tasks stopped. */
  readonly deaths: number;
  readonly stoppedReasons: readonly string[];
}

/** What the judge is asked of one service: pure, so that a verdict can be recomputed from a run's history. */
export interface CanaryQuestion {
  readonly service: string;
  readonly policy: JudgePolicy;
  readonly allowedTaskDeaths: number;
  /** Percent of the traffic that the release has. */
  readonly weight: number;
  /** In the order in which they were taken. */
  readonly looks: readonly Look[];
  /** A person skips the waiting: only what fails at once counts. */
  readonly guardsOnly?: boolean;
}

/**
 * `fail` at once, at any look; `pass` when what was seen is enough; otherwise `inconclusive`, which is an answer only at the
 * step's end.
 */
export type CanaryJudge = (question: CanaryQuestion) => Verdict;

/** A canary step of one service as the report and the status show it. */
export interface CanaryStep {
  readonly service: string;
  readonly weight: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Looks taken. */
  readonly looks: number;
  /** The latest look. */
  readonly seen?: Pick<Look, 'canary' | 'baseline' | 'deaths'>;
  /** Absent while it is judged. */
  readonly verdict?: Verdict['outcome'] | 'skipped';
  readonly reasons: readonly string[];
}

/** @returns of each service at most `most` looks, its latest among them and the others spread evenly, in their order */
export function spreadLooks(looks: readonly Look[], most: number): Look[] {
  const kept = new Set<Look>();
  for (const own of Map.groupBy(looks, ({ service }) => service).values()) {
    const last = own.length - 1;
    const some = Math.min(most, own.length);
    for (let i = 0; i < some; i++) {
      const look = own[last - Math.round((i * last) / Math.max(1, some - 1))];
      if (look) kept.add(look);
    }
  }
  return looks.filter((look) => kept.has(look));
}
