import type { Shifting } from '../../activities/canary/types.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';

/** @throws Ended `RolledBack` unless the rollout that we started is what ECS ended with */
export async function followToItsEnd(run: DeploymentRun, { service, rollout }: Shifting): Promise<void> {
  const { target, rollout: policy } = run.policy;
  const following = activities('process', `follow ${service.name}`, policy.timeoutSeconds);
  const verdict = await following.followRollout({ target, service, rollout, policy });
  if (verdict.outcome !== 'pass')
    throw new Ended('RolledBack', `${service.name} did not roll out: ${verdict.reasons.join('; ')}`);
}
