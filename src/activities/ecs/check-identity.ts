import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import { nameAwsError } from '../aws-errors.ts';
import type { AwsClients } from '../aws.ts';

/** The caller's account must be the environment's. Refused credentials are a finding; no answer is an error. */
export async function checkIdentity(aws: AwsClients, target: Target): Promise<Check> {
  const name = 'AWS identity';
  try {
    const { Account: account, Arn: arn } = await aws
      .clientsFor(target)
      .sts.send(new GetCallerIdentityCommand({}));
    if (account === target.account) return { name, passed: true, detail: `${arn} in account ${account}` };
    const detail = `The worker acts as ${arn} in account ${account}, but ${target.environment} is account ${target.account}. Give the worker that account's credentials, or set \`role\` of the environment in slipway.yaml.`;
    return { name, passed: false, detail };
  } catch (error) {
    const failure = nameAwsError(error);
    if (failure instanceof ApplicationFailure && failure.nonRetryable)
      return { name, passed: false, detail: failure.message };
    throw failure;
  }
}
