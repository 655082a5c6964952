import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { Service, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { RolloutKind } from '../../domain/evidence.ts';
import type { RolloutPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import { isUnderway, taskCount } from '../../domain/rollout.ts';
import type { AwsClients } from '../aws.ts';
import type { AssertHolder, LockProof } from '../lock.ts';
import { pause } from '../pacing.ts';
import { rolloutConfiguration } from './deployment-configuration.ts';
import type { EcsReader } from './reader.ts';
import { nameOf, primaryOf } from './state.ts';
import type { Rollout } from './types.ts';

export interface RolloutDeps {
  readonly aws: AwsClients;
  readonly reader: EcsReader;
  readonly assertHolder: AssertHolder;
  readonly pollMilliseconds: number;
}

export interface StartRolloutInput {
  readonly target: Target;
  readonly service: ServicePolicy;
  readonly taskDefinition: string;
  readonly rollout: RolloutPolicy;
  readonly by: RolloutKind;
  readonly lock: LockProof;
}

/** Milliseconds that AWS's clock may be behind Temporal's. */
const CLOCK_TOLERANCE = 2_000;
/** How often a deployment that ECS has accepted is looked for, until ECS lists it. */
const LOOKS = 10;

/**
 * Starts the rollout, or finds the one that an earlier attempt started: UpdateService has no client token, so the service's
 * deployments since this activity was first scheduled are looked through for our task definition.
 */
export async function startRollout(deps: RolloutDeps, input: StartRolloutInput): Promise<Rollout> {
  const { target, service, taskDefinition } = input;
  const current = await deps.reader.service(target, service.ecsService);
  if (!current) throw noService(input);
  const desiredCount = taskCount(service.desiredCount, current.desiredCount ?? 0);
  const rollout = { service: service.name, taskDefinition, desiredCount };
  const running = (await findOurs(deps, input)) ?? (await findUnderway(deps, input, current));
  if (running) return { ...rollout, serviceDeploymentArn: running };

  const deploys = primaryOf(current) !== taskDefinition || needsForce(current);
  if (!deploys && current.desiredCount === desiredCount) return rollout;
  await deps.assertHolder(input.lock);
  await deps.aws
    .clientsFor(target)
    .ecs.send(new UpdateServiceCommand(updateOf(input, current, desiredCount)));
  if (!deploys) return rollout;
  return { ...rollout, serviceDeploymentArn: await waitForOurs(deps, input) };
}

function updateOf(
  { target, service, taskDefinition, rollout, by }: StartRolloutInput,
  current: Service,
  desiredCount: number,
): UpdateServiceCommandInput {
  return {
    cluster: target.cluster,
    service: service.ecsService,
    taskDefinition,
    // Only a count that is to change: somebody may scale at this moment.
    ...(desiredCount !== current.desiredCount && { desiredCount }),
    deploymentConfiguration: rolloutConfiguration(current, rollout, by),
    ...(primaryOf(current) === taskDefinition && needsForce(current) && { forceNewDeployment: true }),
  };
}

/** The same task definition makes no deployment of its own: after a failed one, or from no tasks at all, one is wanted. */
function needsForce({ deployments = [], desiredCount }: Service): boolean {
  const failed = deployments.some(
    ({ status, rolloutState }) => status === 'PRIMARY' && rolloutState === 'FAILED',
  );
  return failed || desiredCount === 0;
}

async function findOurs({ reader }: RolloutDeps, input: StartRolloutInput): Promise<string | undefined> {
  const since = activityInfo().scheduledTimestampMs - CLOCK_TOLERANCE;
  const recent = await reader.deploymentsSince(input.target, input.service.ecsService, since);
  return recent.find(({ taskDefinition }) => taskDefinition === input.taskDefinition)?.arn;
}

/** One that goes where this rollout would, and the same way, is gone on with; any other has to end first. */
async function findUnderway(
  { reader }: RolloutDeps,
  { target, service, taskDefinition, rollout, by }: StartRolloutInput,
  current: Service,
): Promise<string | undefined> {
  const underway = await reader.unfinishedDeployment(target, service.ecsService);
  if (!underway) return undefined;
  const { strategy: wanted } = rolloutConfiguration(current, rollout, by);
  const { arn, status, strategy = 'ROLLING' } = underway;
  if (underway.taskDefinition === taskDefinition && isUnderway(status) && strategy === wanted) return arn;
  throw ApplicationFailure.create({
    type: 'DeploymentInProgress',
    message: `ECS service ${service.ecsService} in ${target.environment} is busy with the deployment ${arn} of ${nameOf(underway.taskDefinition)} (${status}, ${strategy}), which this run did not start. It is waited for; or stop it with \`aws ecs stop-service-deployment\`.`,
    details: [{ service: service.name, serviceDeploymentArn: arn }],
    nextRetryDelay: '15s',
  });
}

async function waitForOurs(deps: RolloutDeps, input: StartRolloutInput): Promise<string> {
  for (let look = 0; look < LOOKS; look++) {
    const ours = await findOurs(deps, input);
    if (ours) return ours;
    await pause(deps.pollMilliseconds);
  }
  throw ApplicationFailure.retryable(
    `ECS took the update of ${input.service.ecsService} to ${nameOf(input.taskDefinition)} but lists no deployment of it yet.`,
    'DeploymentNotListed',
  );
}

function noService({ target, service }: StartRolloutInput): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `There is no ECS service ${service.ecsService} in cluster ${target.cluster} (${target.environment}, ${target.region}). Create it with the environment's Terraform, or correct \`ecsService\` or \`cluster\` in slipway.yaml.`,
    'ServiceNotFound',
    { service: service.name, ecsService: service.ecsService, cluster: target.cluster },
  );
}
