import type { Look } from '../../domain/canary.ts';
import type { JudgePolicy, RolloutPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { Rollout } from '../ecs/types.ts';
import type { LockProof } from '../lock.ts';

/** A lifecycle hook at which ECS waits for us. */
export interface Pause {
  /** Unique to this one wait. */
  readonly hookId: string;
  /** Percent of the production traffic that the release has. */
  readonly weight: number;
  /** All traffic is shifted: nothing comes after this pause but the old tasks' end. */
  readonly last: boolean;
  /** When ECS takes the rollout back by itself: ISO 8601. */
  readonly expiresAt: string;
}

/** Where a canary is: it waits at a pause, or ECS has ended it. */
export type CanaryProgress =
  { readonly kind: 'paused'; readonly pause: Pause } | { readonly kind: 'ended'; readonly verdict: Verdict };

/** A canary that is under way. */
export interface Shifting {
  readonly service: ServicePolicy;
  readonly rollout: Rollout;
}

export interface CanaryActivities {
  /**
   * Follows a canary until it waits at a pause other than `after`, or has ended. At a pause the release's tasks are known by
   * their image digests. The time that counts for the rollout's timeout is the time since this was scheduled. Heartbeats.
   */
  awaitPause(
    input: Shifting & {
      target: Target;
      policy: RolloutPolicy;
      /** `hookId` of the pause that was released last. */
      after?: string;
    },
  ): Promise<CanaryProgress>;
  /**
   * Has ECS go on from `pause`, by an explicit CONTINUE; nothing when it no longer waits there: an answer may have been lost, and
   * what became of the rollout `awaitPause` or `followRollout` tells.
   */
  continueRollout(input: Shifting & { target: Target; pause: Pause; lock: LockProof }): Promise<void>;
  /**
   * Looks at the canaries, which all wait at a pause, until `seconds` are over since it was scheduled; once with 0. Returns at
   * once when the judge says `fail` of any, or when ECS has ended one. Heartbeats.
   * @returns looks at all services, in the order in which they were taken; of many only the latest of each and those that are
   *   spread over the time (at most 60 a service)
   */
  watchCanary(input: {
    target: Target;
    shifting: readonly (Shifting & { readonly pause: Pause })[];
    judge: JudgePolicy;
    allowedTaskDeaths: number;
    /** When the step began: ISO 8601. Nothing before it counts. */
    since: string;
    /** How long the step lasts in all: decides the period of the metrics. */
    stepSeconds: number;
    seconds: number;
    guardsOnly?: boolean;
  }): Promise<{ looks: Look[]; ended: { service: string; verdict: Verdict }[] }>;
}
