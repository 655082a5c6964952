import { resolve } from 'node:path';
import { describeLock } from '../activities/terraform/apply/interruption.ts';
import { readKeptState, removeKeptState, type KeptState } from '../activities/terraform/state/kept-state.ts';
import { readStateFile, recoverState, type Comparison } from '../activities/terraform/by-hand/recover.ts';
import type { StateSummary } from '../activities/terraform/state/state-file.ts';
import type { Target } from '../domain/policy.ts';
import type { Release } from '../domain/release.ts';
import { exitCodeOf } from './exit-codes.ts';
import { standstill, type Standstill } from './standstill.ts';
import { printJson, printLine, type Terminal } from './terminal.ts';
import { demandStandstill, demandYes, explained, fullCommit, nextCommand } from './terraform-console.ts';
import { invalid, refused, tell, terraformConsole, type TerraformOptions } from './terraform-console.ts';

export interface RecoverOptions extends TerraformOptions {
  readonly state: string;
}

/** Addresses of a kind that are shown; the others are counted. */
const SHOWN = 30;

/** Pushes a state that terraform could not save, after checks and a person's yes. @returns the exit code */
export async function recover(terminal: Terminal, options: RecoverOptions): Promise<number> {
  const { dependencies, environment, supervisor } = terraformConsole(terminal, options);
  const file = resolve(options.state);
  return await explained(async () => {
    await readStateFile(file);
    const kept = await readKeptState(file);
    const release = releaseOf(environment.target, options, file, kept);
    const still = await standstill(terminal, options, options.environment);
    demandStandstill(still, options);
    demandSameRun(still, kept);
    tell(terminal, [`${still.detail}.`, `Reading the state of ${options.environment} ...`]);
    const recovery = { input: { ...environment, release }, file, ...ownLock(kept) };
    const found = await recoverState(dependencies, recovery, supervisor, async (comparison) => {
      tell(terminal, show(comparison));
      await demandYes(terminal, options, question(options, comparison));
    });
    if (kept !== undefined) await removeKeptState(file);
    conclude(terminal, options, { found, still, ...(kept === undefined && { left: file }) });
    return exitCodeOf('Completed');
  });
}

/** What was applied. @throws CommandError `InvalidInput` when it isn't known, or was applied elsewhere */
function releaseOf(
  { platform, environment }: Pick<Target, 'platform' | 'environment'>,
  { commit: given }: RecoverOptions,
  file: string,
  kept: KeptState | undefined,
): Release {
  if (kept !== undefined && (kept.platform !== platform || kept.environment !== environment))
    throw invalid(`${file} is of ${kept.platform} ${kept.environment}, not of ${platform} ${environment}.`);
  const commit = given ?? kept?.commit;
  if (commit === undefined)
    throw invalid(`No note beside ${file} says which configuration was applied: give its --commit.`);
  return { version: kept?.version ?? 'unknown', commit: fullCommit(commit) };
}

function ownLock(kept: KeptState | undefined): { ownLock?: string } {
  return kept?.stateLock === undefined ? {} : { ownLock: kept.stateLock.id };
}

/** What another run has done since may not be replaced. @throws CommandError `NotRecovered` */
function demandSameRun(still: Standstill, kept: KeptState | undefined): void {
  if (still.kind === 'waits' && kept !== undefined && kept.workflowId !== still.workflowId)
    throw refused(`${still.detail}, but the state was left by ${kept.workflowId}.`);
}

function question({ environment }: RecoverOptions, { pushed }: Comparison): string {
  return pushed ? `Release the state lock of ${environment}?` : `Push it to the backend of ${environment}?`;
}

/** Addresses and numbers, no values. */
function show({ file, backend, difference, lock, pushed }: Comparison): string[] {
  const { added, changed, removed } = difference;
  return [
    `The file:     ${described(file)}`,
    backend === undefined
      ? 'The backend:  no state yet, so that no lineage tells whether the file belongs there'
      : `The backend:  ${described(backend)}`,
    ...(pushed ? ['The backend has all that the file has.'] : []),
    ...listed('only in the file: the backend does not know of them', added),
    ...listed('recorded otherwise in the file', changed),
    ...listed('only in the backend: gone, says the file', removed),
    ...(lock ? [`The state lock ${describeLock(lock)} is the dead apply's own and is released first.`] : []),
  ];
}

function described({ serial, objects, lineage }: StateSummary): string {
  return `serial ${serial}, ${objects.size} resource${objects.size === 1 ? '' : 's'}, lineage ${lineage}`;
}

function listed(what: string, addresses: readonly string[]): string[] {
  if (addresses.length === 0) return [];
  const shown = addresses.slice(0, SHOWN).map((address) => `    ${address}`);
  const more = addresses.length - shown.length;
  return [`  ${addresses.length} ${what}`, ...shown, ...(more > 0 ? [`    and ${more} more`] : [])];
}

interface Conclusion {
  readonly found: Comparison;
  readonly still: Standstill;
  /** A file that Slipway did not keep, and so does not remove. */
  readonly left?: string;
}

function conclude(terminal: Terminal, options: RecoverOptions, { found, still, left }: Conclusion): void {
  const { file, pushed: already, difference, lock } = found;
  const { environment } = options;
  const next = nextCommand(still, options);
  if (options.json === true) {
    const { serial, lineage } = file;
    const released = lock && { releasedLock: lock.id };
    printJson(terminal, { environment, serial, lineage, already, ...difference, ...released, next });
    return;
  }
  const has = already ? 'had it already' : `has it now: serial ${file.serial} of the file`;
  printLine(terminal, `The state is recovered: the backend of ${environment} ${has}.`);
  if (left !== undefined) printLine(terminal, `${left} holds secrets and is not needed any more: remove it.`);
  printLine(terminal, `Go on: ${next}`);
}
