import type { Command } from 'commander';
import type { Tally } from '../../domain/approval.ts';
import { parsePayload } from '../../domain/requests.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { proposalOf } from '../runs.ts';
import { ignoredSince, notCounted, update } from '../say.ts';
import { userName, withSession, type CommonOptions, type Session } from '../session.ts';
import { showEvidence, showTerraform } from '../show-plan.ts';
import { showMissing, shortDigest } from '../show-status.ts';
import { findTarget, type Named, type Target } from '../target.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';

interface Options extends CommonOptions {
  readonly by?: string;
  readonly evidence?: string;
  readonly comment?: string;
}

export function approveCommand(program: Command, run: Run): void {
  const command = program
    .command('approve')
    .summary('approve what a run asks approval of')
    .description(
      "Approves the evidence of the environment's run that asks. Without --evidence it shows the evidence and the command " +
        'that approves it, and approves nothing. The answer says what is still missing.',
    )
    .argument(
      '[run]',
      "the run's or its pipeline's id, or an environment; without it the one open run that asks",
    )
    .argument('[version]', 'with an environment: the release that is being deployed there')
    .option('--evidence <digest>', "the evidence's digest, or 8 or more of its first digits")
    .option('--comment <text>', 'kept with the approval')
    .addOption(byOption('who approves'))
    .action(async (target: string | undefined, version: string | undefined, options: Options) =>
      run((terminal) => approve(terminal, named(target, version), options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway approve',
    'slipway approve production 1.4.0 --by alice --evidence 3f9ac2d4e5b6',
    "slipway approve notes.release.1.4.0 --by carol --evidence 3f9ac2d4e5b6 --comment 'tested by hand'",
  ]);
}

/** What was given, without what was not. */
export function named(target: string | undefined, version: string | undefined): Named {
  return { ...(target !== undefined && { target }), ...(version !== undefined && { version }) };
}

async function approve(terminal: Terminal, wanted: Named, options: Options): Promise<number> {
  const { evidence, comment, by = userName(terminal) } = options;
  const payload = accepted(
    parsePayload('approve', {
      by,
      ...(evidence !== undefined && { evidence }),
      ...(comment !== undefined && { comment }),
    }),
  );
  return await withSession(terminal, options, async (session) => {
    const target = await findTarget(session, wanted, 'approve');
    if (payload.evidence === undefined) throw await withoutEvidence(terminal, session, target, by);
    const tally = await update<Tally | null>(session, target.run, 'approve', payload);
    const reason = await objection(session, target, tally, by);
    const { workflowId } = target.run;
    if (options.json === true)
      printJson(terminal, { workflowId, counted: reason === undefined, reason, approvals: tally });
    if (reason !== undefined) throw notCounted('approve', reason);
    if (options.json !== true) for (const line of show(workflowId, tally, by)) printLine(terminal, line);
    return exitCodeOf('Completed');
  });
}

/** Nobody approves what they have not seen: shows it, with the command that approves it. */
async function withoutEvidence(
  terminal: Terminal,
  session: Session,
  { run }: Target,
  by: string,
): Promise<CommandError> {
  const proposal = await proposalOf(session, run);
  if (proposal === null) {
    const message = `${run.workflowId} has no evidence yet: nothing can be approved. Watch it: slipway watch ${run.workflowId}`;
    return new CommandError('NotFound', message);
  }
  const { evidence, digest } = proposal;
  for (const line of [...showEvidence(evidence, digest), ...showTerraform(proposal)])
    printLine(terminal, line);
  return new CommandError(
    'InvalidInput',
    `\nNothing was approved: say which evidence.\n  slipway approve ${run.workflowId} --by ${by} --evidence ${shortDigest(digest)}`,
  );
}

/** Why the approval does not count; a person who may not approve at all is in the run's ignored signals instead. */
async function objection(
  session: Session,
  { run, status }: Target,
  tally: Tally | null,
  by: string,
): Promise<string | undefined> {
  const own = tally?.judged.findLast((approval) => approval.by === by);
  if (own?.counts === false) return own.reason;
  if (own !== undefined || status === undefined) return undefined;
  return (await ignoredSince(session, run, status, 'approve', by))?.reason;
}

function show(id: string, tally: Tally | null, by: string): string[] {
  const own = tally?.judged.findLast((approval) => approval.by === by);
  const counted =
    own?.counts === true ? `${by}'s approval counts for ${own.group}.` : `${by}'s approval is kept.`;
  const missing =
    tally === null || tally.missing.length === 0
      ? 'All approvals are there: the run goes on.'
      : `Still missing: ${showMissing(tally)}.`;
  return [`${counted} ${missing}`, `Watch it: slipway watch ${id}`];
}
