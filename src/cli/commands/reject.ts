import type { Command } from 'commander';
import { parsePayload } from '../../domain/requests.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { ignoredSince, notCounted, update } from '../say.ts';
import { userName, withSession, type CommonOptions } from '../session.ts';
import { findTarget, type Named } from '../target.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';
import { named } from './approve.ts';

interface Options extends CommonOptions {
  readonly by?: string;
  readonly reason: string;
}

export function rejectCommand(program: Command, run: Run): void {
  const command = program
    .command('reject')
    .summary('reject what a run asks approval of')
    .description(
      'Ends a run of an environment that asks for approval: nothing stays changed. `abort` ends any run at any step.',
    )
    .argument(
      '[run]',
      "the run's or its pipeline's id, or an environment; without it the one open run that asks",
    )
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .requiredOption('--reason <text>', 'why')
    .addOption(byOption('who rejects'))
    .action(async (target: string | undefined, version: string | undefined, options: Options) =>
      run((terminal) => reject(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), [
    "slipway reject production 1.4.0 --by alice --reason 'the migration is not reversible'",
  ]);
}

async function reject(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('reject', { by, reason }));
  return await withSession(terminal, options, async (session) => {
    const { run, status } = await findTarget(session, wanted, 'approve');
    await update(session, run, 'reject', payload);
    const ignored = status && (await ignoredSince(session, run, status, 'reject', by));
    if (ignored !== undefined) throw notCounted('reject', ignored.reason);
    if (options.json === true) printJson(terminal, { workflowId: run.workflowId });
    else printLine(terminal, `${run.workflowId} is rejected. Watch it end: slipway watch ${run.workflowId}`);
    return exitCodeOf('Completed');
  });
}
