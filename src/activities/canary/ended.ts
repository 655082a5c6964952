import type { Target } from '../../domain/policy.ts';
import { isUnderway, judgeRollout, letGo } from '../../domain/rollout.ts';
import type { ObservedDeployment } from '../../domain/rollout.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { primaryOf } from '../ecs/state.ts';
import type { Losses } from '../ecs/state.ts';
import type { Shifting } from './types.ts';

/**
 * The verdict on a canary that no longer waits for us: ECS or somebody else has ended it. Deaths and time are not judged here.
 * @param deployment ours, as ECS has it
 * @returns `undefined` while it is under way
 */
export async function endOf(
  reader: EcsReader,
  target: Target,
  { service, rollout }: Shifting,
  deployment: ObservedDeployment | undefined,
  { stoppedReasons }: Losses,
): Promise<Verdict | undefined> {
  if (deployment && isUnderway(deployment.status)) return undefined;
  if (deployment?.status === 'SUCCESSFUL') return letGo(service.name);
  const [current, [newest]] = await Promise.all([
    reader.service(target, service.ecsService),
    reader.deploymentsSince(target, service.ecsService, (deployment?.createdAt ?? 1) - 1),
  ]);
  const primary = current && primaryOf(current);
  const nothing = {
    settled: false,
    strangers: [],
    unidentified: 0,
    deaths: 0,
    losses: 0,
    elapsedSeconds: 0,
  };
  return judgeRollout(
    {
      ...rollout,
      service: service.name,
      timeoutSeconds: Number.POSITIVE_INFINITY,
      allowedDeaths: Number.POSITIVE_INFINITY,
    },
    {
      ...nothing,
      stoppedReasons,
      ...(deployment && { deployment }),
      ...(newest && { newest }),
      ...(primary && { primary }),
    },
  );
}
