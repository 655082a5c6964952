import { CommanderError, type Command } from 'commander';
import { InvalidConfiguration } from '../config.ts';
import { UnknownEnvironment } from '../platform/policy.ts';
import { InvalidPlatformFile } from '../platform/problems.ts';
import { CommandError } from './errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import { slipwayProgram } from './program.ts';
import { saidBy, serverError } from './server-error.ts';
import { printable, type Terminal } from './terminal.ts';

/**
 * Runs one `slipway` command.
 * @param args without the program's own name
 * @returns the exit code
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = exitCodeOf('Completed');
  const program = slipwayProgram(async (work) => {
    exitCode = await work(terminal);
  });
  forEach(program, (command) => quiet(command, terminal));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(terminal, error);
  }
}

/** Commander writes to the terminal that it is given and leaves ending the process to its caller. */
function quiet(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.write(text),
    writeErr: (text) => terminal.writeError(text),
    getOutHelpWidth: () => terminal.columns,
    getErrHelpWidth: () => terminal.columns,
  });
}

function forEach(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const inner of command.commands) forEach(inner, change);
}

function explain(terminal: Terminal, error: unknown): number {
  if (error instanceof CommanderError) return exitCodeOf(error.exitCode === 0 ? 'Completed' : 'InvalidInput');
  terminal.writeError(`${printable(messageOf(error))}\n`);
  if (error instanceof CommandError) return exitCodeOf(error.reason);
  const invalid = [InvalidConfiguration, InvalidPlatformFile, UnknownEnvironment].some(
    (type) => error instanceof type,
  );
  if (invalid) return exitCodeOf('InvalidInput');
  return exitCodeOf(serverError(error) === undefined ? 'Unexpected' : 'NoServer');
}

function messageOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  const refused = serverError(error);
  if (refused !== undefined)
    return `The Temporal server refuses, or does not answer any more: ${saidBy(refused)}`;
  return error instanceof Error ? error.message : String(error);
}
