import { readFile } from 'node:fs/promises';
import { redact } from '../../process/redact.ts';
import type { Workspace } from '../command/command.ts';
import { keptStates } from './errored-state.ts';
import { applyInterrupted } from '../apply/interruption.ts';
import { pullState } from './pull-state.ts';
import { differenceOf, readState } from './state-file.ts';
import type { StateReading } from './state-file.ts';
import { readStateLock } from './state-lock.ts';

/**
 * Nothing is planned against a state that lacks what an earlier apply made: its state was kept on this host, because it
 * could not be saved, and the backend's is still older.
 * @throws `ApplyInterrupted`
 */
export async function demandSaved(workspace: Workspace, dataDirectory: string): Promise<void> {
  const { target } = workspace.input;
  const kept = await keptStates(dataDirectory, target);
  if (kept.length === 0) return;
  const backend = await pullState(workspace);
  for (const file of kept) {
    const found = readState(await readFile(file, 'utf8'));
    const why = unsaved(found, backend);
    if (why === undefined) continue;
    const how = `The state of an earlier terraform apply in ${target.environment} could not be saved, and ${why}. Nothing was planned. (Move ${file} away when that is settled otherwise)`;
    const older = backend.kind === 'state' ? backend.state : undefined;
    const added = found.kind === 'state' ? differenceOf(found.state, older).added : [];
    const suspects = added.map((address) => redact(address, workspace.secrets));
    const lock = await readStateLock(workspace);
    throw applyInterrupted(target, { how, suspects, lock, erroredState: file });
  }
}

/** Why `kept` is not known to be in the backend; undefined when it is, was overtaken, or has nothing. */
function unsaved(kept: StateReading, backend: StateReading): string | undefined {
  if (kept.kind === 'none') return undefined;
  if (kept.kind === 'unusable') return `what was kept ${kept.reason}`;
  if (backend.kind === 'none') return 'the backend has none';
  if (backend.kind === 'unusable') return `the backend's ${backend.reason}`;
  if (kept.state.lineage !== backend.state.lineage) return "the backend's is of another lineage";
  if (kept.state.serial <= backend.state.serial) return undefined;
  return `the backend's is older still (serial ${backend.state.serial}, kept is ${kept.state.serial})`;
}
