import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { isDestructive } from './planned.ts';
import { byCodeUnit } from './values.ts';
import type { ChangeSet, ResourceChange, Unlisted } from './change-set.ts';
import { canonicalJson } from '../digest.ts';

/**
 * A large change set lists a few changes and keeps a seal of each of the others, so that it can still be told whether a
 * change was approved, and whether an object was created by it.
 *
 * A seal is two parts of SHA-256: 32 bits over the address and whether an object is created there, and 16 bits over the
 * whole change. Among 5,000 seals another address is taken for one of them once in 860,000, and other values at the same
 * address once in 65,536. That finds what changed by itself between an approval and an apply, which is what they are for;
 * the digest, which is whole, is what binds an approval.
 *
 * Seals are sorted, and their first part is written as the distance to the one before, in groups of 7 bits, the lowest
 * first (LEB128): 5 bytes a seal where there are thousands.
 */
interface Seal {
  readonly place: number;
  readonly content: number;
}

/** Bytes of JSON. */
const LISTED = 6_000;
const UNLISTED = 37_000;

/**
 * The part of a change set that lists its changes, at most 43 KB of JSON.
 * @param changes sorted by address
 */
export function list(changes: readonly ResourceChange[]): Pick<ChangeSet, 'changes' | 'unlisted'> {
  const listed = new Set<ResourceChange>();
  let room = LISTED;
  // What takes something away is what people ask about by name.
  for (const change of changes.toSorted((a, b) => danger(b) - danger(a))) {
    const size = jsonBytes(change);
    if (size > room) continue;
    room -= size;
    listed.add(change);
  }
  const rest = changes.filter((change) => !listed.has(change));
  if (rest.length === 0) return { changes };
  return { changes: changes.filter((change) => listed.has(change)), unlisted: sealed(rest) };
}

/** Whether a change is one of the sealed ones; `place` alone: another change at that address, of that kind. */
export type Sealed = (change: ResourceChange) => 'same' | 'place' | 'no';

/** @returns undefined when there are no seals to go by */
export function sealsOf({ seals }: Unlisted): Sealed | undefined {
  if (seals === undefined) return undefined;
  const known = decode(seals);
  return (change) => {
    const { place, content } = seal(change);
    const there = known.get(place);
    if (there === undefined) return 'no';
    return there.includes(content) ? 'same' : 'place';
  };
}

/** Whether an address is one of those where a sealed change creates an object. */
export function sealedCreations({ seals = '' }: Unlisted): (address: string) => boolean {
  const known = decode(seals);
  return (address) => known.has(placeOf(address, true));
}

function danger({ actions }: ResourceChange): number {
  return isDestructive(actions) ? 1 : 0;
}

function sealed(changes: readonly ResourceChange[]): Unlisted {
  const count = changes.length;
  const lists = new Map(
    changes.flatMap(({ unknown }) => (unknown ? [[JSON.stringify(unknown), unknown] as const] : [])),
  );
  const unknown = [...lists].toSorted(([a], [b]) => byCodeUnit(a, b)).map(([, paths]) => paths);
  const full: Unlisted = { count, seals: encode(changes.map(seal)), unknown };
  return jsonBytes(full) <= UNLISTED ? full : { count, unknown: [] };
}

function seal(change: ResourceChange): Seal {
  const [first = 0, second = 0] = sha256(utf8ToBytes(canonicalJson(change)));
  return { place: placeOf(change.address, change.actions.includes('create')), content: first * 256 + second };
}

function placeOf(address: string, creates: boolean): number {
  const hash = sha256(utf8ToBytes(JSON.stringify([address, creates])));
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0);
}

function encode(seals: readonly Seal[]): string {
  const bytes: number[] = [];
  let last = 0;
  for (const { place, content } of seals.toSorted((a, b) => a.place - b.place || a.content - b.content)) {
    let distance = place - last;
    for (; distance >= 128; distance = Math.floor(distance / 128)) bytes.push((distance % 128) + 128);
    bytes.push(distance, Math.floor(content / 256), content % 256);
    last = place;
  }
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(''));
}

/** @returns the contents by place */
function decode(text: string): Map<number, number[]> {
  const bytes = Array.from(atob(text), (character) => character.charCodeAt(0));
  const found = new Map<number, number[]>();
  let place = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    let unit = 1;
    for (; (bytes[i] ?? 0) >= 128; i += 1, unit *= 128) place += ((bytes[i] ?? 0) - 128) * unit;
    place += (bytes[i] ?? 0) * unit;
    const content = (bytes[i + 1] ?? 0) * 256 + (bytes[i + 2] ?? 0);
    found.set(place, [...(found.get(place) ?? []), content]);
  }
  return found;
}

function jsonBytes(value: unknown): number {
  return utf8ToBytes(JSON.stringify(value)).length;
}
