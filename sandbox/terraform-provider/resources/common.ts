import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../plugin/diagnostics.ts';
import type { Attribute } from '../plugin/schema.ts';

/** Attributes that many resources have. */
export const id: Attribute = { type: 'string', computed: true };
export const computed: Attribute = { type: 'string', computed: true };
export const tags: Attribute = { type: ['map', 'string'], optional: true };

/** A string out of a fixed choice. */
export function oneOf(...choices: readonly string[]): NonNullable<Attribute['check']> {
  return (value) =>
    typeof value === 'string' && choices.includes(value)
      ? undefined
      : `expected one of ${choices.join(', ')}, got ${JSON.stringify(value)}`;
}

/** A number from `min` to `max`, both included. */
export function between(min: number, max: number): NonNullable<Attribute['check']> {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `expected a number from ${min} to ${max}, got ${JSON.stringify(value)}`;
}

/** Says that a value has to be JSON, or a JSON list. */
export function jsonList(value: unknown): string | undefined {
  try {
    return Array.isArray(JSON.parse(String(value))) ? undefined : 'expected a JSON list';
  } catch (error) {
    return `not JSON: ${String(error)}`;
  }
}

/** The answer of `call`, or undefined when it fails with one of AWS's errors in `names`. */
export async function unless<T>(names: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && names.includes(error.name)) return undefined;
    throw error;
  }
}

/**
 * Asks again and again until there is an answer.
 * @param what the wait is for, as in `the service to be inactive`
 * @throws ProviderError after `timeoutMs`; the signal's reason when it is aborted
 */
export async function until<T>(
  what: string,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
  { timeoutMs = 20 * 60_000, everyMs = 250 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new ProviderError('Timeout', `Waited ${timeoutMs / 1000} s for ${what}`);
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

interface UpperTag {
  Key?: string | undefined;
  Value?: string | undefined;
}

/** Tags as most services write them; left out of a request when there are none. */
export function upperTags(
  given: Readonly<Record<string, string>>,
): { Key: string; Value: string }[] | undefined {
  const list = Object.entries(given).map(([Key, Value]) => ({ Key, Value }));
  return list.length > 0 ? list : undefined;
}

export function fromUpperTags(list: readonly UpperTag[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Brings a resource's tags from `before` to `after` by the two calls that every service has. */
export async function changeTags(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  calls: {
    readonly add: (tags: Record<string, string>) => Promise<unknown>;
    readonly remove: (keys: string[]) => Promise<unknown>;
  },
): Promise<void> {
  const added = Object.entries(after).filter(([key, value]) => before[key] !== value);
  const gone = Object.keys(before).filter((key) => !(key in after));
  if (gone.length > 0) await calls.remove(gone);
  if (added.length > 0) await calls.add(Object.fromEntries(added));
}
