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

export function promoteCommand(program: Command, run: Run): void {
  const command = program
    .command('promote')
    .summary("skip the rest of a canary's waiting")
    .description(
      "Skips the rest of a canary's waiting: of each step that is left three periods of the metrics stay (three minutes on AWS), in which what fails at once still goes back. " +
        'It ends a hold. Before the canary has begun it does not count.',
    )
    .argument('<run>', "the run's or its pipeline's id, or an environment with one open run")
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .requiredOption('--reason <text>', 'why')
    .addOption(byOption('who promotes'))
    .action(async (target: string, version: string | undefined, options: Options) =>
      run((terminal) => promote(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), [
    "slipway promote production --reason 'the mended bug is worse than the risk'",
  ]);
}

async function promote(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('promote', { by, reason }));
  return await withSession(terminal, options, async (session) => {
    const { run } = await signalKeeper(session, wanted, 'promote', payload);
    const { workflowId } = run;
    if (options.json === true) printJson(terminal, { workflowId });
    else
      printLine(
        terminal,
        `${workflowId} skips the rest of the canary's waiting; a release that fails still goes back. Watch it: slipway watch ${workflowId}`,
      );
    return exitCodeOf('Completed');
  });
}
