import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import type { ChangeSet } from '../../../domain/terraform/change-set.ts';
import { KEPT } from '../../process/operation.ts';
import type { AppliedRelease } from '../state/errored-state.ts';
import type { Intent } from './intent.ts';
import type { StateLock, TerraformInput } from '../types.ts';

/** What an apply leaves for the attempt after its worker's death. No secret is in it. */
export interface KeptApply extends Intent, AppliedRelease {
  readonly counts: ChangeSet['counts'];
}

/** To be called before the apply is started in `directory`, the activity's private one. */
export async function keepApply(
  directory: string,
  { release }: TerraformInput,
  planned: Intent & Pick<KeptApply, 'counts'>,
): Promise<void> {
  const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
  const kept: KeptApply = { ...planned, commit: release.commit, version: release.version, workflowId };
  await writeFile(join(directory, KEPT), JSON.stringify(kept));
}

export async function readKeptApply(directory: string): Promise<Intent & Pick<KeptApply, 'counts'>> {
  const text = await readFile(join(directory, KEPT), 'utf8').catch(() => undefined);
  if (text === undefined)
    return { counts: { create: 0, update: 0, replace: 0, delete: 0 }, created: [], replaced: [] };
  return JSON.parse(text) as KeptApply;
}

// Beside the process's own files: these stay as long as its exit code is of use.
const lockFile = (directory: string) => join(directory, 'apply', 'state-lock.json');

/** Records the state lock that the apply in `directory` holds. */
export async function keepLock(directory: string, lock: StateLock): Promise<void> {
  await writeFile(lockFile(directory), JSON.stringify(lock), { mode: 0o600 });
}

export async function readKeptLock(directory: string): Promise<StateLock | undefined> {
  const text = await readFile(lockFile(directory), 'utf8').catch(() => '');
  try {
    return JSON.parse(text) as StateLock;
  } catch {
    // None, or its worker died while it was written.
    return undefined;
  }
}
