import type { MetricPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import type { Manifest } from '../../domain/release.ts';
import type { Check, MetricJudgement } from '../../domain/verdict.ts';
import type { Rollout } from '../ecs/types.ts';
import type { Outputs } from '../terraform/types.ts';

export interface VerificationInput {
  readonly target: Target;
  readonly services: readonly ServicePolicy[];
  readonly manifest: Manifest;
  readonly taskDefinitions: Readonly<Record<string, string>>;
  readonly outputs: Outputs;
  /** Canaries that wait at their last pause: all traffic is on the release, and the old tasks still run. */
  readonly paused?: readonly Rollout[];
}

export interface VerificationActivities {
  /**
   * Every service steady on its task definition with its running tasks on the manifest's digests, or paused there with all of the
   * traffic: one check each.
   */
  checkServiceStatus(input: VerificationInput): Promise<Check[]>;
  /** Asks every service that has a URL for its version: one check each. */
  checkServedVersions(input: VerificationInput): Promise<Check[]>;
  /**
   * CPU, memory, latency and error rate over the policy's window, of which nothing before `since` (ISO 8601) counts, judged by
   * the policy. No data is never a pass.
   */
  judgeMetrics(
    input: VerificationInput & { metrics: MetricPolicy; since: string },
  ): Promise<MetricJudgement[]>;
  /** Watches service status and metrics for `seconds`; returns early on the first failure. Heartbeats. */
  watchWindow(
    input: VerificationInput & {
      metrics: MetricPolicy;
      since: string;
      /** When the first rollout began (ISO 8601): tasks that died since then count, also those that died while others rolled out. */
      rolledOutSince: string;
      seconds: number;
      /** `RolloutPolicy.allowedTaskDeaths`. */
      allowedTaskDeaths: number;
    },
  ): Promise<{ checks: Check[]; metrics: MetricJudgement[] }>;
}
