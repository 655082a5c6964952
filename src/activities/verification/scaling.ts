import type { Target } from '../../domain/policy.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { lossesOf } from '../ecs/state.ts';

/**
 * Tells a service that is being scaled from one whose tasks go: none of the release's tasks has stopped for another reason than a
 * smaller desired count.
 * @param since milliseconds since the epoch
 */
export async function keepsItsTasks(
  reader: EcsReader,
  target: Target,
  ecsService: string,
  { taskDefinition, since }: { readonly taskDefinition: string; readonly since: number },
): Promise<boolean> {
  const stopped = await reader.stoppedTasks(target, ecsService);
  return lossesOf(stopped, taskDefinition, since).stoppedReasons.length === 0;
}
