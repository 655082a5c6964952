import type { Task } from '@aws-sdk/client-ecs';
import { identify } from '../ecs/state.ts';

/**
 * @param digests image digests by container name
 * @returns what is wrong with the tasks: they are not the release's, or ECS does not tell the image of one that runs
 */
export function strange(
  tasks: readonly Task[],
  taskDefinition: string | undefined,
  digests: ReadonlyMap<string, string>,
): string | undefined {
  const { strangers } = identify(tasks, taskDefinition, digests);
  if (strangers.length > 0) return strangers.join('; ');
  // A task that only starts has pulled no image yet.
  const { unidentified } = identify(running(tasks), taskDefinition, digests);
  return unidentified > 0 ? `ECS does not tell yet which image ${unidentified} of its tasks run` : undefined;
}

export function running(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING');
}
