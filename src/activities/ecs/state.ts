import type { Service, ServiceDeployment, Task } from '@aws-sdk/client-ecs';
import type { ServiceState } from './types.ts';

/** @param service as DescribeServices has it; `undefined` when there is none */
export function serviceState(name: string, service: Service | undefined): ServiceState {
  if (!service) {
    const nothing = { exists: false, desiredCount: 0, runningCount: 0, stable: false, serving: false };
    return { service: name, ...nothing, detail: 'there is no such ECS service yet' };
  }
  const { desiredCount = 0, runningCount = 0 } = service;
  const taskDefinition = primaryOf(service);
  const stable = isSettled(service);
  return {
    service: name,
    exists: true,
    ...(taskDefinition && { taskDefinition }),
    desiredCount,
    runningCount,
    stable,
    serving: stable && desiredCount > 0,
    detail: `${runningCount} of ${desiredCount} tasks run ${nameOf(taskDefinition)}${stable ? '' : `; ${unrest(service)}`}`,
  };
}

/** Task definition ARN of the primary deployment. */
export function primaryOf({ deployments = [], taskDefinition }: Service): string | undefined {
  return deployments.find(({ status }) => status === 'PRIMARY')?.taskDefinition ?? taskDefinition;
}

/** When the primary deployment began: milliseconds since the epoch. */
export function primarySince({ deployments = [] }: Service): number | undefined {
  return deployments.find(({ status }) => status === 'PRIMARY')?.createdAt?.getTime();
}

/** One deployment, COMPLETED, running = desired. */
export function isSettled(service: Service): boolean {
  const { desiredCount, runningCount, pendingCount = 0 } = service;
  return isDeployed(service) && runningCount === desiredCount && pendingCount === 0;
}

/** One deployment, COMPLETED. */
export function isDeployed({ deployments = [] }: Service): boolean {
  const [only, ...others] = deployments;
  return others.length === 0 && only?.rolloutState === 'COMPLETED';
}

/**
 * Percent of the production traffic that the deployment's target revision is to have. A step is of tenths, but ECS tells doubles,
 * and adds its steps up: three of 14.3 % are 42.900000000000006 %.
 */
export function trafficWeight({ targetServiceRevision }: ServiceDeployment): number | undefined {
  const weight = targetServiceRevision?.requestedProductionTrafficWeight;
  return weight === undefined ? undefined : Math.round(weight * 10) / 10;
}

/** `arn:aws:ecs:...:task-definition/web:7` as `web:7`. */
export function nameOf(arn: string | undefined): string {
  return arn?.split('/').at(-1) ?? 'nothing';
}

function unrest({ deployments = [], events = [] }: Service): string {
  const under = deployments.map(
    (each) => `${nameOf(each.taskDefinition)} ${each.rolloutState ?? each.status}`,
  );
  const [event] = events;
  return [`deployments: ${under.join(', ') || 'none'}`, ...(event?.message ? [event.message] : [])].join(
    '; ',
  );
}

export interface Identity {
  /** Running tasks that are not what they should be, one line each. */
  readonly strangers: string[];
  /** Running tasks whose image digests ECS does not tell yet. */
  readonly unidentified: number;
}

/** Compares running tasks with a task definition and the image digests of its containers. */
export function identify(
  tasks: readonly Task[],
  taskDefinition: string | undefined,
  digests: ReadonlyMap<string, string>,
): Identity {
  const running = tasks.filter(({ desiredStatus }) => desiredStatus !== 'STOPPED');
  const strangers = running.flatMap((task) => strangeness(task, taskDefinition, digests));
  const unidentified = running.filter((task) => [...digests.keys()].some((name) => !digestIn(task, name)));
  return { strangers, unidentified: unidentified.length };
}

function strangeness(
  task: Task,
  taskDefinition: string | undefined,
  digests: ReadonlyMap<string, string>,
): string[] {
  const id = nameOf(task.taskArn);
  if (taskDefinition && task.taskDefinitionArn !== taskDefinition)
    return [`task ${id} runs ${nameOf(task.taskDefinitionArn)}, not ${nameOf(taskDefinition)}`];
  return [...digests].flatMap(([container, digest]) => {
    const found = digestIn(task, container);
    return found && found !== digest
      ? [`container ${container} of task ${id} runs image ${found}, not ${digest}`]
      : [];
  });
}

function digestIn(task: Task, container: string): string | undefined {
  return task.containers?.find(({ name }) => name === container)?.imageDigest;
}

/** The release's tasks that stopped since the rollout began. */
export interface Losses {
  /** Those that an essential container's exit ended. */
  readonly deaths: number;
  /** All of them, but for those that the scheduler took away in the course of things. */
  readonly losses: number;
  /** Why they stopped, the most frequent first, one line each. */
  readonly stoppedReasons: string[];
}

/** @param since milliseconds since the epoch: what stopped before is not counted */
export function lossesOf(stopped: readonly Task[], taskDefinition: string, since: number): Losses {
  const ours = stopped.filter(
    (task) =>
      task.taskDefinitionArn === taskDefinition &&
      ((task.stoppingAt ?? task.stoppedAt)?.getTime() ?? Number.POSITIVE_INFINITY) >= since,
  );
  const deaths = ours.filter(({ stopCode }) => stopCode === 'EssentialContainerExited');
  // A task that the scheduler took away in the course of things is no loss; one that failed its checks is.
  const told = ours.filter((task) => !/^Scaling activity initiated/.test(task.stoppedReason ?? ''));
  const counts = Map.groupBy(told.map(stoppedReason), (reason) => reason);
  const stoppedReasons = [...counts]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, all]) => `${all.length} ${all.length === 1 ? 'task' : 'tasks'} stopped: ${reason}`);
  return { deaths: deaths.length, losses: told.length, stoppedReasons };
}

/** A task's stopped reason with its containers' exit codes and reasons. */
export function stoppedReason({ stoppedReason: reason = 'no reason given', containers = [] }: Task): string {
  const exits = containers
    .filter(({ exitCode, reason: why }) => (exitCode !== undefined && exitCode !== 0) || why)
    .map(({ name, exitCode, reason: why }) =>
      [
        `container ${name}`,
        ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
        ...(why ? [why] : []),
      ].join(': '),
    );
  return exits.length > 0 ? `${reason} (${exits.join('; ')})` : reason;
}
