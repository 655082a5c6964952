import type { Verdict } from './verdict.ts';

/** Status of an ECS service deployment, as DescribeServiceDeployments has it. */
export type DeploymentStatus =
  | 'PENDING'
  | 'IN_PROGRESS'
  | 'STOP_REQUESTED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'SUCCESSFUL'
  | 'STOPPED'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED';

/** One ECS service deployment. */
export interface ObservedDeployment {
  readonly arn: string;
  readonly status: DeploymentStatus;
  readonly statusReason?: string;
  /** Task definition ARN of its target revision; absent until the revision is known. */
  readonly taskDefinition?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What can be seen of a rollout at one moment. */
export interface RolloutObservation {
  /** The deployment that we started; absent when none was needed or ECS doesn't list it. */
  readonly deployment?: ObservedDeployment;
  /** The service's newest deployment. */
  readonly newest?: ObservedDeployment;
  /** Task definition of the service's primary deployment; absent when the service is gone. */
  readonly primary?: string;
  readonly settled: boolean;
  /** Running tasks that are not of the release, one line each. */
  readonly strangers: readonly string[];
  /** Running tasks whose image digests ECS does not tell yet. */
  readonly unidentified: number;
  /** The release's tasks that stopped since the deployment began by an essential container's exit. */
  readonly deaths: number;
  /** Why the release's tasks stopped, the most frequent first. */
  readonly stoppedReasons: readonly string[];
  readonly elapsedSeconds: number;
}

export interface RolloutExpectation {
  readonly service: string;
  readonly taskDefinition: string;
  readonly serviceDeploymentArn?: string;
  readonly timeoutSeconds: number;
  readonly allowedDeaths: number;
}

const UNDERWAY: readonly DeploymentStatus[] = ['PENDING', 'IN_PROGRESS'];
const GOING_BACK: readonly DeploymentStatus[] = [
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
];

/** The deployment is neither at its end nor stopped from outside. */
export function isUnderway(status: DeploymentStatus): boolean {
  return UNDERWAY.includes(status);
}

/** ECS still works on the deployment, forwards or back. */
export function isUnfinished(status: DeploymentStatus): boolean {
  return isUnderway(status) || GOING_BACK.includes(status);
}

/** @returns the verdict, or `undefined` while there is none yet */
export function judgeRollout(wanted: RolloutExpectation, seen: RolloutObservation): Verdict | undefined {
  return (
    replaced(wanted, seen) ??
    brokenOff(wanted, seen) ??
    dying(wanted, seen) ??
    arrived(wanted, seen) ??
    late(wanted, seen)
  );
}

/** Somebody else deployed after us. Told apart from a rollback, whose deployment is still ours. */
function replaced(
  { service, taskDefinition, serviceDeploymentArn: ours }: RolloutExpectation,
  seen: RolloutObservation,
) {
  if (seen.primary === undefined)
    return fail(`The ECS service of ${service} is gone: somebody deleted it during the rollout.`);
  const { newest, deployment } = seen;
  if (ours && newest && newest.arn !== ours && newest.createdAt >= (deployment?.createdAt ?? 0)) {
    const what = newest.taskDefinition ? ` of ${newest.taskDefinition}` : '';
    return fail(`Somebody else's deployment ${newest.arn}${what} replaced the rollout of ${service}.`);
  }
  if (!ours && seen.primary !== taskDefinition)
    return fail(`${service} runs ${seen.primary} and no longer ${taskDefinition}: somebody else deployed.`);
  return undefined;
}

function brokenOff({ service }: RolloutExpectation, { deployment, stoppedReasons }: RolloutObservation) {
  if (!deployment || isUnderway(deployment.status) || deployment.status === 'SUCCESSFUL') return undefined;
  const why = deployment.statusReason ? `: ${deployment.statusReason}` : '';
  return fail(...stoppedReasons, `ECS ended the rollout of ${service} as ${deployment.status}${why}`);
}

function dying(
  { service, allowedDeaths }: RolloutExpectation,
  { deaths, stoppedReasons }: RolloutObservation,
) {
  if (deaths <= allowedDeaths) return undefined;
  return fail(
    `${deaths} tasks of ${service} died after they had started; ${allowedDeaths} are allowed.`,
    ...stoppedReasons,
  );
}

function arrived(wanted: RolloutExpectation, seen: RolloutObservation): Verdict | undefined {
  const { service, taskDefinition, serviceDeploymentArn: ours } = wanted;
  if (ours && seen.deployment?.status !== 'SUCCESSFUL') return undefined;
  if (ours && seen.deployment?.taskDefinition !== taskDefinition)
    return fail(`ECS deployed ${seen.deployment?.taskDefinition} for ${service}, not ${taskDefinition}.`);
  if (seen.primary !== taskDefinition) return fail(`${service} runs ${seen.primary}, not ${taskDefinition}.`);
  if (!seen.settled || seen.unidentified > 0) return undefined;
  if (seen.strangers.length > 0) return fail(...seen.strangers);
  return {
    outcome: 'pass',
    reasons: [`${service} runs ${taskDefinition}, and its tasks run the release's images.`],
  };
}

function late(
  { service, timeoutSeconds }: RolloutExpectation,
  { elapsedSeconds, stoppedReasons }: RolloutObservation,
) {
  if (elapsedSeconds <= timeoutSeconds) return undefined;
  return fail(`The rollout of ${service} did not end within ${timeoutSeconds} s.`, ...stoppedReasons);
}

function fail(...reasons: string[]): Verdict {
  return { outcome: 'fail', reasons };
}
