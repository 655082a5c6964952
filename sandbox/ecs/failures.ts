import type { Clock } from '../clock.ts';
import type { DeploymentRecord, ServiceRecord, TaskRecord } from './records.ts';

/** ECS's longest pause between two attempts to start a task: 27 minutes. See "Service throttle logic". */
const LONGEST_PAUSE_MS = 27 * 60 * 1000;
const FIRST_PAUSE_MS = 1000;
/** From this many failed launches in a row on, the service says that it can't start its tasks. */
const SAID_FROM = 3;

/** A task runs successfully: its deployment's failures are forgotten and no longer counted. */
export function afterSuccess(service: ServiceRecord, task: TaskRecord): ServiceRecord {
  return onDeployment(service, task, ({ notBefore: _over, ...deployment }) => ({
    ...deployment,
    failedTasks: 0,
    succeeded: true,
    launchFailures: 0,
  }));
}

export interface AfterFailure {
  readonly service: ServiceRecord;
  /** Of the deployment; undefined when the end was no failure. */
  readonly failureCount?: number;
  readonly says: readonly string[];
}

/**
 * A service's task has stopped. When that was a failure, its deployment counts it (as long as none of its tasks
 * has run successfully) and the scheduler waits longer before each further attempt.
 */
export function afterFailure(service: ServiceRecord, task: TaskRecord, clock: Clock): AfterFailure {
  if (!isFailure(task)) return { service, says: [] };
  let failureCount = 0;
  let launchFailures = 0;
  const counted = onDeployment(service, task, (deployment) => {
    launchFailures = deployment.launchFailures + 1;
    failureCount =
      deployment.succeeded || task.succeeded ? deployment.failedTasks : deployment.failedTasks + 1;
    const wait = pauseAfter(launchFailures) / clock.speed;
    const notBefore = new Date(clock.now() + wait).toISOString();
    return { ...deployment, failedTasks: failureCount, launchFailures, notBefore };
  });
  const throttled = task.startedAt === undefined && launchFailures === SAID_FROM;
  return {
    service: counted,
    failureCount,
    says: throttled ? ['is unable to consistently start tasks successfully.'] : [],
  };
}

/** Milliseconds of AWS's time: nothing after the first failure, then doubling. */
export function pauseAfter(failures: number): number {
  return failures < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 2), LONGEST_PAUSE_MS);
}

/** It couldn't start, ended by itself, or failed its checks; not: scaled in, stopped by someone, lost with its host. */
function isFailure({ stopCode, failedChecks }: TaskRecord): boolean {
  return stopCode === 'TaskFailedToStart' || stopCode === 'EssentialContainerExited' || failedChecks === true;
}

function onDeployment(
  service: ServiceRecord,
  task: TaskRecord,
  change: (deployment: DeploymentRecord) => DeploymentRecord,
): ServiceRecord {
  return {
    ...service,
    deployments: service.deployments.map((each) =>
      each.id === task.service?.deploymentId ? change(each) : each,
    ),
  };
}
