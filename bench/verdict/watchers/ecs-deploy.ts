import { loadTools } from '../../../scripts/tools.ts';
import { CONTAINER } from '../stage.ts';
import { sayByExitCode, versionOf } from './program.ts';
import type { Watcher } from './watcher.ts';

/** ecs-deploy (PyPI): `ecs deploy` makes a revision with the new image, updates the service, and waits. */
export async function ecsDeploy(): Promise<Watcher | undefined> {
  const command = loadTools().ecsDeploy ?? 'ecs';
  const version = await versionOf(command, '--version');
  if (version === undefined) return undefined;
  return {
    name: '`ecs deploy`',
    version: `ecs-deploy ${version}`,
    role: 'deploys',
    watch(watch) {
      const [service = ''] = watch.services;
      const image = ['--image', CONTAINER, watch.release.container.image];
      const args = ['deploy', watch.cluster, service, ...image, '--no-deregister', '--timeout', '3600'];
      return sayByExitCode(watch, { command, args });
    },
  };
}
