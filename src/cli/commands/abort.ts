import type { Command } from 'commander';
import { parsePayload } from '../../domain/requests.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { signalKeeper } from '../say.ts';
import { userName, withSession, type CommonOptions } from '../session.ts';
import type { Named } from '../target.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';
import { named } from './approve.ts';

interface Options extends CommonOptions {
  readonly by?: string;
  readonly reason: string;
}

export function abortCommand(program: Command, run: Run): void {
  const command = program
    .command('abort')
    .summary('stop a run at any step and put everything back')
    .description(
      'Stops a run at any step; what it changed is put back. A pipeline stops with the environment that it deploys.',
    )
    .argument('<run>', "the run's or its pipeline's id, or an environment with one open run")
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .requiredOption('--reason <text>', 'why')
    .addOption(byOption('who aborts'))
    .action(async (target: string, version: string | undefined, options: Options) =>
      run((terminal) => abort(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), ["slipway abort notes.release.1.4.0 --reason 'wrong commit'"]);
}

async function abort(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('abort', { by, reason }));
  return await withSession(terminal, options, async (session) => {
    const { run } = await signalKeeper(session, wanted, 'abort', payload);
    if (options.json === true) printJson(terminal, { workflowId: run.workflowId });
    else
      printLine(
        terminal,
        `${run.workflowId} is told to stop. Watch it put back what it changed: slipway watch ${run.workflowId}`,
      );
    return exitCodeOf('Completed');
  });
}
