import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { startTrialServer } from '../trial-provider/server.ts';
import { NAMES, tenSlowObjects } from './configuration.ts';
import type { Ground } from './ground.ts';
import type { Point } from './trial.ts';
import { look, unknownTo } from './world.ts';
import type { World } from './world.ts';

/** What is killed with SIGKILL: the reader of Terraform's output; the shell with all that it started. */
export type BareVictim = 'reader' | 'terraform';

export interface BareTrial {
  readonly victim: BareVictim;
  readonly point: Point;
  /** Terraform had done all before it noticed. */
  readonly completed: boolean;
  /** It left the state locked. */
  readonly lockLeft: boolean;
  /** Objects that it left behind, unknown to the state. */
  readonly orphans: readonly string[];
  /** When a person has had it applied again, the lock released by hand where it was in the way. */
  readonly world: World;
}

/** `terraform apply -auto-approve | cat` in a shell, killed at the point and then run again, as one does without Slipway. */
export async function runBare(
  ground: Ground,
  victim: BareVictim,
  point: Point,
  { delay }: { delay: number },
): Promise<BareTrial> {
  const path = `/bare-${victim}-${point.kind}-${point.count}`;
  const server = await startTrialServer();
  try {
    const directory = await ground.checkout(tenSlowObjects(server.address, delay), path);
    const shell = await piped(ground, directory);
    await Promise.race([server.stopAfter(point.kind, point.count), shell.ended]);
    await shell.kill(victim);
    server.goOn();
    await shell.ended;
    const state = ground.backend.state(path);
    const left = {
      completed: look(ground.backend, server, path, NAMES).missing.length === 0 && state !== undefined,
      lockLeft: ground.backend.lock(path) !== undefined,
      orphans: unknownTo(state, server.objects()).map(({ name }) => name),
    };
    await applyAgain(ground, directory, path);
    return { victim, point, ...left, world: look(ground.backend, server, path, NAMES) };
  } finally {
    await server.close();
  }
}

async function piped(ground: Ground, directory: string) {
  const script = `terraform apply -auto-approve -input=false -no-color | sh -c 'echo $$ > reader; exec cat > log'`;
  const shell = spawn('/bin/sh', ['-c', script], {
    cwd: directory,
    env: ground.environment,
    detached: true,
    stdio: 'ignore',
  });
  const exited = once(shell, 'exit');
  return {
    ended: exited,
    async kill(victim: BareVictim): Promise<void> {
      const { pid = 0 } = shell;
      if (shell.exitCode !== null) return;
      if (victim === 'terraform') process.kill(-pid, 'SIGKILL');
      else process.kill(Number(await readFile(join(directory, 'reader'), 'utf8')), 'SIGKILL');
    },
  };
}

/** A locked state is unlocked by the id that the message names. */
async function applyAgain(ground: Ground, directory: string, path: string): Promise<void> {
  const options = { cwd: directory, env: ground.environment, extendEnv: false, reject: false } as const;
  const apply = ['apply', '-auto-approve', '-input=false', '-no-color'];
  const { stderr } = await execa('terraform', apply, options);
  if (!stderr.includes('Error acquiring the state lock')) return;
  await execa('terraform', ['force-unlock', '-force', ground.backend.lock(path)?.ID ?? ''], options);
  await execa('terraform', apply, options);
}
