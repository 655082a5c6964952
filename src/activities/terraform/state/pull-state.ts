import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { terraform } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { readState } from './state-file.ts';
import type { StateReading } from './state-file.ts';

/** The backend's state as it is now, as far as it may be shown. */
export async function pullState(workspace: Workspace): Promise<StateReading> {
  try {
    return readState(await terraform(workspace, 'state', ['pull']));
  } finally {
    // It holds secrets.
    await rm(join(workspace.directory, 'state'), { recursive: true, force: true });
  }
}
