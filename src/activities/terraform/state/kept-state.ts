import { readFile, rm } from 'node:fs/promises';
import { hasCode } from '../../process/errors.ts';
import type { StateLock } from '../types.ts';

/** What is written beside a state that terraform could not save. */
export interface KeptState {
  readonly platform: string;
  readonly environment: string;
  /** Of the configuration that was applied. */
  readonly commit: string;
  readonly version: string;
  readonly workflowId: string;
  /** ISO 8601. */
  readonly at: string;
  /** The lock that the apply held, where that was seen: a backend that takes no state gives no lock back either. */
  readonly stateLock?: StateLock;
}

/** `<name>.json` beside `<name>.tfstate`. */
export const noteOf = (file: string): string => file.replace(/(\.tfstate)?$/, '.json');

/** @returns undefined for a file that Slipway did not keep */
export async function readKeptState(file: string): Promise<KeptState | undefined> {
  try {
    return JSON.parse(await readFile(noteOf(file), 'utf8')) as KeptState;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Removes a kept state whose content the backend has. */
export async function removeKeptState(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(noteOf(file), { force: true });
}
