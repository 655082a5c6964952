import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { Supervisor } from '../../process/supervisor.ts';
import { terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { inWorkspace, NotRecovered } from './console.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import { describeLock } from '../apply/interruption.ts';
import { pullState } from '../state/pull-state.ts';
import { differenceOf, readState } from '../state/state-file.ts';
import type { StateDifference, StateReading, StateSummary } from '../state/state-file.ts';
import { readStateLock, releaseStateLock } from '../state/state-lock.ts';
import type { StateLock, TerraformInput } from '../types.ts';

const BACKEND = "The backend's state";

export interface Recovery {
  /** The configuration that was applied, and where. */
  readonly input: TerraformInput;
  /** The state that could not be saved: an absolute path. */
  readonly file: string;
  /** Id of the state lock that the apply held, which ended without the state being saved. */
  readonly ownLock?: string;
}

/** A state file beside the state that its backend has. */
export interface Comparison {
  readonly file: StateSummary;
  /** Absent: the backend has no state yet. */
  readonly backend?: StateSummary;
  readonly difference: StateDifference;
  /** The backend has all of it: there is nothing to push. */
  readonly pushed: boolean;
  /** What the dead apply left, to be released. */
  readonly lock?: StateLock;
}

/**
 * Reads a state that terraform could not save.
 * @throws NotRecovered when it can't be read or is no state
 */
export async function readStateFile(file: string): Promise<{ text: string; state: StateSummary }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new NotRecovered(`${file} can't be read: ${error.message}. Nothing was pushed.`);
  });
  const state = stateIn(readState(text), file);
  if (state === undefined) throw new NotRecovered(`${file} is empty. Nothing was pushed.`);
  return { text, state };
}

/**
 * Pushes a state that terraform could not save to the backend of its configuration, after checks: it must be of the
 * backend's lineage and newer than what is there. Never forced: terraform checks the same once more under its own lock.
 * @param agree throws when a person does not agree; called once, before anything is written
 * @throws NotRecovered, of which the message says whether anything was pushed; the supervisor's failure when it was stopped
 */
export async function recoverState(
  dependencies: TerraformDependencies,
  { input, file, ownLock }: Recovery,
  supervisor: Supervisor,
  agree: (comparison: Comparison) => Promise<void>,
): Promise<Comparison> {
  const { text, state } = await readStateFile(file);
  return inWorkspace(dependencies, input, supervisor, async (workspace) => {
    const compared = compare(state, stateIn(await pullState(workspace), BACKEND));
    const lock = await lockLeft(workspace, ownLock);
    const comparison = { ...compared, ...(lock && { lock }) };
    if (compared.pushed && lock === undefined) return comparison;
    await agree(comparison);
    // It may have been given back, and taken by another, while a person thought it over.
    if (lock && (await lockLeft(workspace, ownLock))) await release(workspace, lock);
    if (compared.pushed) return comparison;
    // What was compared is what is pushed, whatever becomes of the file meanwhile.
    const copy = join(workspace.directory, 'recovered.tfstate');
    await writeFile(copy, text, { mode: 0o600 });
    await push(workspace, copy);
    verify(compared, stateIn(await pullState(workspace), BACKEND));
    return comparison;
  });
}

/** @throws NotRecovered when `file` must not replace `backend` */
function compare(file: StateSummary, backend: StateSummary | undefined): Comparison {
  const difference = differenceOf(file, backend);
  if (backend === undefined) return { file, difference, pushed: false };
  if (backend.digest === file.digest) return { file, backend, difference, pushed: true };
  if (backend.lineage !== file.lineage)
    throw new NotRecovered(
      `The file is of another state: its lineage is ${file.lineage}, the backend's is ${backend.lineage}. Nothing was pushed. Check the environment and the file.`,
    );
  const byHand = `Nothing was pushed. What only the file has must be imported (terraform import) or deleted by hand.${only(difference)}`;
  if (backend.serial > file.serial)
    throw new NotRecovered(
      `The backend's state is newer: its serial is ${backend.serial}, the file's is ${file.serial}. Something was applied since. ${byHand}`,
    );
  if (backend.serial === file.serial)
    throw new NotRecovered(
      `The backend's state was changed since: both serials are ${file.serial}, and the states differ. ${byHand}`,
    );
  return { file, backend, difference, pushed: false };
}

function only({ added }: StateDifference): string {
  if (added.length === 0) return ' It has no resource that the backend does not know.';
  const more = added.length > 20 ? `, and ${added.length - 20} more` : '';
  return ` Those are: ${added.slice(0, 20).join(', ')}${more}.`;
}

/**
 * @returns the lock when it is the dead apply's own; undefined when nobody is known to hold it: terraform asks for it itself
 * @throws NotRecovered when it is another's
 */
async function lockLeft(workspace: Workspace, ownLock: string | undefined): Promise<StateLock | undefined> {
  const reading = await readStateLock(workspace);
  if (reading.kind !== 'held') return undefined;
  const { lock } = reading;
  if (lock !== undefined && lock.id === ownLock) return lock;
  const { environment } = workspace.input.target;
  throw new NotRecovered(
    lock === undefined
      ? `The state lock of ${environment} can not be had, and the backend does not tell who holds it. Nothing was pushed. Look at the backend.`
      : `The state of ${environment} is locked: ${describeLock(lock)}. Nothing was pushed. Wait for its end; if that process is gone, release it: slipway terraform unlock --environment ${environment} --id ${lock.id}`,
  );
}

async function release(workspace: Workspace, { id }: StateLock): Promise<void> {
  if (await releaseStateLock(workspace, id)) return;
  throw new NotRecovered(`The state lock ${id} could not be released. Nothing was pushed. Try it again.`);
}

/** A backend that had no state gives the first one a lineage of its own. */
function verify({ file, backend: before }: Comparison, backend: StateSummary | undefined): void {
  const same =
    backend !== undefined &&
    (before === undefined || backend.lineage === file.lineage) &&
    (before === undefined || backend.serial >= file.serial) &&
    [...file.objects.keys()].every((address) => backend.objects.has(address));
  if (same) return;
  const found =
    backend === undefined
      ? 'no state'
      : `serial ${backend.serial} of the lineage ${backend.lineage}, with ${backend.objects.size} resources`;
  throw new NotRecovered(
    `terraform says that it pushed the state, but the backend has ${found} where serial ${file.serial} of the lineage ${file.lineage}, with ${file.objects.size} resources, is expected. The file is kept. Look at the backend before you go on.`,
  );
}

async function push(workspace: Workspace, file: string): Promise<void> {
  try {
    await terraform(workspace, 'state', ['push', '-no-color', '-lock-timeout=0s', file]);
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    throw new NotRecovered(`The state was not pushed. ${error.message}`, { cause: error });
  }
}

/** @returns undefined for none */
function stateIn(read: StateReading, what: string): StateSummary | undefined {
  switch (read.kind) {
    case 'state':
      return read.state;
    case 'none':
      return undefined;
    case 'unusable':
      throw new NotRecovered(`${what} can't be used: it ${read.reason}. Nothing was pushed.`);
  }
}
