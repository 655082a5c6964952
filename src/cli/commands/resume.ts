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
  readonly reason?: string;
}

export function resumeCommand(program: Command, run: Run): void {
  const command = program
    .command('resume')
    .summary('let a canary that is held go on')
    .description('Lets a canary that is held go on to its next step.')
    .argument('<run>', "the run's or its pipeline's id, or an environment with one open run")
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .option('--reason <text>', 'why')
    .addOption(byOption('who lets it go on'))
    .action(async (target: string, version: string | undefined, options: Options) =>
      run((terminal) => resume(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), ['slipway resume production']);
}

async function resume(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('resume', { by, ...(reason !== undefined && { reason }) }));
  return await withSession(terminal, options, async (session) => {
    const { run } = await signalKeeper(session, wanted, 'resume', payload);
    const { workflowId } = run;
    if (options.json === true) printJson(terminal, { workflowId });
    else printLine(terminal, `${workflowId} goes on. Watch it: slipway watch ${workflowId}`);
    return exitCodeOf('Completed');
  });
}
