import {
  ConflictException,
  InvalidParameterException,
  ServiceDeploymentNotFoundException,
  StopServiceDeploymentCommand,
  UnsupportedFeatureException,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { nextRestoreStep, restoreGoal } from '../../domain/restore.ts';
import type { Replacement, RestoreGoal, RestoreObservation } from '../../domain/restore.ts';
import { pause, unlessCancelled } from '../pacing.ts';
import type { RolloutDeps } from './start-rollout.ts';
import { identify, isSettled, lossesOf, nameOf, primaryOf, primarySince } from './state.ts';
import type { RestoreInput } from './types.ts';

/** How often a service is sent back: a deployment of what served before that fails this often needs a person. */
const MAX_UPDATES = 3;
/** Deployments as old as this are looked at to say whether there was anything to undo: milliseconds. */
const RECENT = 24 * 60 * 60 * 1000;

export interface Restored {
  readonly outcome: 'undone' | 'nothing to undo';
  readonly detail: string;
}

/**
 * Brings a service back to what served before, or, where nothing did, to no tasks. Looks before each act, so that a
 * repetition goes on where an earlier attempt was killed.
 * @throws non-retryable `RestoreFailed` when ECS can't bring it back, `RestoreTimedOut`; `ReplacedByOther` when the service runs
 *   neither what is undone nor what served before: somebody else's deployment is left as it is
 */
export async function restoreService(deps: RolloutDeps, input: RestoreInput): Promise<Restored> {
  const goal = restoreGoal(input.previous);
  const until = Date.now() + input.rollout.timeoutSeconds * 1000;
  const stopRefused = new Set<string>();
  let updates = 0;
  let acted = false;
  for (;;) {
    heartbeat();
    const seen = await unlessCancelled(observe(deps, input, goal));
    const step = nextRestoreStep(goal, seen, stopRefused, input.ours);
    switch (step.kind) {
      case 'done':
        return report(deps, input, goal, acted);
      case 'stop':
        acted = true;
        await stop(deps, input, step.serviceDeploymentArn).catch(
          noteRefusal(stopRefused, step.serviceDeploymentArn),
        );
        break;
      case 'update':
        acted = true;
        if (++updates > MAX_UPDATES) throw await failure(deps, input, goal, 'RestoreFailed', seen);
        await update(deps, input, goal);
        break;
      case 'replaced':
        throw replacedByOther(input, step);
      case 'wait':
        if (Date.now() > until) throw await failure(deps, input, goal, 'RestoreTimedOut', seen);
    }
    await pause(deps.pollMilliseconds);
  }
}

async function observe(
  { reader }: RolloutDeps,
  { target, service: { ecsService } }: RestoreInput,
  goal: RestoreGoal,
): Promise<RestoreObservation> {
  const service = await reader.service(target, ecsService);
  if (!service) {
    const nothing = { desiredCount: 0, runningCount: 0, pendingCount: 0, settled: false };
    return { exists: false, ...nothing, strangers: [], unidentified: 0 };
  }
  const [newest, tasks, digests] = await Promise.all([
    reader.unfinishedDeployment(target, ecsService),
    reader.runningTasks(target, ecsService),
    goal.taskDefinition ? reader.pinnedDigests(target, goal.taskDefinition) : new Map<string, string>(),
  ]);
  return {
    exists: true,
    ...countsOf(service),
    ...(newest && { newest }),
    ...identify(tasks, goal.taskDefinition, digests),
  };
}

function countsOf(service: Service) {
  const { desiredCount = 0, runningCount = 0, pendingCount = 0 } = service;
  const primary = primaryOf(service);
  const since = primarySince(service);
  return {
    ...(primary && { primary }),
    ...(since !== undefined && { primarySince: since }),
    desiredCount,
    runningCount,
    pendingCount,
    settled: isSettled(service),
  };
}

async function stop(
  { aws, assertHolder }: RolloutDeps,
  { target, lock }: RestoreInput,
  arn: string,
): Promise<void> {
  await assertHolder(lock);
  const request = { serviceDeploymentArn: arn, stopType: 'ROLLBACK' } as const;
  await aws.clientsFor(target).ecs.send(new StopServiceDeploymentCommand(request));
}

/**
 * ECS refuses to stop a deployment that has just ended, that it takes back already, or that has nothing to go back to.
 * The next look tells which.
 */
const REFUSALS = [
  ConflictException,
  InvalidParameterException,
  ServiceDeploymentNotFoundException,
  UnsupportedFeatureException,
];

function noteRefusal(refused: Set<string>, arn: string) {
  return (error: unknown): void => {
    if (!REFUSALS.some((Refusal) => error instanceof Refusal)) throw error;
    refused.add(arn);
  };
}

async function update(
  { aws, assertHolder }: RolloutDeps,
  input: RestoreInput,
  goal: RestoreGoal,
): Promise<void> {
  await assertHolder(input.lock);
  const { cluster } = input.target;
  await aws
    .clientsFor(input.target)
    .ecs.send(new UpdateServiceCommand({ cluster, service: input.service.ecsService, ...goal }));
}

async function report(
  deps: RolloutDeps,
  input: RestoreInput,
  goal: RestoreGoal,
  acted: boolean,
): Promise<Restored> {
  const undone = acted || (await wasDisturbed(deps, input, goal));
  const { name } = input.service;
  const what =
    goal.desiredCount === 0
      ? 'has no tasks'
      : `serves ${nameOf(goal.taskDefinition)} with ${goal.desiredCount} tasks`;
  if (undone) return { outcome: 'undone', detail: `${name} ${what} again.` };
  return { outcome: 'nothing to undo', detail: `${name} ${what}, as before.` };
}

/** ECS itself or an earlier attempt has already undone it: there was a deployment since, or one of something else. */
async function wasDisturbed(
  { reader }: RolloutDeps,
  { target, service }: RestoreInput,
  goal: RestoreGoal,
): Promise<boolean> {
  if (!(await reader.service(target, service.ecsService))) return false;
  const scheduled = activityInfo().scheduledTimestampMs;
  const [newest] = await reader.deploymentsSince(target, service.ecsService, scheduled - RECENT);
  return (
    newest !== undefined && (newest.createdAt >= scheduled || newest.taskDefinition !== goal.taskDefinition)
  );
}

function replacedByOther(
  { target, service, previous, ours }: RestoreInput,
  { taskDefinition, since, serviceDeploymentArn }: Replacement,
): ApplicationFailure {
  const at = since === undefined ? undefined : new Date(since).toISOString();
  return ApplicationFailure.nonRetryable(
    `Service ${service.name} in ${target.environment} runs ${nameOf(taskDefinition)}${at ? ` since ${at}` : ''}: somebody else deployed it over ${nameOf(ours)}. It was neither stopped nor overwritten. Find out whose it is (the service's events, CloudTrail's UpdateService). To go back to ${nameOf(previous.taskDefinition)} all the same, start a rollback.`,
    'ReplacedByOther',
    {
      service: service.name,
      runs: taskDefinition,
      ...(at && { since: at }),
      ...(serviceDeploymentArn && { serviceDeploymentArn }),
      ours,
      previous: previous.taskDefinition,
    },
  );
}

async function failure(
  { reader }: RolloutDeps,
  { target, service }: RestoreInput,
  goal: RestoreGoal,
  type: 'RestoreFailed' | 'RestoreTimedOut',
  seen: RestoreObservation,
): Promise<ApplicationFailure> {
  const stopped = await reader.stoppedTasks(target, service.ecsService);
  const reasons = lossesOf(
    stopped,
    goal.taskDefinition ?? '',
    activityInfo().scheduledTimestampMs,
  ).stoppedReasons;
  const wanted =
    goal.desiredCount === 0 ? 'no tasks' : `${goal.desiredCount} tasks of ${nameOf(goal.taskDefinition)}`;
  const found = `${seen.runningCount} of ${seen.desiredCount} tasks of ${nameOf(seen.primary)}`;
  return ApplicationFailure.nonRetryable(
    `Service ${service.name} in ${target.environment} could not be brought back to ${wanted}: it runs ${found}. ${[...reasons, ...seen.strangers].join('; ')} Look at the service's events in ECS, remove the cause, and decide retry.`,
    type,
    { service: service.name, goal, seen, reasons },
  );
}
