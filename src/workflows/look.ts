import type { EnvironmentStatus } from '../domain/ledger.ts';
import type { Target } from '../domain/policy.ts';
import { activities } from './activities.ts';
import { Ended } from './failures.ts';

/**
 * Looking at an environment may start its keeper, which writes there: only in the account that is meant.
 * @throws Ended `PreflightFailed`
 */
export async function lookInTheRightAccount(target: Target): Promise<EnvironmentStatus> {
  const { account, environment } = target;
  const identity = await activities('read', `is this account ${account}?`).checkIdentity({ target });
  if (!identity.passed) throw new Ended('PreflightFailed', identity.detail);
  return await activities('read', `look at ${environment}`).inspectEnvironment(target);
}
