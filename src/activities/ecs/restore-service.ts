import {
  ClientException,
  ConflictException,
  ContinueServiceDeploymentCommand,
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
import { returnConfiguration } from './deployment-configuration.ts';
import type { RolloutDeps } from './start-rollout.ts';
import { identify, isSettled, lossesOf, nameOf, primaryOf, primarySince } from './state.ts';
import type { RestoreInput } from './types.ts';

/** How often a service is sent back: a deployment of what served before that fails this often needs a person. */
const MAX_UPDATES = 3;
/**
 * Deployments as old as this are looked at to say whether there was anything to undo: milliseconds. A pause lasts up to 14 days,
 * and ECS may have gone back by itself.
 */
const RECENT = 15 * 24 * 60 * 60 * 1000;

export interface Restored {
  readonly outcome: 'undone' | 'nothing to undo';
  readonly detail: string;
}

/**
 * Brings a service back to what served before, or, where nothing did, to no tasks: from a pause by having ECS go back, otherwise
 * by stopping its deployment, otherwise by an update that doesn't pause. Looks before each act, so that a repetition goes on
 * where an earlier attempt was killed, and what ECS has taken back by itself is only waited for. How many tasks there will be:
 * see `restoreGoal`.
 * @throws non-retryable `RestoreFailed` when ECS can't bring it back, `RestoreTimedOut`; `ReplacedByOther` when the service runs
 *   neither what is undone nor what served before: somebody else's deployment is left as it is
 */
export async function restoreService(deps: RolloutDeps, input: RestoreInput): Promise<Restored> {
  const until = Date.now() + input.rollout.timeoutSeconds * 1000;
  const refused = new Set<string>();
  let updates = 0;
  let acted = false;
  for (;;) {
    heartbeat();
    const { goal, seen, service } = await unlessCancelled(observe(deps, input));
    const step = nextRestoreStep(goal, seen, refused, input.ours);
    switch (step.kind) {
      case 'done':
        return report(deps, input, goal, acted);
      case 'turn back':
        acted = true;
        await turnBack(deps, input, step).catch(noteRefusal(refused, step.hookId));
        break;
      case 'stop':
        acted = true;
        await stop(deps, input, step.serviceDeploymentArn).catch(
          noteRefusal(refused, step.serviceDeploymentArn),
        );
        break;
      case 'update':
        acted = true;
        if (++updates > MAX_UPDATES) throw await failure(deps, input, goal, 'RestoreFailed', seen);
        await update(deps, input, goal, seen, service);
        break;
      case 'replaced':
        throw replacedByOther(input, step);
      case 'wait':
        if (Date.now() > until) throw await failure(deps, input, goal, 'RestoreTimedOut', seen);
    }
    await pause(deps.pollMilliseconds);
  }
}

interface Look {
  readonly goal: RestoreGoal;
  readonly seen: RestoreObservation;
  readonly service: Service;
}

async function observe(
  { reader }: RolloutDeps,
  { target, service: { ecsService, desiredCount: asked }, previous }: RestoreInput,
): Promise<Look> {
  const service = await reader.service(target, ecsService);
  const goal = restoreGoal(previous, asked, service?.desiredCount ?? 0);
  if (!service) {
    const nothing = { desiredCount: 0, runningCount: 0, pendingCount: 0, settled: false };
    return { goal, seen: { exists: false, ...nothing, strangers: [], unidentified: 0 }, service: {} };
  }
  const [newest, tasks, digests] = await Promise.all([
    reader.unfinishedDeployment(target, ecsService),
    reader.runningTasks(target, ecsService),
    goal.taskDefinition ? reader.pinnedDigests(target, goal.taskDefinition) : new Map<string, string>(),
  ]);
  const seen = {
    exists: true,
    ...countsOf(service),
    ...(newest && { newest }),
    ...identify(tasks, goal.taskDefinition, digests),
  };
  return { goal, seen, service };
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

/** The action is said: ECS's default would release what is to be taken back. */
async function turnBack(
  { aws, assertHolder }: RolloutDeps,
  { target, lock }: RestoreInput,
  { serviceDeploymentArn, hookId }: { serviceDeploymentArn: string; hookId: string },
): Promise<void> {
  await assertHolder(lock);
  const request = { serviceDeploymentArn, hookId, action: 'ROLLBACK' } as const;
  await aws.clientsFor(target).ecs.send(new ContinueServiceDeploymentCommand(request));
}

/**
 * ECS refuses to stop a deployment that has just ended, that it takes back already, or that has nothing to go back to; and to act
 * on a pause that is over, perhaps by an attempt whose answer was lost. The next look tells which.
 */
const REFUSALS = [
  ClientException,
  ConflictException,
  InvalidParameterException,
  ServiceDeploymentNotFoundException,
  UnsupportedFeatureException,
];

function noteRefusal(refused: Set<string>, name: string) {
  return (error: unknown): void => {
    if (!REFUSALS.some((Refusal) => error instanceof Refusal)) throw error;
    refused.add(name);
  };
}

async function update(
  { aws, assertHolder }: RolloutDeps,
  { target, service: { ecsService }, rollout, lock }: RestoreInput,
  { taskDefinition, desiredCount }: RestoreGoal,
  seen: RestoreObservation,
  service: Service,
): Promise<void> {
  await assertHolder(lock);
  const request = {
    cluster: target.cluster,
    service: ecsService,
    ...(taskDefinition && { taskDefinition }),
    // Only a count that is to change: somebody may scale at this moment.
    ...(desiredCount !== seen.desiredCount && { desiredCount }),
    deploymentConfiguration: returnConfiguration(service, rollout, seen.newest !== undefined),
  };
  await aws.clientsFor(target).ecs.send(new UpdateServiceCommand(request));
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

/** ECS itself or an earlier attempt has already undone it: there was a deployment since, or one of what is undone. */
async function wasDisturbed(
  { reader }: RolloutDeps,
  { target, service, ours }: RestoreInput,
  goal: RestoreGoal,
): Promise<boolean> {
  if (!(await reader.service(target, service.ecsService))) return false;
  const scheduled = activityInfo().scheduledTimestampMs;
  const [newest] = await reader.deploymentsSince(target, service.ecsService, scheduled - RECENT);
  if (newest === undefined) return false;
  const { createdAt, taskDefinition } = newest;
  const undone = ours === undefined ? taskDefinition !== goal.taskDefinition : taskDefinition === ours;
  return createdAt >= scheduled || undone;
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
