import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { readState } from './state-file.ts';
import type { StateReading } from './state-file.ts';

/** The backend's state as it is now, as far as it may be shown. */
export async function pullState(workspace: Workspace): Promise<StateReading> {
  // It holds secrets, and a phase is run once in a directory.
  const directory = await mkdtemp(join(workspace.directory, 'pull-'));
  try {
    return readState(await terraform({ ...workspace, directory }, 'state', ['pull']));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
