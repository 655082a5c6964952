import type { ContainerDefinition } from '@aws-sdk/client-ecs';

/** How far a container has come, as other containers' `dependsOn` see it. */
export interface Progress {
  readonly started: boolean;
  readonly healthy: boolean;
  /** Set when it has ended. */
  readonly exitCode?: number;
}

export type Readiness = 'ready' | 'waiting' | 'impossible';

/** Whether what a container depends on has come far enough; impossible when it never will. */
export function readiness(container: ContainerDefinition, progress: (name: string) => Progress): Readiness {
  const each = (container.dependsOn ?? []).map(({ containerName = '', condition }): Readiness => {
    const { started, healthy, exitCode } = progress(containerName);
    switch (condition) {
      case 'COMPLETE':
        return exitCode === undefined ? 'waiting' : 'ready';
      case 'SUCCESS':
        if (exitCode === undefined) return 'waiting';
        return exitCode === 0 ? 'ready' : 'impossible';
      case 'HEALTHY':
        if (healthy) return 'ready';
        return exitCode === undefined ? 'waiting' : 'impossible';
      default:
        return started ? 'ready' : 'waiting';
    }
  });
  if (each.includes('impossible')) return 'impossible';
  return each.includes('waiting') ? 'waiting' : 'ready';
}
