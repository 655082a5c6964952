import type { Command } from 'commander';
import { watchToEnd } from '../conclude.ts';
import { CommandError } from '../errors.ts';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { describeRun } from '../runs.ts';
import { withSession, type CommonOptions } from '../session.ts';
import type { Terminal } from '../terminal.ts';

export function watchCommand(program: Command, run: Run): void {
  const command = program
    .command('watch')
    .summary('follow a run to its end')
    .description(
      "Follows a run, and of a pipeline every environment's run, to its end: drawn in place in a terminal, as lines elsewhere. " +
        "The exit code is the run's outcome. Ctrl-C stops the watching, not the run.",
    )
    .argument('<workflowId>', "the run's id")
    .action(async (workflowId: string, options: CommonOptions) =>
      run((terminal) => watch(terminal, workflowId, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway watch notes.release.1.4.0',
    'slipway watch notes.deploy.production.1.4.0 --json',
  ]);
}

async function watch(terminal: Terminal, workflowId: string, options: CommonOptions): Promise<number> {
  return await withSession(terminal, options, async (session) => {
    const { type } = await describeRun(session, workflowId);
    if (type === 'environment') {
      throw new CommandError(
        'InvalidInput',
        `${workflowId} is an environment, which never ends: slipway env shows it.`,
      );
    }
    return await watchToEnd(terminal, session, session.client.workflow.getHandle(workflowId), options);
  });
}
