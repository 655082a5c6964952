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

/** A lifecycle hook of a service deployment, as it was run at one stage. */
export interface ObservedHook {
  /** Unique to this one run of it. */
  readonly id: string;
  /** `AWS_LAMBDA`, or `PAUSE`: the deployment waits until somebody has it go on. */
  readonly target: string;
  readonly status: 'AWAITING_ACTION' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
  /** When ECS stops waiting: milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** One ECS service deployment. */
export interface ObservedDeployment {
  readonly arn: string;
  readonly status: DeploymentStatus;
  readonly statusReason?: string;
  /** Task definition ARN of its target revision; absent until the revision is known. */
  readonly taskDefinition?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** `ROLLING`, `CANARY` and so on; absent in a list of deployments, as all that follows. */
  readonly strategy?: string;
  /** Where it is, by ECS's names. */
  readonly stage?: string;
  /** Percent of the production traffic that its target revision is to have. */
  readonly weight?: number;
  readonly hooks?: readonly ObservedHook[];
  /** Alarms of the deployment that went off during it. */
  readonly alarms?: readonly string[];
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
  /** Running tasks that are not of the release, one line each; at a pause only those among the release's own revision. */
  readonly strangers: readonly string[];
  /** Running tasks whose image digests ECS does not tell yet. */
  readonly unidentified: number;
  /** The release's tasks that stopped since the deployment began by an essential container's exit. */
  readonly deaths: number;
  /** All of the release's tasks that stopped since then, but for those that ECS took away in the course of things. */
  readonly losses: number;
  /** Why the release's tasks stopped, the most frequent first. */
  readonly stoppedReasons: readonly string[];
  /** Since following it began. */
  readonly elapsedSeconds: number;
}

export interface RolloutExpectation {
  readonly service: string;
  readonly taskDefinition: string;
  readonly serviceDeploymentArn?: string;
  readonly desiredCount: number;
  readonly timeoutSeconds: number;
  readonly allowedDeaths: number;
}

const UNDERWAY: readonly DeploymentStatus[] = ['PENDING', 'IN_PROGRESS'];
const GOING_BACK: readonly DeploymentStatus[] = [
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
];

/**
 * The number of tasks that a rollout asks for. A release never scales in: a service that serves with more tasks than the policy
 * asks for was scaled out, by autoscaling or a person, for the traffic that there is.
 * @param policy what the policy asks for
 * @param current the service's desired count
 */
export function taskCount(policy: number, current: number): number {
  return Math.max(policy, current);
}

/** The deployment is neither at its end nor stopped from outside. */
export function isUnderway(status: DeploymentStatus): boolean {
  return UNDERWAY.includes(status);
}

/** ECS still works on the deployment, forwards or back. */
export function isUnfinished(status: DeploymentStatus): boolean {
  return isUnderway(status) || GOING_BACK.includes(status);
}

/** The pause that the deployment waits at, unless it is the one that was released last. */
export function pauseOf(
  { hooks = [] }: ObservedDeployment,
  after?: string,
): (ObservedHook & { readonly expiresAt: number }) | undefined {
  for (const hook of hooks) {
    const { id, target, status, expiresAt } = hook;
    if (target === 'PAUSE' && status === 'AWAITING_ACTION' && id !== after && expiresAt !== undefined)
      return { ...hook, expiresAt };
  }
  return undefined;
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

/**
 * Where a canary is.
 * @param after `id` of the pause that was released last
 * @returns why it failed when it has ended, which without our releasing its last pause is never well; the pause that it waits at
 *   with the release's tasks known; or `undefined` on the way there
 */
export function judgeCanaryProgress(
  wanted: RolloutExpectation,
  seen: RolloutObservation,
  after?: string,
):
  | { readonly kind: 'paused'; readonly pause: NonNullable<ReturnType<typeof pauseOf>> }
  | { readonly kind: 'ended'; readonly verdict: Verdict }
  | undefined {
  const { deployment } = seen;
  const pause = deployment && isUnderway(deployment.status) ? pauseOf(deployment, after) : undefined;
  const verdict =
    replaced(wanted, seen) ??
    brokenOff(wanted, seen) ??
    dying(wanted, seen) ??
    (after === undefined && pause === undefined ? neverUp(wanted, seen) : undefined) ??
    (deployment?.status === 'SUCCESSFUL' ? letGo(wanted.service) : undefined) ??
    (pause && mistaken(wanted, seen));
  if (verdict) return { kind: 'ended', verdict };
  if (pause && seen.unidentified === 0) return { kind: 'paused', pause };
  const tooLate = late(wanted, seen, 'reach a pause');
  return tooLate && { kind: 'ended', verdict: tooLate };
}

/** Of a canary that ended well while its pauses were still to be released by us. */
export function letGo(service: string): Verdict {
  return fail(
    `Somebody else let the canary of ${service} go on: ECS ended it as SUCCESSFUL before it was judged.`,
  );
}

/**
 * ECS has no circuit breaker for deployments that shift traffic: before the first pause this is it, by the threshold of ECS's own
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html).
 */
function neverUp(
  { service, desiredCount }: RolloutExpectation,
  { losses, stoppedReasons }: RolloutObservation,
) {
  const threshold = Math.min(200, Math.max(3, Math.ceil(desiredCount / 2)));
  if (losses < threshold) return undefined;
  return fail(`${losses} new tasks of ${service} stopped before all were up.`, ...stoppedReasons);
}

/** At a pause: not the release is being deployed. */
function mistaken({ service, taskDefinition }: RolloutExpectation, seen: RolloutObservation) {
  if (seen.deployment?.taskDefinition !== taskDefinition)
    return fail(`ECS deploys ${seen.deployment?.taskDefinition} for ${service}, not ${taskDefinition}.`);
  return seen.strangers.length > 0 ? fail(...seen.strangers) : undefined;
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
  const { status, statusReason, alarms = [] } = deployment;
  const why = statusReason ? `: ${statusReason}` : '';
  return fail(
    ...(alarms.length > 0 ? [`ECS took ${service} back because of its alarms: ${alarms.join(', ')}.`] : []),
    ...deadMansSwitch(service, deployment),
    ...stoppedReasons,
    `ECS ended the rollout of ${service} as ${status}${why}`,
  );
}

/** A pause that nobody acted on in time. */
function deadMansSwitch(service: string, { hooks = [] }: ObservedDeployment): string[] {
  const expired = hooks.find(({ target, status }) => target === 'PAUSE' && status === 'TIMED_OUT');
  if (!expired) return [];
  const at =
    expired.expiresAt === undefined ? 'in time' : `until ${new Date(expired.expiresAt).toISOString()}`;
  return [
    `Nobody acted on the pause of ${service} ${at}, so ECS put the old version back by itself (the dead man's switch).`,
  ];
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
  what = 'end',
) {
  if (elapsedSeconds <= timeoutSeconds) return undefined;
  return fail(`The rollout of ${service} did not ${what} within ${timeoutSeconds} s.`, ...stoppedReasons);
}

function fail(...reasons: string[]): Verdict {
  return { outcome: 'fail', reasons };
}
