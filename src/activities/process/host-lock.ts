import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './errors.ts';
import { HERE, formatIdentity, isAlive, ownIdentity, parseIdentity } from './identity.ts';

/** Milliseconds. */
const ASK_EVERY = 50;

/**
 * The file of a lock. A container has one of its own: it can't be told there whether an owner on the host, or in
 * another container, still lives, so that its lock would be waited for in vain.
 */
export const hostLockFile = (path: string) =>
  `${path}.${createHash('sha256').update(HERE).digest('hex').slice(0, 8)}`;

/**
 * Does `work` while no other does it under the same `path`, in this worker or another on this host.
 * A lock whose owner's process is gone is taken over.
 */
export async function withHostLock<T>(
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const path = hostLockFile(name);
  const mine = `${path}.${randomUUID()}`;
  await writeFile(mine, formatIdentity(ownIdentity()), { mode: 0o600 });
  try {
    while (!(await claim(mine, path))) {
      await removeIfOrphaned(path);
      await delay(ASK_EVERY, undefined, signal ? { signal } : {});
    }
  } finally {
    await rm(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** A hard link appears with its content or not at all. */
async function claim(mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function removeIfOrphaned(path: string): Promise<void> {
  if (await isHeld(path)) return;
  // Only one of several who see the same orphan can move it; if it is another's new lock by now, put that back.
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if (await isHeld(aside)) await claim(aside, path);
  await rm(aside, { force: true });
}

/** A file that is gone counts as held: whoever asks tries again. */
async function isHeld(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return true;
  const owner = parseIdentity(text);
  return owner !== undefined && isAlive(owner);
}
