import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { Command } from 'commander';
import { reportMarkdown } from '../../domain/render/report-markdown.ts';
import { duration } from '../../domain/render/report-outline.ts';
import { columns, shortened } from '../columns.ts';
import { endingJson } from '../conclude.ts';
import { endingOf } from '../ending.ts';
import { environments, showTable } from '../environments.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { describeRun, environmentRun, isPipelineStatus, openRuns, statusOf, type Status } from '../runs.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { showPipeline, showRun, stateOf } from '../show-status.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';

export function statusCommand(program: Command, run: Run): void {
  const command = program
    .command('status')
    .summary('show the open runs, or where one run is')
    .description(
      "Without an id: the platform's environments and open runs. With one: its steps, what it waits for, the approvals, what " +
        'to type next, and the report when it has ended.',
    )
    .argument('[workflowId]', "a run's id")
    .action(async (workflowId: string | undefined, options: CommonOptions) =>
      run((terminal) => status(terminal, workflowId, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway status',
    'slipway status notes.release.1.4.0',
    'slipway status notes.deploy.production.1.4.0 --json | jq .waiting',
  ]);
}

async function status(terminal: Terminal, id: string | undefined, options: CommonOptions): Promise<number> {
  return await withSession(terminal, options, async (session) => {
    if (id === undefined) await overview(terminal, session, options);
    else await one(terminal, session, id, options);
    return exitCodeOf('Completed');
  });
}

async function one(terminal: Terminal, session: Session, id: string, { json }: CommonOptions): Promise<void> {
  const { status: state, type } = await describeRun(session, id);
  if (type === 'environment') {
    throw new CommandError('InvalidInput', `${id} is an environment: slipway env shows it.`);
  }
  const run = session.client.workflow.getHandle(id);
  if (state.name !== 'RUNNING') {
    const ending = await endingOf(run);
    if (json === true) printJson(terminal, endingJson(id, ending));
    else if (ending.report === undefined) printLine(terminal, `${id}\n${ending.outcome}: ${ending.summary}`);
    else printLine(terminal, reportMarkdown(ending.report));
    return;
  }
  const found = await statusOf(session, run);
  if (json === true) printJson(terminal, { workflowId: id, ...(found ?? { phase: 'starting' }) });
  else for (const line of await show(session, id, found)) printLine(terminal, line);
}

/** A pipeline is shown with the environment's run that it waits for. */
async function show(session: Session, id: string, found: Status | undefined): Promise<string[]> {
  const now = new Date().toISOString();
  if (found === undefined) return [`${id}: starting`];
  if (!isPipelineStatus(found)) return showRun(id, found, now);
  const inner = await environmentRun(session, session.client.workflow.getHandle(id));
  const shown = inner?.status === undefined ? [] : ['', ...showRun(inner.run.workflowId, inner.status, now)];
  return [...showPipeline(id, found), ...shown];
}

interface OpenRun {
  readonly run: WorkflowExecutionInfo;
  /** Absent while the run can't tell yet, or nobody answers for it. */
  readonly status?: Status;
  readonly problem?: string;
}

async function overview(terminal: Terminal, session: Session, { json }: CommonOptions): Promise<void> {
  const runs = await openRuns(session);
  const [states, open] = await Promise.all([
    environments(session),
    Promise.all(runs.map(async (run) => await look(session, run))),
  ]);
  if (json === true) {
    const listed = open.map(({ run, ...rest }) => ({
      workflowId: run.workflowId,
      type: run.type,
      startedAt: run.startTime.toISOString(),
      ...rest,
    }));
    printJson(terminal, { platform: session.platform, environments: states, runs: listed });
    return;
  }
  const now = new Date().toISOString();
  const table = columns([['RUN', 'SINCE', 'STATE'], ...open.map((each) => row(each, now))]);
  const lines = [...showTable(states), '', ...(open.length === 0 ? ['No open runs.'] : table)];
  for (const line of lines) printLine(terminal, line);
}

/** One run that does not answer must not hide the others. */
async function look(session: Session, run: WorkflowExecutionInfo): Promise<OpenRun> {
  try {
    const found = await statusOf(session, session.client.workflow.getHandle(run.workflowId, run.runId));
    return { run, ...(found && { status: found }) };
  } catch (error) {
    if (error instanceof CommandError) return { run, problem: error.message };
    throw error;
  }
}

function row({ run, status: found, problem }: OpenRun, now: string): string[] {
  const since = duration(run.startTime.toISOString(), now);
  return [run.workflowId, since, problem === undefined ? stateOfAny(found) : shortened(problem, 60)];
}

function stateOfAny(found: Status | undefined): string {
  if (found === undefined) return 'starting';
  if (!isPipelineStatus(found)) return stateOf(found);
  const running = found.environments.find(({ state }) => state === 'running');
  return running === undefined ? 'between environments' : `deploys ${running.environment}`;
}
