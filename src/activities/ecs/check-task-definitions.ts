import { ClientException, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import { nameOf } from './state.ts';

/**
 * Whether ECS would still run these task definitions: it moves no service to one that was deregistered or deleted.
 * @param taskDefinitions ARNs by service
 * @returns one check per service, in the order of `taskDefinitions`
 */
export async function checkTaskDefinitions(
  aws: AwsClients,
  target: Target,
  taskDefinitions: Readonly<Record<string, string>>,
): Promise<Check[]> {
  return Promise.all(
    Object.entries(taskDefinitions).map(async ([service, arn]) => ({
      name: `task definition of ${service}`,
      ...judge(target, arn, await statusOf(aws, target, arn)),
    })),
  );
}

function judge(target: Target, arn: string, status: string | undefined): Omit<Check, 'name'> {
  const name = nameOf(arn);
  if (status === 'ACTIVE') return { passed: true, detail: `${name} is ACTIVE` };
  const instead =
    'roll back with strategy redeploy, which registers it again, or roll back to another release.';
  const detail = status
    ? `${name} is ${status}: ECS moves no service to it. It can't be made ACTIVE again: ${instead}`
    : `There is no task definition ${name} in account ${target.account}, ${target.region}: ${instead}`;
  return { passed: false, detail };
}

/** @returns `undefined` when there is no such task definition */
async function statusOf(aws: AwsClients, target: Target, arn: string): Promise<string | undefined> {
  try {
    const request = new DescribeTaskDefinitionCommand({ taskDefinition: arn });
    return (await aws.clientsFor(target).ecs.send(request)).taskDefinition?.status;
  } catch (error) {
    // ECS has no more exact error for it: `Unable to describe task definition.`
    if (error instanceof ClientException) return undefined;
    throw error;
  }
}
