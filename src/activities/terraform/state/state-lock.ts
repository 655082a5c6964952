import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { redact } from '../../process/redact.ts';
import { processFiles } from '../../process/wrapper.ts';
import { NO_STATE, start, succeeded } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { readDiagnostics } from '../command/diagnostics.ts';
import type { StateLock } from '../types.ts';

/** No configuration has it. */
const NOWHERE = 'terraform_data.slipway_looks_at_the_lock';
/** The operation in the lock that a look itself asks for. */
const OWN_OPERATION = 'state-rm';
/** What a backend doesn't tell of a lock. */
export const UNTOLD = 'unknown';

/**
 * Backends whose lock stays when terraform is killed. The others lock by a connection, a session or an open file that
 * goes with the process (local, pg, consul), not at all, or where nobody else can look (cloud, remote).
 */
const LASTING = ['http', 's3', 'gcs', 'azurerm', 'kubernetes', 'oss', 'cos', 'oci'];

/** Whether a state lock that is gone was given back, by terraform at its orderly end or by a person. */
export function lockLasts(backend: string): boolean {
  return LASTING.includes(backend);
}

export type LockReading =
  /** Nobody holds it, or the backend has none. */
  | { readonly kind: 'free' }
  /** `lock` is undefined when the backend does not tell which it is. */
  | { readonly kind: 'held'; readonly lock: StateLock | undefined }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Looks at the state lock. Terraform tells of a lock only where it can't have it, so this asks for it by the cheapest
 * command that does: `state rm -dry-run` loads no provider and writes nothing, and gives a free lock back at once.
 * With a data directory of its own, so that it may run beside another terraform of the same workspace.
 */
export async function readStateLock(workspace: Workspace): Promise<LockReading> {
  try {
    return await inOwnDirectory(workspace, async (own) => {
      const end = await start(own, 'state', ['rm', '-dry-run', '-no-color', '-lock-timeout=0s', NOWHERE]);
      const { stdout, stderr } = processFiles(join(own.directory, 'state'));
      if (succeeded(end)) return { kind: 'free' };
      const read = async (path: string) => redact(await readFile(path, 'utf8'), workspace.secrets);
      return readingOf(await read(stdout), await read(stderr));
    });
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
  }
}

/** What a look that failed tells of the lock. */
export function readingOf(stdout: string, stderr: string): LockReading {
  // Terraform looks for a state once it has the lock.
  if (stderr.includes(NO_STATE)) return { kind: 'free' };
  const errors = readDiagnostics(stdout, stderr);
  const refused = errors.find(({ summary }) => /Error (acquiring|locking) the state/i.test(summary));
  if (refused) return { kind: 'held', lock: parseLock(refused.detail) };
  const why = errors.map(({ summary }) => summary).join('; ') || stderr.trim().slice(-200);
  return { kind: 'unknown', why: why || 'terraform said nothing' };
}

/**
 * The lock that is held, out of the detail of "Error acquiring the state lock".
 * Terraform's http backend tells the id of the held lock alone, and shows the lock that was asked for as "Lock Info".
 */
function parseLock(detail: string): StateLock | undefined {
  const field = (name: string) =>
    new RegExp(`^[ \\t]*${name}:[ \\t]*(\\S.*)$`, 'm').exec(detail)?.[1]?.trim();
  const shown = {
    id: field('ID') ?? '',
    operation: field('Operation') ?? UNTOLD,
    who: field('Who') ?? UNTOLD,
    created: field('Created') ?? UNTOLD,
  };
  const named = /already locked:\s*ID=(\S+)/.exec(detail)?.[1];
  if (named !== undefined && named !== shown.id)
    return { id: named, operation: UNTOLD, who: UNTOLD, created: UNTOLD };
  return shown.id === '' || (named === undefined && shown.operation === OWN_OPERATION) ? undefined : shown;
}

/**
 * Releases the state lock. Terraform checks no id with some backends: look first that it is `id` that is held.
 * @returns whether it is released
 */
export async function releaseStateLock(workspace: Workspace, id: string): Promise<boolean> {
  try {
    return await inOwnDirectory(workspace, async (own) =>
      succeeded(await start(own, 'force-unlock', ['-force', '-no-color', id])),
    );
  } catch {
    return false;
  }
}

/**
 * With files of its own for what a command could write: the backend's settings. It neither starts providers nor writes
 * modules, but ends before it looks at the lock where some are missing.
 */
async function inOwnDirectory<T>(workspace: Workspace, work: (own: Workspace) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(workspace.directory, 'lock-'));
  try {
    const data = join(directory, 'data');
    await mkdir(data);
    await imitate(workspace.environment['TF_DATA_DIR'] ?? '', data);
    const environment = { ...workspace.environment, TF_DATA_DIR: data };
    return await work({ ...workspace, directory, environment });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Files copied, folders linked. */
async function imitate(original: string, copy: string): Promise<void> {
  for (const entry of await readdir(original, { withFileTypes: true })) {
    const [from, to] = [join(original, entry.name), join(copy, entry.name)];
    await (entry.isFile() ? copyFile(from, to) : symlink(from, to));
  }
}
