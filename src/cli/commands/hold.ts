import type { Command } from 'commander';
import { parsePayload } from '../../domain/requests.ts';
import { pausedAt } from '../../domain/render/canary.ts';
import type { RunStatus } from '../../domain/status.ts';
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

export function holdCommand(program: Command, run: Run): void {
  const command = program
    .command('hold')
    .summary('freeze a canary where it is')
    .description(
      'Freezes a canary until `resume` or `promote`: the traffic stays where it is. The release is still looked at, and goes back when it fails. ' +
        'ECS puts the old version back by itself when the hold lasts longer than `deadMan`: the answer says until when.',
    )
    .argument('<run>', "the run's or its pipeline's id, or an environment with one open run")
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .option('--reason <text>', 'why')
    .addOption(byOption('who holds'))
    .action(async (target: string, version: string | undefined, options: Options) =>
      run((terminal) => hold(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), ["slipway hold production --reason 'errors on the dashboard'"]);
}

async function hold(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const payload = accepted(parsePayload('hold', { by, ...(reason !== undefined && { reason }) }));
  return await withSession(terminal, options, async (session) => {
    const { run, status } = await signalKeeper(session, wanted, 'hold', payload);
    const { workflowId } = run;
    if (options.json === true)
      printJson(terminal, { workflowId, held: status?.held, paused: status?.paused });
    else for (const line of said(workflowId, status)) printLine(terminal, line);
    return exitCodeOf('Completed');
  });
}

function said(id: string, status: RunStatus | undefined): string[] {
  const where =
    status?.paused === undefined
      ? 'Its canary stays at the next pause that it comes to.'
      : `${pausedAt(status.paused)}.`;
  return [`${id} is held. ${where}`, `Go on: slipway resume ${id}`];
}
