import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import { hasCode } from './errors.ts';
import { withHostLock } from './host-lock.ts';
import { HERE, formatIdentity, ownIdentity, parseIdentity, whereabouts } from './identity.ts';
import { inspectProcess, stopProcess } from './run.ts';
import { beating, startBeating } from './supervisor.ts';
import type { Supervisor } from './supervisor.ts';

/** Milliseconds for a process that nobody needs any more, and that an attempt which died left behind. */
const LEFTOVER_GRACE = 10_000;
/** Milliseconds: how long a retry can still come for what a lost worker left, and one elsewhere can still work. */
const KEPT_FOR = 7 * 24 * 3600 * 1000;

/** A file of the private directory that stays with an ended process until a retry comes. It holds no secret. */
export const KEPT = 'kept.json';

/**
 * Does `work` in the private directory of the current activity: the same one for each of its attempts on this host, and
 * one attempt at a time. It is removed at the end, unless the process in its sub-folder `outliving` still runs.
 * What lost workers left in `parent` is removed first.
 */
export async function inOperationDirectory<T>(
  parent: string,
  { outliving, supervisor, rescue }: { outliving: string; supervisor: Supervisor; rescue?: Rescue },
  work: (directory: string) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await beating('clearing up', () => removeLeftovers(parent, outliving, rescue));
  const directory = join(parent, operationName());
  // The server may have given up an attempt that still lets go.
  const stopBeating = startBeating('waiting for an earlier attempt');
  const locked = () => {
    stopBeating();
    return own(directory, outliving, rescue, work);
  };
  try {
    return await withHostLock(`${directory}.lock`, locked, supervisor.signal);
  } catch (error) {
    throw isAbort(error) ? supervisor.failure() : error;
  } finally {
    stopBeating();
  }
}

/** Called with a directory that is about to be removed. */
export type Rescue = (directory: string) => Promise<void>;

async function own<T>(
  directory: string,
  outliving: string,
  rescue: Rescue | undefined,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const resumed = (await inspectProcess(join(directory, outliving))) !== 'absent';
  if (!resumed) await discard(directory, rescue);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await ownDirectory(directory);
  try {
    return await work(directory);
  } finally {
    const left = (await inspectProcess(join(directory, outliving))) === 'running';
    if (!left) await discard(directory, rescue);
  }
}

/**
 * Removes directories whose worker is gone and in which nothing runs. One with an `outliving` process that has ended
 * waits for the retry that wants its exit code; only its other content, which may be secret, goes at once. One of a
 * worker elsewhere, of which can't be told whether it lives, is left alone until nothing can work there any more.
 */
async function removeLeftovers(parent: string, outliving: string, rescue?: Rescue): Promise<void> {
  for (const directory of await folders(parent)) {
    if (!(await isLeft(directory))) continue;
    await withHostLock(`${directory}.lock`, async () => {
      if (!(await isLeft(directory))) return;
      const state = await inspectProcess(join(directory, outliving));
      if (state === 'running') return;
      if (state === 'absent' || (await isOld(directory))) await discard(directory, rescue);
      else await discard(directory, rescue, [outliving, 'owner', KEPT]);
    });
  }
}

/**
 * `removeLeftovers` for every `<platform>/<environment>` under `root`.
 * @returns directories that workers elsewhere own: they may be at work, and were left alone
 */
export async function clearLeftovers(root: string, outliving: string, rescue?: Rescue): Promise<string[]> {
  const foreign: string[] = [];
  for (const platform of await folders(root)) {
    for (const environment of await folders(platform)) {
      await removeLeftovers(environment, outliving, rescue);
      for (const directory of await folders(environment))
        if ((await ownerOf(directory)) === 'elsewhere') foreign.push(directory);
    }
  }
  return foreign;
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
}

/** Stops what runs in the directory, hands it to `rescue`, and removes all but `keep`. */
async function discard(directory: string, rescue?: Rescue, keep: readonly string[] = []): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await Promise.all(
    names.map((name) => stopProcess(join(directory, name), LEFTOVER_GRACE).catch(() => undefined)),
  );
  await rescue?.(directory);
  if (keep.length === 0) return rm(directory, { recursive: true, force: true });
  const removed = names.filter((name) => !keep.includes(name));
  await Promise.all(removed.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

/** Whether the worker that worked in a private directory is gone. */
export async function isOrphan(directory: string): Promise<boolean> {
  return (await ownerOf(directory)) === 'gone';
}

/** Writes down that this worker works in a private directory. */
export async function ownDirectory(directory: string): Promise<void> {
  await writeFile(join(directory, 'owner'), formatIdentity(ownIdentity()));
}

/** @returns undefined for a directory of nobody, or that is being made this instant */
async function ownerOf(directory: string): Promise<ReturnType<typeof whereabouts> | undefined> {
  const text = await readFile(join(directory, 'owner'), 'utf8').catch(() => undefined);
  const owner = text === undefined ? undefined : parseIdentity(text);
  return owner && whereabouts(owner);
}

/** Whether a private directory can be removed, as far as its worker goes. */
export async function isLeft(directory: string): Promise<boolean> {
  const owner = await ownerOf(directory);
  return owner === 'gone' || (owner === 'elsewhere' && (await isOld(directory)));
}

async function isOld(directory: string): Promise<boolean> {
  const { mtimeMs } = await stat(directory);
  return Date.now() - mtimeMs > KEPT_FOR;
}

function isAbort(error: unknown): boolean {
  return hasCode(error, 'ABORT_ERR');
}

/**
 * Deterministic: a retry of the activity in the same place has the same name; another activity or run, and a worker that
 * can't see the process of the first, has another one.
 */
function operationName(): string {
  const { workflowExecution, activityNamespace, activityId } = activityInfo();
  const identity = [
    HERE,
    activityNamespace,
    workflowExecution?.workflowId,
    workflowExecution?.runId,
    activityId,
  ];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 24);
}
