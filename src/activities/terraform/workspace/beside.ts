import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { undisturbed } from '../../process/supervisor.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import type { Workspace } from '../command/command.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import type { TerraformInput } from '../types.ts';
import { prepare } from './workspace.ts';

interface Place {
  readonly dependencies: TerraformDependencies;
  readonly input: TerraformInput;
  /** The activity's private one. */
  readonly directory: string;
  readonly supervisor: Supervisor;
}

/**
 * The same configuration beside what the apply left, so that its exit code and output stay readable; made when it is
 * first asked for, and with fresh credentials. Nothing stops what is done with it.
 */
export function besides({ dependencies, input, directory, supervisor }: Place): () => Promise<Workspace> {
  let made: Promise<Workspace> | undefined;
  const make = async () => {
    const beside = join(directory, 'beside');
    await rm(beside, { recursive: true, force: true });
    await mkdir(beside, { mode: 0o700 });
    return prepare(dependencies, input, beside, undisturbed(supervisor));
  };
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
