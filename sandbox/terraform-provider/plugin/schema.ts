import { isKnown, Unknown } from './value.ts';
import type { State, Value } from './value.ts';

/** A type in Terraform's JSON notation. */
export type ValueType = 'string' | 'number' | 'bool' | readonly ['list' | 'set' | 'map', ValueType];

/** One attribute: what it is, and how a plan treats it. */
export interface Attribute {
  readonly type: ValueType;
  readonly required?: true;
  readonly optional?: true;
  /** The provider may fill it in. */
  readonly computed?: true;
  readonly sensitive?: true;
  /** A change of it replaces the resource. */
  readonly forceNew?: true;
  /** Its value when the configuration has none. */
  readonly default?: Value;
  /** What AWS says when it isn't set. */
  readonly absent?: Value;
  /** A computed value that changes whenever one of these attributes does. */
  readonly changesWith?: readonly string[];
  /** Two spellings of the same: the one in the state stays. */
  readonly equivalent?: (a: string, b: string) => boolean;
  /** @returns what is wrong with a known value */
  readonly check?: (value: Value) => string | undefined;
}

export interface NestedBlock extends Schema {
  readonly nesting: 'list' | 'set';
  readonly min?: number;
  readonly max?: number;
  readonly forceNew?: true;
}

/** What a resource or block holds. */
export interface Schema {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks?: Readonly<Record<string, NestedBlock>>;
}

export const isComputed = (attribute: Attribute): boolean =>
  attribute.computed === true || attribute.default !== undefined;

/** Brings an object into the schema's full shape: what it doesn't know is left out, what is missing becomes null. */
export function conform(schema: Schema, given: State): State {
  const attributes = Object.keys(schema.attributes).map((name) => [name, given[name] ?? null]);
  const nested = Object.entries(schema.blocks ?? {}).map(([name, block]) => {
    const value = given[name] ?? [];
    return [name, Array.isArray(value) ? value.map((item) => conform(block, item as State)) : value];
  });
  return Object.fromEntries([...attributes, ...nested]) as State;
}

/** Whether two values of a type are the same to Terraform: a set's order doesn't count. */
export function sameValue(type: ValueType, a: Value, b: Value): boolean {
  return canonical(type, a) === canonical(type, b);
}

export function sameBlocks(block: NestedBlock, a: Value, b: Value): boolean {
  return canonicalBlocks(block, a) === canonicalBlocks(block, b);
}

function canonical(type: ValueType, value: Value): string {
  if (value instanceof Unknown) return '?';
  if (value === null || typeof type === 'string') return JSON.stringify(value);
  const [kind, item] = type;
  if (kind === 'map') {
    const entries = Object.entries(value as State).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(item, part)}`).join()}}`;
  }
  const items = (value as readonly Value[]).map((part) => canonical(item, part));
  return `[${(kind === 'set' ? items.toSorted() : items).join()}]`;
}

function canonicalBlocks(block: NestedBlock, value: Value): string {
  if (!Array.isArray(value)) return isKnown(value) ? '[]' : '?';
  const items = value.map((item) => canonicalObject(block, item as State));
  return `[${(block.nesting === 'set' ? items.toSorted() : items).join()}]`;
}

function canonicalObject(schema: Schema, object: State): string {
  const attributes = Object.entries(schema.attributes).map(
    ([name, { type }]) => `${name}=${canonical(type, object[name] ?? null)}`,
  );
  const nested = Object.entries(schema.blocks ?? {}).map(
    ([name, block]) => `${name}=${canonicalBlocks(block, object[name] ?? [])}`,
  );
  return `(${[...attributes, ...nested].join()})`;
}
