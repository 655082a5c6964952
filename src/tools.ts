import { execa } from 'execa';
import type { Config } from './config.ts';
import type { Platform } from './platform/load.ts';

/** An outside program, and what it says of its version. */
export interface Tool {
  readonly name: string;
  readonly version?: string;
  /** Why it cannot be used, and what to do. */
  readonly problem?: string;
}

/** The outside programs that a worker of this platform runs. */
export async function findTools(config: Pick<Config, 'terraform'>, platform: Platform): Promise<Tool[]> {
  const wanted: [string, string[], string][] = [['git', ['--version'], 'install git 2.30 or later']];
  if (Object.values(platform.environments).some(({ terraform }) => terraform !== undefined)) {
    wanted.push([
      config.terraform,
      ['version'],
      'install terraform 1.5 or later, or OpenTofu, or name it in SLIPWAY_TERRAFORM',
    ]);
  }
  return await Promise.all(wanted.map(([name, args, remedy]) => look(name, args, remedy)));
}

/** @returns a line for each program that is missing, with what to do */
export async function missingTools(config: Pick<Config, 'terraform'>, platform: Platform): Promise<string[]> {
  const tools = await findTools(config, platform);
  return tools.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`]));
}

async function look(name: string, args: string[], remedy: string): Promise<Tool> {
  const found = await execa(name, args, { reject: false, timeout: 10_000, env: { CHECKPOINT_DISABLE: '1' } });
  if (found.exitCode === 0) return { name, version: found.stdout.split('\n')[0]?.trim() ?? '' };
  const why = found.code === 'ENOENT' ? 'is not on PATH' : `does not run (${found.shortMessage})`;
  return { name, problem: `${why}: ${remedy}` };
}
