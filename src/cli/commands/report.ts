import { Option, type Command } from 'commander';
import { reportHtml } from '../../domain/render/report-html.ts';
import { reportMarkdown } from '../../domain/render/report-markdown.ts';
import { endingOf, type Report } from '../ending.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { describeRun } from '../runs.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { printable, printJson, type Terminal } from '../terminal.ts';

const FORMATS = ['markdown', 'html', 'json'] as const;

interface Options extends CommonOptions {
  readonly format: (typeof FORMATS)[number];
}

export function reportCommand(program: Command, run: Run): void {
  const command = program
    .command('report')
    .summary("print an ended run's report")
    .description(
      'Prints how a run ended: summary, steps, checks, metrics, approvals, and what was taken back.',
    )
    .argument('<workflowId>', "the run's id")
    .addOption(new Option('--format <format>', 'how it is written').choices([...FORMATS]).default('markdown'))
    .action(async (workflowId: string, options: Options) =>
      run((terminal) => report(terminal, workflowId, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway report notes.release.1.4.0',
    'slipway report notes.deploy.production.1.4.0 --format html > report.html',
  ]);
}

async function report(terminal: Terminal, workflowId: string, options: Options): Promise<number> {
  const found = await withSession(terminal, options, (session) => reportOf(session, workflowId));
  const format = options.json === true ? 'json' : options.format;
  if (format === 'json') printJson(terminal, found);
  else terminal.write(printable(format === 'html' ? reportHtml(found) : reportMarkdown(found)));
  return exitCodeOf('Completed');
}

async function reportOf(session: Session, workflowId: string): Promise<Report> {
  const { status } = await describeRun(session, workflowId);
  if (status.name === 'RUNNING') {
    throw new CommandError('NotEnded', `${workflowId} has not ended yet: slipway status ${workflowId}`);
  }
  const ending = await endingOf(session.client.workflow.getHandle(workflowId));
  if (ending.report !== undefined) return ending.report;
  throw new CommandError(
    'NotFound',
    `${workflowId} ended without a report. ${ending.outcome}: ${ending.summary}`,
  );
}
