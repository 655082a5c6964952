import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sayByExitCode, versionOf } from './program.ts';
import type { Watch, Watcher } from './watcher.ts';

/** ecspresso, where it is on the search path: `ecspresso deploy` registers the task definition, updates the service, and waits. */
export async function ecspresso(): Promise<Watcher | undefined> {
  const version = await versionOf('ecspresso', 'version');
  if (version === undefined) return undefined;
  return { name: '`ecspresso deploy`', version: `ecspresso ${version}`, role: 'deploys', watch: deploy };
}

async function deploy(watch: Watch): Promise<void> {
  const [service = ''] = watch.services;
  const cwd = await mkdtemp(join(tmpdir(), 'bench-ecspresso-'));
  const { cluster, release } = watch;
  const files = {
    // YAML takes JSON as it is.
    'ecspresso.yml': {
      region: 'eu-west-1',
      cluster,
      service,
      task_definition: 'task-definition.json',
      timeout: '60m',
    },
    'task-definition.json': { family: service, containerDefinitions: [release.container] },
  };
  try {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(cwd, name), JSON.stringify(content));
    const args = ['deploy', '--config', 'ecspresso.yml', '--no-update-service'];
    await sayByExitCode(watch, { command: 'ecspresso', args, cwd });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
