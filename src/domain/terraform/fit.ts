import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Entry } from './display.ts';

/** As much of the entries as there is room for. */
export interface Fitted {
  readonly shown: readonly (Entry & {
    /** Attributes that are not in `attributes`. */ readonly more: number;
  })[];
  /** How many entries are not in `shown`. */
  readonly more: number;
}

/** For a line such as `... and 1234 more attributes`. */
const MORE_LINE = 32;

/**
 * First every entry's head, in order, then the attributes, in order: the room is for seeing all that happens before how.
 * @param room bytes of UTF-8
 * @param overhead bytes that each line takes beside its text
 */
export function fit(entries: readonly Entry[], room: number, overhead: number): Fitted {
  const size = (text: string) => utf8ToBytes(text).length + overhead;
  let left = room;
  const take = (bytes: number) => {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  };
  const end = entries.findIndex(({ head }) => !take(size(head)));
  const heads = end === -1 ? entries : entries.slice(0, end);
  const shown = heads.map((entry) => {
    const whole = entry.attributes.reduce((bytes, attribute) => bytes + size(attribute), 0);
    if (take(whole)) return { ...entry, more: 0 };
    if (!take(MORE_LINE + overhead)) return { ...entry, attributes: [], more: 0 };
    const until = entry.attributes.findIndex((attribute) => !take(size(attribute)));
    return { ...entry, attributes: entry.attributes.slice(0, until), more: entry.attributes.length - until };
  });
  return { shown, more: entries.length - shown.length };
}
