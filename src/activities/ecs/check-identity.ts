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
    const caller = await callerOf(aws, target);
    if (caller.account !== target.account)
      return { name, passed: false, detail: wrongAccount(target, caller) };
    return { name, passed: true, detail: `${caller.arn} in account ${caller.account}` };
  } catch (error) {
    const failure = nameAwsError(error);
    if (failure instanceof ApplicationFailure && failure.nonRetryable)
      return { name, passed: false, detail: failure.message };
    throw failure;
  }
}

/** Right before a write that no checklist comes before. @throws non-retryable `WrongAccount` */
export async function assertAccount(aws: AwsClients, target: Target): Promise<void> {
  const caller = await callerOf(aws, target);
  if (caller.account === target.account) return;
  const { environment, account } = target;
  throw ApplicationFailure.nonRetryable(wrongAccount(target, caller), 'WrongAccount', {
    environment,
    account,
    caller,
  });
}

interface Caller {
  readonly account: string | undefined;
  readonly arn: string | undefined;
}

async function callerOf(aws: AwsClients, target: Target): Promise<Caller> {
  const { Account: account, Arn: arn } = await aws
    .clientsFor(target)
    .sts.send(new GetCallerIdentityCommand({}));
  return { account, arn };
}

function wrongAccount({ environment, account }: Target, caller: Caller): string {
  return `The worker acts as ${caller.arn} in account ${caller.account}, but ${environment} is account ${account}. Give the worker that account's credentials, or set \`role\` of the environment in slipway.yaml.`;
}
