import { inConsoleDirectory } from '../../process/console-supervisor.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import type { Workspace } from '../command/command.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import type { TerraformInput } from '../types.ts';
import { operationsIn } from '../workspace/layout.ts';
import { prepare } from '../workspace/workspace.ts';

/** A state that was not put right. The message says why, and what to do. */
export class NotRecovered extends Error {
  override readonly name = 'NotRecovered';
}

/** Does `work` with the configuration of `input` initialised, as a worker has it, for a person at a console. */
export async function inWorkspace<T>(
  dependencies: TerraformDependencies,
  input: TerraformInput,
  supervisor: Supervisor,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  return inConsoleDirectory(operationsIn(dependencies.dataDirectory, input.target), async (directory) =>
    work(await prepare(dependencies, input, directory, supervisor)),
  );
}
