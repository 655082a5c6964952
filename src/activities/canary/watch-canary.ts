import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { judgeCanary } from '../../domain/canary-judge.ts';
import { spreadLooks } from '../../domain/canary.ts';
import type { Look } from '../../domain/canary.ts';
import { samplingPeriod, wholePeriods } from '../../domain/metrics.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import { lookPatiently } from '../ecs/patience.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { lossesOf } from '../ecs/state.ts';
import type { Losses } from '../ecs/state.ts';
import { unlessCancelled } from '../pacing.ts';
import { endOf } from './ended.ts';
import { findSides, readTraffic } from './traffic.ts';
import type { Sides } from './traffic.ts';
import type { CanaryActivities, Shifting } from './types.ts';

export interface WatchDeps {
  readonly aws: AwsClients;
  /** Paces the watch: it looks at ECS as often as the reader polls. */
  readonly reader: EcsReader;
}

type WatchInput = Parameters<CanaryActivities['watchCanary']>[0];
type Watched = Awaited<ReturnType<CanaryActivities['watchCanary']>>;

/** What ECS shows of one canary. */
interface State extends Losses {
  readonly service: string;
  readonly ended: Verdict | undefined;
}

/** Looks of one service that are handed back. */
const MOST_LOOKS = 60;

/**
 * Asks ECS at every poll, and CloudWatch once a period or when a task has died, until the time is over, which counts from when the
 * activity was first scheduled: a worker's end does not start it anew.
 * @throws non-retryable `InvalidInput` for a rollout without a service deployment
 */
export async function watchCanary(deps: WatchDeps, input: WatchInput): Promise<Watched> {
  assertCanaries(input.shifting);
  const until = activityInfo().scheduledTimestampMs + input.seconds * 1000;
  const every = samplingPeriod(input.stepSeconds) * 1000;
  const sides = await unlessCancelled(findSides(deps.aws.clientsFor(input.target), input.shifting));
  const looks: Look[] = [];
  let due = Number.NEGATIVE_INFINITY;
  let deaths = 0;
  for (;;) {
    heartbeat();
    const isLast = Date.now() >= until;
    const { states, taken } = await lookPatiently(async () => {
      const now = await Promise.all(input.shifting.map((each) => observe(deps.reader, input, each)));
      const isDue = isLast || deathsIn(now) > deaths || Date.now() >= due;
      return { states: now, taken: isDue ? await look(deps, input, sides, now) : [] };
    });
    if (taken.length > 0) {
      due = Date.now() + every;
      deaths = deathsIn(states);
      looks.push(...taken);
    }
    const ended = states.flatMap(({ service, ended: verdict }) => (verdict ? [{ service, verdict }] : []));
    if (isLast || ended.length > 0 || hasFailed(input, looks))
      return { looks: spreadLooks(looks, MOST_LOOKS), ended };
  }
}

function assertCanaries(shifting: readonly Shifting[]): void {
  const [none] = shifting.filter(({ rollout }) => rollout.serviceDeploymentArn === undefined);
  if (!none) return;
  const what = `The rollout of ${none.service.name} has no service deployment: there is no canary to watch.`;
  throw ApplicationFailure.nonRetryable(what, 'InvalidInput');
}

async function observe(
  reader: EcsReader,
  { target }: WatchInput,
  { service, rollout }: Shifting,
): Promise<State> {
  const deployment = await reader.polledDeployment(target, rollout.serviceDeploymentArn ?? '');
  const stopped = await reader.stoppedTasks(target, service.ecsService);
  const losses = lossesOf(stopped, rollout.taskDefinition, deployment?.createdAt ?? 0);
  const ended = await endOf(reader, target, { service, rollout }, deployment, losses);
  return { service: service.name, ...losses, ended };
}

function deathsIn(states: readonly State[]): number {
  return states.reduce((all, { deaths }) => all + deaths, 0);
}

/** One look at each service, all of the same moment. */
async function look(
  { aws }: WatchDeps,
  { target, judge, since, stepSeconds }: WatchInput,
  sides: readonly Sides[],
  states: readonly State[],
): Promise<Look[]> {
  const now = new Date();
  const window = wholePeriods(new Date(since), now, samplingPeriod(stepSeconds));
  const threshold = judge.latency?.thresholdSeconds;
  const traffic = await readTraffic(aws.clientsFor(target), sides, threshold, window);
  return states.flatMap(({ service, deaths, stoppedReasons }) => {
    const seen = traffic.get(service);
    return seen ? [{ service, at: now.toISOString(), ...seen, deaths, stoppedReasons }] : [];
  });
}

function hasFailed(input: WatchInput, looks: readonly Look[]): boolean {
  const { judge: policy, allowedTaskDeaths, guardsOnly = false } = input;
  return input.shifting.some(({ service, pause }) => {
    const question = { service: service.name, policy, allowedTaskDeaths, weight: pause.weight, looks };
    return judgeCanary({ ...question, guardsOnly }).outcome === 'fail';
  });
}
