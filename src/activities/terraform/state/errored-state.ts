import { createHash } from 'node:crypto';
import { access, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Target } from '../../../domain/policy.ts';
import { hasCode } from '../../process/errors.ts';
import { KEPT } from '../../process/operation.ts';
import { readKeptLock } from '../apply/kept-apply.ts';
import { terraformIn } from '../workspace/layout.ts';
import { noteOf } from './kept-state.ts';
import type { KeptState } from './kept-state.ts';

/** What terraform leaves in the configuration's directory when its backend takes no state. */
const ERRORED = 'errored.tfstate';
/** Beside the platforms' folders, so that no operation's end removes it. @param terraform `terraformIn` */
const homeIn = (terraform: string) => join(terraform, 'errored');

/** The note beside a kept state. */
export interface ErroredNote extends KeptState {
  /** Where it is. */
  readonly host: string;
  /** Name of the private directory of the activity that applied. */
  readonly operation: string;
}

/** What an apply tells of itself in its private directory, for the note. */
export type AppliedRelease = Pick<KeptState, 'commit' | 'version' | 'workflowId'>;

/**
 * Puts a state that terraform could not save, which is all there is to know of what it made, in a safe place of the data
 * directory: `terraform/errored/<platform>.<environment>.<time>.<hash>.tfstate`, and a note beside it. Nothing is ever
 * overwritten there: time and hash are the state's own.
 * @param directory the activity's private directory, `terraform/<platform>/<environment>/<operation>`
 * @returns where it is, also when an earlier call put it there; undefined when there is none
 */
export async function keepErroredState(
  configuration: string,
  directory: string,
): Promise<string | undefined> {
  const left = await leftBy(configuration, directory);
  if (left === undefined) return findKept(directory);
  const { content, at } = left;
  const [environment, platform] = [basename(dirname(directory)), basename(dirname(dirname(directory)))];
  const home = homeOf(directory);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const file = join(home, `${platform}.${environment}.${time}.${hash}.tfstate`);
  await writeWhole(file, content);
  const applied = await releaseIn(directory);
  if (applied) {
    const stateLock = await readKeptLock(directory);
    const where = { host: hostname(), operation: basename(directory) };
    const facts = { ...applied, at: at.toISOString(), ...(stateLock && { stateLock }) };
    const note: ErroredNote = { platform, environment, ...facts, ...where };
    await writeWhole(noteOf(file), JSON.stringify(note, null, 2));
  }
  return file;
}

/** Only an apply leaves one: until it is started, a file of that name is the repository's. */
async function leftBy(
  configuration: string,
  directory: string,
): Promise<{ content: Buffer; at: Date } | undefined> {
  const source = join(configuration, ERRORED);
  try {
    await access(join(directory, 'apply'));
    return { content: await readFile(source), at: (await stat(source)).mtime };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Makes room for the state that an apply may leave: the repository may have such a file. */
export async function clearErroredState(configuration: string): Promise<void> {
  await rm(join(configuration, ERRORED), { force: true });
}

/** States of `target` that were kept on this host and not yet removed, oldest first. */
export async function keptStates(dataDirectory: string, target: Target): Promise<string[]> {
  const home = homeIn(terraformIn(dataDirectory));
  const prefix = `${target.platform}.${target.environment}.`;
  const names = await readdir(home).catch(() => []);
  return names
    .filter(
      (name) => name.startsWith(prefix) && /^\d+T\d+Z\.[0-9a-f]+\.tfstate$/.test(name.slice(prefix.length)),
    )
    .toSorted()
    .map((name) => join(home, name));
}

/** The state that an earlier attempt, or the clearing up after it, kept of the same operation. */
async function findKept(directory: string): Promise<string | undefined> {
  const home = homeOf(directory);
  const names = await readdir(home).catch(() => []);
  for (const name of names.filter((candidate) => candidate.endsWith('.tfstate'))) {
    const file = join(home, name);
    const note = await readFile(noteOf(file), 'utf8').catch(() => undefined);
    if (note === undefined) continue;
    if ((JSON.parse(note) as ErroredNote).operation === basename(directory)) return file;
  }
  return undefined;
}

async function releaseIn(directory: string): Promise<AppliedRelease | undefined> {
  const text = await readFile(join(directory, KEPT), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { commit, version, workflowId } = JSON.parse(text) as AppliedRelease;
  return { commit, version, workflowId };
}

const homeOf = (directory: string) => homeIn(dirname(dirname(dirname(directory))));

/** The whole of it or nothing, on the disk before it has its name. */
async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const unfinished = `${path}.new`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}
