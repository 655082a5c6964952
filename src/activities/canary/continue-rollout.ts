import {
  ClientException,
  ConflictException,
  ContinueServiceDeploymentCommand,
  InvalidParameterException,
  ServiceDeploymentNotFoundException,
} from '@aws-sdk/client-ecs';
import { isUnderway } from '../../domain/rollout.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import type { AssertHolder } from '../lock.ts';
import { pause as wait } from '../pacing.ts';
import type { CanaryActivities } from './types.ts';

export interface ContinueDeps {
  readonly aws: AwsClients;
  readonly reader: EcsReader;
  readonly assertHolder: AssertHolder;
  readonly pollMilliseconds: number;
}

type ContinueRolloutInput = Parameters<CanaryActivities['continueRollout']>[0];

/** How often a pause that ECS refused to release is looked at, until ECS shows what became of it. */
const LOOKS = 5;
/** What ECS may answer of a pause that is over: by an attempt whose answer was lost, by a person, or by its timeout. */
const REFUSALS = [
  ClientException,
  ConflictException,
  InvalidParameterException,
  ServiceDeploymentNotFoundException,
];

/** Releases the pause if ECS still waits there: an explicit CONTINUE, right after the lock was shown. */
export async function continueRollout(deps: ContinueDeps, input: ContinueRolloutInput): Promise<void> {
  const { target, rollout, pause, lock } = input;
  const { serviceDeploymentArn } = rollout;
  if (serviceDeploymentArn === undefined || !(await isWaiting(deps, input))) return;
  await deps.assertHolder(lock);
  const request = { serviceDeploymentArn, hookId: pause.hookId, action: 'CONTINUE' } as const;
  try {
    await deps.aws.clientsFor(target).ecs.send(new ContinueServiceDeploymentCommand(request));
  } catch (error) {
    if (!REFUSALS.some((Refusal) => error instanceof Refusal)) throw error;
    for (let look = 0; look < LOOKS; look++) {
      if (!(await isWaiting(deps, input))) return;
      await wait(deps.pollMilliseconds);
    }
    throw error;
  }
}

async function isWaiting(
  { reader }: ContinueDeps,
  { target, rollout: { serviceDeploymentArn = '' }, pause }: ContinueRolloutInput,
): Promise<boolean> {
  const deployment = await reader.deployment(target, serviceDeploymentArn);
  if (deployment === undefined || !isUnderway(deployment.status)) return false;
  const { hooks = [] } = deployment;
  return hooks.some(({ id, status }) => id === pause.hookId && status === 'AWAITING_ACTION');
}
