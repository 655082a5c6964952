import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SetupError } from './arguments.mjs';
import { toolsDirectory } from './paths.mjs';

const beatMs = 2_000;
const silentMs = 60_000;
const patienceMs = 20 * 60_000;

/**
 * Lets one set-up of this project change things at a time. A lock whose owner is gone is taken over; a step (npm, pip)
 * that outlives a killed owner still counts as the owner.
 * @template T
 * @param {(recordStep: (pid: number) => void) => Promise<T>} work is given a way to say which process works for it
 * @returns {Promise<T>}
 */
export async function locked(work, directory = join(toolsDirectory, 'lock')) {
  await acquire(directory);
  const beat = setInterval(() => utimesSync(directory, new Date(), new Date()), beatMs).unref();
  const release = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work((pid) => writeFileSync(join(directory, 'step'), String(pid)));
  } finally {
    clearInterval(beat);
    process.off('exit', release);
    release();
  }
}

async function acquire(directory) {
  const deadline = Date.now() + patienceMs;
  let told = false;
  while (!claim(directory)) {
    const owner = read(directory);
    if (owner && isGone(directory, owner)) {
      breakLock(directory, owner);
      continue;
    }
    if (Date.now() > deadline) {
      throw new SetupError(
        `Another set-up is still at work. If there is none, delete ${directory} and try again.`,
      );
    }
    if (!told)
      console.error(
        `Another set-up of this project is at work (process ${owner?.pid ?? '?'}): waiting for it.`,
      );
    told = true;
    await wait(100);
  }
}

/** The lock appears complete or not at all: a folder is renamed into place, which fails when one is there. */
function claim(directory) {
  const token = randomUUID();
  const mine = `${directory}-${token}`;
  mkdirSync(mine, { recursive: true });
  writeFileSync(join(mine, 'owner.json'), JSON.stringify({ pid: process.pid, host: hostname(), token }));
  try {
    renameSync(mine, directory);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST'].includes(error.code)) return false;
    throw error;
  }
}

function read(directory) {
  try {
    const owner = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8'));
    return { ...owner, silentFor: Date.now() - statSync(directory).mtimeMs };
  } catch {
    return undefined; // released in between
  }
}

function isGone(directory, owner) {
  const silent = owner.silentFor > silentMs;
  if (owner.host !== hostname()) return silent;
  // A process id may have been given to another program since: then nobody keeps the lock fresh.
  const ownerWorks = isAlive(owner.pid) && !silent;
  return !ownerWorks && !isAlive(stepOf(directory));
}

function stepOf(directory) {
  try {
    return Number(readFileSync(join(directory, 'step'), 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Only one of those who wait may remove a dead owner's lock: else one could remove its successor's. */
function breakLock(directory, owner) {
  const broken = `${directory}-broken-${owner.token}`;
  try {
    mkdirSync(broken);
  } catch {
    return;
  }
  if (read(directory)?.token === owner.token) rmSync(directory, { recursive: true, force: true });
  rmSync(broken, { recursive: true, force: true });
}
