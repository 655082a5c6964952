import type { Command } from 'commander';
import { parsePayload } from '../../domain/requests.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { describeRun, environmentRun } from '../runs.ts';
import { sendSignal, signalRun } from '../say.ts';
import { userName, withSession, type CommonOptions, type Session } from '../session.ts';
import { findTarget, isEnvironmentName, type Named, type Target } from '../target.ts';
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
    const target = await targetOrKeeper(session, wanted);
    const { run } = target;
    if ('status' in target) await signalRun(session, target, 'abort', payload);
    else await sendSignal(session, run, 'abort', payload);
    if (options.json === true) printJson(terminal, { workflowId: run.workflowId });
    else
      printLine(
        terminal,
        `${run.workflowId} is told to stop. Watch it put back what it changed: slipway watch ${run.workflowId}`,
      );
    return exitCodeOf('Completed');
  });
}

/**
 * What takes the abort: the environment's run, which says whether it counts; or the run itself, where it is a pipeline
 * between two environments or nobody answers for it now. Both keep it and act on it as soon as they can.
 */
async function targetOrKeeper(session: Session, wanted: Named): Promise<Target | Pick<Target, 'run'>> {
  const { target, version } = wanted;
  if (target === undefined || version !== undefined || isEnvironmentName(target))
    return await findTarget(session, wanted);
  await describeRun(session, target);
  const run = session.client.workflow.getHandle(target);
  try {
    return (await environmentRun(session, run)) ?? { run };
  } catch (error) {
    if (error instanceof CommandError && error.reason === 'NoWorker') return { run };
    throw error;
  }
}
