import { activityInfo, heartbeat } from '@temporalio/activity';
import { samplingPeriod } from '../../domain/metrics.ts';
import type { MetricPolicy } from '../../domain/policy.ts';
import type { Check, MetricJudgement } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import { lookPatiently } from '../ecs/patience.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { pause } from '../pacing.ts';
import { judgeMetrics } from './metrics.ts';
import { checkDeaths, checkServiceStatus } from './service-status.ts';
import type { VerificationInput } from './types.ts';

export interface WatchDeps {
  readonly aws: AwsClients;
  readonly reader: EcsReader;
  readonly pollMilliseconds: number;
}

export type WatchInput = VerificationInput & {
  metrics: MetricPolicy;
  since: string;
  rolledOutSince: string;
  seconds: number;
  allowedTaskDeaths: number;
};

export interface Watched {
  readonly checks: Check[];
  readonly metrics: MetricJudgement[];
}

/** A look may fall into the moment in which ECS replaces a task: this many in a row are a failure. */
const UNSTEADY_LOOKS = 2;

/**
 * Looks at status and metrics until the window is over, counted from when the activity was first scheduled, so that a
 * worker's end does not start it anew. Returns at the first failure, or what the last look found.
 */
export async function watchWindow(deps: WatchDeps, input: WatchInput): Promise<Watched> {
  const until = activityInfo().scheduledTimestampMs + input.seconds * 1000;
  const metricsEvery = samplingPeriod(input.metrics.windowSeconds) * 1000;
  let metrics: MetricJudgement[] = [];
  let judgedAt = Number.NEGATIVE_INFINITY;
  let unsteady = 0;
  for (;;) {
    heartbeat();
    const isLast = Date.now() >= until;
    const isDue = isLast || Date.now() - judgedAt >= metricsEvery;
    const seen = await lookPatiently(
      paced(deps.pollMilliseconds, async () => {
        const look = { ...deps, reader: readingServicesOnce(deps.reader) };
        return {
          ...(await lookAtServices(look, input)),
          ...(isDue && { judged: await judgeMetrics(look, input) }),
        };
      }),
    );
    const { steadiness, deaths } = seen;
    if (seen.judged) {
      metrics = seen.judged;
      judgedAt = Date.now();
    }
    unsteady = steadiness.every(({ passed }) => passed) ? 0 : unsteady + 1;
    const failed =
      deaths.length > 0 || unsteady >= UNSTEADY_LOOKS || metrics.some(({ outcome }) => outcome === 'fail');
    if (failed || (isLast && unsteady === 0)) return { checks: [...steadiness, ...deaths], metrics };
    await pause(
      isLast ? deps.pollMilliseconds : Math.min(deps.pollMilliseconds, Math.max(0, until - Date.now())),
    );
  }
}

/** Status and metrics of one look are about the same services: ECS is asked for them once. */
function readingServicesOnce(reader: EcsReader): EcsReader {
  let read: ReturnType<EcsReader['services']> | undefined;
  return { ...reader, services: (target, names) => (read ??= reader.services(target, names)) };
}

/** The same look, which waits before it is taken again. */
function paced<T>(milliseconds: number, look: () => Promise<T>): () => Promise<T> {
  let again = false;
  return async () => {
    if (again) await pause(milliseconds);
    again = true;
    return look();
  };
}

async function lookAtServices(
  deps: WatchDeps,
  input: WatchInput,
): Promise<{ steadiness: Check[]; deaths: Check[] }> {
  const [steadiness, deaths] = await Promise.all([
    checkServiceStatus(deps, input),
    checkDeaths(deps.reader, input, new Date(input.rolledOutSince), input.allowedTaskDeaths),
  ]);
  return { steadiness, deaths };
}
