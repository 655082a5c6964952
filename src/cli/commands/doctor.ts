import type { Command } from 'commander';
import { columns } from '../columns.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { CommonOptions } from '../session.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';

interface Options extends CommonOptions {
  readonly fix?: boolean;
}

export function doctorCommand(program: Command, run: Run): void {
  const command = program
    .command('doctor')
    .summary('check all that Slipway needs, with a fix for what is missing')
    .description(
      'Checks the settings, the platform file, the server, the namespace, its search attributes, the worker, the tools and the ' +
        'AWS identity of each environment, as this shell sees them: run it where the worker runs. The exit code is 1 when a check fails.',
    )
    .option('--fix', 'register the search attributes that are missing')
    .action(async (options: Options) => run((terminal) => doctor(terminal, options)));
  withExamples(withCommonOptions(command), ['slipway doctor', 'slipway doctor --fix']);
}

async function doctor(terminal: Terminal, options: Options): Promise<number> {
  // The AWS SDK takes longer to load than all the rest; only this command needs it.
  const { examine } = await import('../examination.ts');
  const findings = await examine(terminal, options, options.fix === true);
  if (options.json === true) printJson(terminal, findings);
  else {
    const rows = findings.map(({ name, passed, detail }) => [passed ? 'ok    ' : 'FAILED', name, detail]);
    for (const line of columns(rows)) printLine(terminal, line);
  }
  return exitCodeOf(findings.every(({ passed }) => passed) ? 'Completed' : 'Unexpected');
}
