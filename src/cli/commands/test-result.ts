import { Option, type Command } from 'commander';
import { parsePayload } from '../../domain/requests.ts';
import { CommandError } from '../errors.ts';
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
  readonly passed?: boolean;
  readonly failed?: boolean;
  readonly notes?: string;
}

export function testResultCommand(program: Command, run: Run): void {
  const command = program
    .command('test-result')
    .summary('record the result of a manual test')
    .description('Answers the manual test that a run waits for. A failed one puts everything back.')
    .argument(
      '[run]',
      "the run's or its pipeline's id, or an environment; without it the one open run that asks",
    )
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .addOption(new Option('--passed', 'the test passed').conflicts('failed'))
    .addOption(new Option('--failed', 'the test failed'))
    .option('--notes <text>', 'what was found')
    .addOption(byOption('who tested'))
    .action(async (target: string | undefined, version: string | undefined, options: Options) =>
      run((terminal) => record(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway test-result --by carol --passed',
    "slipway test-result staging 1.4.0 --failed --notes 'saving a draft hangs'",
  ]);
}

async function record(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { passed = false, failed = false, notes, by = userName(terminal) } = options;
  if (passed === failed)
    throw new CommandError('InvalidInput', 'Say how the test ended: --passed or --failed.');
  const payload = accepted(
    parsePayload('recordManualTest', { by, passed, ...(notes !== undefined && { notes }) }),
  );
  return await withSession(terminal, options, async (session) => {
    const target = await findTarget(session, wanted, 'recordManualTest');
    await signalRun(session, target, 'recordManualTest', payload);
    const { workflowId } = target.run;
    if (options.json === true) printJson(terminal, { workflowId });
    else
      printLine(terminal, `Recorded: ${passed ? 'passed' : 'failed'}. Watch it: slipway watch ${workflowId}`);
    return exitCodeOf('Completed');
  });
}
