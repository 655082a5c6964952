import type { WorkflowHandle } from '@temporalio/client';
import { exitCodeOf } from './exit-codes.ts';
import { follow, type Audience } from './follow.ts';
import type { Ending } from './ending.ts';
import { inPlace, lineByLine } from './progress.ts';
import type { Session } from './session.ts';
import { printJson, printLine, type Terminal } from './terminal.ts';

/** Follows a run to its end before people's eyes, says how it ended, and gives the exit code of its outcome. */
export async function watchToEnd(
  terminal: Terminal,
  session: Session,
  run: WorkflowHandle,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const ending = await follow(session, run, audience(terminal, json));
  if (json) printJson(terminal, endingJson(run.workflowId, ending));
  else printEnding(terminal, run.workflowId, ending);
  return exitCodeOf(ending.outcome);
}

/** Progress for a program's caller goes to standard error: standard output is the answer alone. */
function audience(terminal: Terminal, json: boolean): Audience {
  if (json) return lineByLine(terminal, (text) => terminal.writeError(text));
  return terminal.interactive ? inPlace(terminal) : lineByLine(terminal, (text) => terminal.write(text));
}

/** How a run ended, for programs. */
export function endingJson(workflowId: string, { outcome, summary, report }: Ending): object {
  return { workflowId, outcome, summary, ...(report && { report }) };
}

function printEnding(terminal: Terminal, id: string, { outcome, summary, report }: Ending): void {
  printLine(terminal, `\n${outcome}: ${summary}`);
  if (report !== undefined) printLine(terminal, `Report: slipway report ${id}`);
}
