import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Service } from '@aws-sdk/client-ecs';
import type { RolloutPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import { isUnderway, judgeRollout, pauseOf } from '../../domain/rollout.ts';
import type { ObservedDeployment, RolloutExpectation, RolloutObservation } from '../../domain/rollout.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { lookPatiently } from './patience.ts';
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
}

/**
 * Follows the rollout until there is a verdict on it; its time counts from when this was scheduled, since a canary's pauses may
 * have lasted for days before. Cancelled, it stops at once and leaves all as it is.
 * @throws CancelledFailure
 */
export async function followRollout(deps: FollowDeps, input: FollowRolloutInput): Promise<Verdict> {
  const wanted = expectationOf(input);
  for (;;) {
    heartbeat();
    const seen = await lookPatiently(() => observeRollout(deps.reader, input));
    const verdict = judgeRollout(wanted, seen);
    if (verdict) return verdict;
  }
}

export function expectationOf({ service, rollout, policy }: FollowRolloutInput): RolloutExpectation {
  return {
    ...rollout,
    service: service.name,
    timeoutSeconds: policy.timeoutSeconds,
    allowedDeaths: policy.allowedTaskDeaths,
  };
}

/** Looks at the next poll. @param after `hookId` of the pause that was released last */
export async function observeRollout(
  reader: EcsReader,
  input: FollowRolloutInput,
  after?: string,
): Promise<RolloutObservation> {
  const { target, service, rollout } = input;
  const scheduled = activityInfo().scheduledTimestampMs;
  const [current, deployment] = await Promise.all([
    reader.polledService(target, service.ecsService),
    rollout.serviceDeploymentArn ? reader.polledDeployment(target, rollout.serviceDeploymentArn) : undefined,
  ]);
  const primary = current && primaryOf(current);
  const since = deployment?.createdAt ?? scheduled;
  const [stopped, newest, identity] = await Promise.all([
    current ? reader.stoppedTasks(target, service.ecsService) : [],
    current && deployment && isOdd(rollout, deployment, primary)
      ? newestSince(reader, input, since)
      : undefined,
    current ? identityAt(reader, input, deployment, after) : UNASKED,
  ]);
  return {
    ...(deployment && { deployment }),
    ...(newest && { newest }),
    ...(primary && { primary }),
    settled: hasArrived(current, input),
    ...identity,
    ...lossesOf(stopped, rollout.taskDefinition, since),
    elapsedSeconds: (Date.now() - scheduled) / 1000,
  };
}

const UNASKED: Identity = { strangers: [], unidentified: 0 };

/** Stopped or not the primary one: perhaps because somebody else deployed. */
function isOdd(rollout: Rollout, { status }: ObservedDeployment, primary: string | undefined): boolean {
  return primary !== rollout.taskDefinition || !(isUnderway(status) || status === 'SUCCESSFUL');
}

function isAtItsEnd({ serviceDeploymentArn }: Rollout, deployment: ObservedDeployment | undefined): boolean {
  return !serviceDeploymentArn || deployment?.status === 'SUCCESSFUL';
}

/** How many tasks are wanted is ECS's to say: somebody may scale meanwhile. Without a deployment the policy's is all that was asked for. */
function hasArrived(
  service: Service | undefined,
  { rollout, service: { desiredCount: atLeast } }: FollowRolloutInput,
): boolean {
  if (service === undefined || !isSettled(service)) return false;
  return rollout.serviceDeploymentArn !== undefined || (service.desiredCount ?? 0) >= atLeast;
}

async function newestSince(
  reader: EcsReader,
  { target, service }: FollowRolloutInput,
  since: number,
): Promise<ObservedDeployment | undefined> {
  return (await reader.deploymentsSince(target, service.ecsService, since - 1))[0];
}

/** Tasks are known by their images where it counts: at a pause those of the release, at the end all. */
async function identityAt(
  reader: EcsReader,
  { target, service, rollout }: FollowRolloutInput,
  deployment: ObservedDeployment | undefined,
  after: string | undefined,
): Promise<Identity> {
  const atEnd = isAtItsEnd(rollout, deployment);
  const atPause = deployment !== undefined && pauseOf(deployment, after) !== undefined;
  if (!atEnd && !atPause) return UNASKED;
  const { taskDefinition } = rollout;
  const [running, digests] = await Promise.all([
    reader.runningTasks(target, service.ecsService),
    reader.pinnedDigests(target, taskDefinition),
  ]);
  if (atEnd) return identify(running, taskDefinition, digests);
  const ours = running.filter(({ taskDefinitionArn }) => taskDefinitionArn === taskDefinition);
  // Without a task of it there is nothing by which the release could be known.
  return ours.length > 0 ? identify(ours, taskDefinition, digests) : { strangers: [], unidentified: 1 };
}
