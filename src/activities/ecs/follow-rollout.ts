import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Service } from '@aws-sdk/client-ecs';
import type { RolloutPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import { isUnderway, judgeRollout } from '../../domain/rollout.ts';
import type { ObservedDeployment, RolloutObservation } from '../../domain/rollout.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { unlessCancelled } from '../pacing.ts';
import type { EcsReader } from './reader.ts';
import { identify, isSettled, lossesOf, primaryOf } from './state.ts';
import type { Identity } from './state.ts';
import type { Rollout } from './types.ts';

export interface FollowRolloutInput {
  readonly target: Target;
  readonly service: ServicePolicy;
  readonly rollout: Rollout;
  readonly policy: RolloutPolicy;
}

export interface FollowDeps {
  readonly reader: EcsReader;
  /** Tasks of the release that may die during its rollout before it counts as failed. */
  readonly allowedDeaths: number;
}

/**
 * Follows the rollout until there is a verdict on it. Cancelled, it stops at once and leaves all as it is.
 * @throws CancelledFailure
 */
export async function followRollout(deps: FollowDeps, input: FollowRolloutInput): Promise<Verdict> {
  const { service, rollout, policy } = input;
  const expectation = {
    ...rollout,
    service: service.name,
    timeoutSeconds: policy.timeoutSeconds,
    allowedDeaths: deps.allowedDeaths,
  };
  for (;;) {
    heartbeat();
    const seen = await unlessCancelled(observe(deps.reader, input));
    const verdict = judgeRollout(expectation, seen);
    if (verdict) return verdict;
  }
}

async function observe(reader: EcsReader, input: FollowRolloutInput): Promise<RolloutObservation> {
  const { target, service, rollout } = input;
  const [current, deployment] = await Promise.all([
    reader.polledService(target, service.ecsService),
    rollout.serviceDeploymentArn ? reader.polledDeployment(target, rollout.serviceDeploymentArn) : undefined,
  ]);
  const primary = current && primaryOf(current);
  const since = deployment?.createdAt ?? activityInfo().scheduledTimestampMs;
  const [stopped, newest, identity] = await Promise.all([
    current ? reader.stoppedTasks(target, service.ecsService) : [],
    current && deployment && isOdd(rollout, deployment, primary)
      ? newestSince(reader, input, since)
      : undefined,
    current && isAtItsEnd(rollout, deployment)
      ? identityOf(reader, input)
      : { strangers: [], unidentified: 0 },
  ]);
  return {
    ...(deployment && { deployment }),
    ...(newest && { newest }),
    ...(primary && { primary }),
    settled: hasArrived(current, rollout),
    ...identity,
    ...lossesOf(stopped, rollout.taskDefinition, since),
    elapsedSeconds: (Date.now() - since) / 1000,
  };
}

/** Stopped or not the primary one: perhaps because somebody else deployed. */
function isOdd(rollout: Rollout, { status }: ObservedDeployment, primary: string | undefined): boolean {
  return primary !== rollout.taskDefinition || !(isUnderway(status) || status === 'SUCCESSFUL');
}

function isAtItsEnd({ serviceDeploymentArn }: Rollout, deployment: ObservedDeployment | undefined): boolean {
  return !serviceDeploymentArn || deployment?.status === 'SUCCESSFUL';
}

function hasArrived(service: Service | undefined, { desiredCount }: Rollout): boolean {
  return service !== undefined && isSettled(service) && service.desiredCount === desiredCount;
}

async function newestSince(
  reader: EcsReader,
  { target, service }: FollowRolloutInput,
  since: number,
): Promise<ObservedDeployment | undefined> {
  return (await reader.deploymentsSince(target, service.ecsService, since - 1))[0];
}

async function identityOf(
  reader: EcsReader,
  { target, service, rollout }: FollowRolloutInput,
): Promise<Identity> {
  const [tasks, digests] = await Promise.all([
    reader.runningTasks(target, service.ecsService),
    reader.pinnedDigests(target, rollout.taskDefinition),
  ]);
  return identify(tasks, rollout.taskDefinition, digests);
}
