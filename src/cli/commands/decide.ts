import { Option, type Command } from 'commander';
import { DECISIONS, parsePayload } from '../../domain/requests.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { signalRun } from '../say.ts';
import { userName, withSession, type CommonOptions } from '../session.ts';
import { findTarget, type Named } from '../target.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';
import { named } from './approve.ts';

interface Options extends CommonOptions {
  readonly by?: string;
  readonly action: string;
  readonly reason?: string;
}

export function decideCommand(program: Command, run: Run): void {
  const command = program
    .command('decide')
    .summary('answer a question that a run asks')
    .description(
      'Answers what a run asks when it cannot go on by itself. A canary that is neither good nor bad: `continue` with the next step, ' +
        '`retry` this one, or `rollback`. An apply of Terraform that was cut: `retry` what is left of it, or `rollback` what was applied. ' +
        'A way back that would destroy what nobody allowed: `rollback` to agree, or `retry` to plan again. ' +
        'A way back that was cut, or keeps failing: `retry`. `continue` goes on without it. `slipway status` shows what the question takes.',
    )
    .argument(
      '[run]',
      "the run's or its pipeline's id, or an environment; without it the one open run that asks",
    )
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .addOption(new Option('--action <action>', 'the answer').choices([...DECISIONS]).makeOptionMandatory())
    .option('--reason <text>', 'why')
    .addOption(byOption('who decides'))
    .action(async (target: string | undefined, version: string | undefined, options: Options) =>
      run((terminal) => decide(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway decide production --action retry',
    "slipway decide production --action rollback --reason 'the queue is empty, it may go'",
  ]);
}

async function decide(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { action, reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('decide', { by, action, ...(reason !== undefined && { reason }) }));
  return await withSession(terminal, options, async (session) => {
    const target = await findTarget(session, wanted, 'decide');
    await signalRun(session, target, 'decide', payload);
    const { workflowId } = target.run;
    if (options.json === true) printJson(terminal, { workflowId });
    else printLine(terminal, `${workflowId} is told to ${action}. Watch it: slipway watch ${workflowId}`);
    return exitCodeOf('Completed');
  });
}
