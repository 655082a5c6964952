import { heartbeat } from '@temporalio/activity';
import { judgeCanaryProgress } from '../../domain/rollout.ts';
import { expectationOf, observeRollout } from '../ecs/follow-rollout.ts';
import { lookPatiently } from '../ecs/patience.ts';
import type { EcsReader } from '../ecs/reader.ts';
import type { CanaryActivities, CanaryProgress } from './types.ts';

type AwaitPauseInput = Parameters<CanaryActivities['awaitPause']>[0];

/** Polls through the reader that all followers of a worker share, until ECS waits at a pause or has ended the rollout. */
export async function awaitPause(
  deps: { readonly reader: EcsReader },
  input: AwaitPauseInput,
): Promise<CanaryProgress> {
  const wanted = expectationOf(input);
  for (;;) {
    heartbeat();
    const seen = await lookPatiently(() => observeRollout(deps.reader, input, input.after));
    const progress = judgeCanaryProgress(wanted, seen, input.after);
    if (progress?.kind === 'ended') return progress;
    if (progress?.kind === 'paused') {
      const { id: hookId, expiresAt } = progress.pause;
      const { weight = 0, stage } = seen.deployment ?? {};
      const last = stage === 'POST_PRODUCTION_TRAFFIC_SHIFT';
      return {
        kind: 'paused',
        pause: { hookId, weight, last, expiresAt: new Date(expiresAt).toISOString() },
      };
    }
  }
}
