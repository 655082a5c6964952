import { loadTools } from '../../../scripts/tools.ts';
import { sayByExitCode, versionOf } from './program.ts';
import type { Watcher } from './watcher.ts';

/** `aws ecs wait services-stable`, as scripts wait after `aws ecs update-service`. */
export async function awsCli(): Promise<Watcher | undefined> {
  const command = loadTools().awsCli ?? 'aws';
  const version = await versionOf(command, '--version');
  if (version === undefined) return undefined;
  return {
    name: '`aws ecs wait services-stable`',
    version: `AWS CLI ${version}`,
    role: 'observes',
    watch: (watch) =>
      sayByExitCode(watch, {
        command,
        args: ['ecs', 'wait', 'services-stable', '--cluster', watch.cluster, '--services', ...watch.services],
      }),
  };
}
