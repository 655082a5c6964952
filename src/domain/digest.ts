import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Digest } from './release.ts';

/**
 * SHA-256 over the canonical JSON of `value`: the same for the same content, whatever the order of its keys.
 * @throws TypeError as `canonicalJson` does
 */
export function digestOf(value: unknown): Digest {
  return `sha256:${bytesToHex(sha256(utf8ToBytes(canonicalJson(value))))}`;
}

/**
 * JSON with keys sorted by code unit, no white space and no members that are `undefined`.
 * Strings and numbers are written as `JSON.stringify` does, as in RFC 8785.
 * @throws TypeError for what JSON has no form for: a hole or `undefined` in an array, a number that is not finite,
 *   a function, a symbol, a bigint, or an object with a class of its own (a Date, a Map)
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$');
}

function write(value: unknown, path: string): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  // Array.from, not map: a hole must be seen, not skipped.
  if (Array.isArray(value))
    return `[${Array.from(value, (item, i) => write(item, `${path}[${i}]`)).join(',')}]`;
  if (isPlainObject(value)) return writeObject(value, path);
  throw new TypeError(`${path} has no canonical JSON: ${describe(value)}`);
}

function writeObject(value: Record<string, unknown>, path: string): string {
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted(byCodeUnit)
    .map((key) => `${JSON.stringify(key)}:${write(value[key], `${path}.${key}`)}`);
  return `{${members.join(',')}}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A payload decoded in a workflow's isolate has that isolate's Object.prototype, so look at its shape, not its identity.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor.name}`;
  return typeof value === 'number' || value === undefined ? `${value}` : `a ${typeof value}`;
}
