import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** Holds a directory for one process. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes the directory for this process. A lock whose process is gone is taken over.
 * @throws Error naming the process that holds it
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, 'lock.json');
  const mine = join(directory, `lock.${process.pid}.${crypto.randomUUID()}`);
  await writeFile(mine, JSON.stringify(identify(process.pid)));
  try {
    while (!(await linked(mine, path))) {
      const holder = await readHolder(path);
      if (holder && isRunning(holder))
        throw new Error(`the sandbox with process id ${holder.pid} is using it`);
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
  return { release: () => rm(path, { force: true }) };
}

/** A hard link appears whole or not at all, and only where there is none. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
