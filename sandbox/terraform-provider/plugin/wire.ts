import { decode, encode, ExtensionCodec } from '@msgpack/msgpack';
import { conform, isComputed } from './schema.ts';
import type { NestedBlock, Schema } from './schema.ts';
import { Unknown, UNKNOWN } from './value.ts';
import type { State, Value } from './value.ts';

/** A value on the wire: MessagePack, or JSON where Terraform chooses so. */
export interface DynamicValue {
  readonly msgpack?: Uint8Array;
  readonly json?: Uint8Array;
}

// Unknown values are extension 0; with what is known about them (a prefix, not null...) extension 12.
const extensions = new ExtensionCodec();
extensions.register({
  type: 0,
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => UNKNOWN,
});
extensions.register({ type: 12, encode: () => null, decode: () => UNKNOWN });

/** @returns null for a resource that isn't there */
export function decodeState(schema: Schema, value: DynamicValue | undefined | null): State | null {
  const state = value?.json?.length
    ? (JSON.parse(Buffer.from(value.json).toString('utf8')) as State | null)
    : value?.msgpack?.length
      ? (decode(value.msgpack, { extensionCodec: extensions }) as State | null)
      : null;
  return state === null ? null : withNumbers(schema, conform(schema, state), fromWire);
}

export function encodeState(schema: Schema, state: State | null): DynamicValue {
  const full = state === null ? null : withNumbers(schema, conform(schema, state), toWire);
  return { msgpack: encode(full, { extensionCodec: extensions }) };
}

/**
 * Terraform's numbers are decimal: one that binary floating point doesn't have exactly, as 33.3, goes as a string, lest
 * it come back as another.
 */
const toWire = (value: Value): Value =>
  typeof value === 'number' && !Number.isInteger(value) ? String(value) : value;
const fromWire = (value: Value): Value => (typeof value === 'string' ? Number(value) : value);

/** The state with its numeric attributes changed, in nested blocks too. */
function withNumbers(schema: Schema, state: State, change: (value: Value) => Value): State {
  const attributes = Object.entries(schema.attributes)
    .filter(([, { type }]) => type === 'number')
    .map(([name]): [string, Value] => [name, change(state[name] ?? null)]);
  const nested = Object.entries(schema.blocks ?? {}).map(([name, block]): [string, Value] => {
    const value = state[name] ?? null;
    if (!Array.isArray(value)) return [name, value];
    return [name, value.map((item) => withNumbers(block, item as State, change))];
  });
  return { ...state, ...Object.fromEntries([...attributes, ...nested]) };
}

/** A schema as the protocol has it. */
export function encodeSchema(schema: Schema): object {
  return { version: 0, block: encodeBlock(schema) };
}

function encodeBlock(schema: Schema): object {
  const attributes = Object.entries(schema.attributes).map(([name, attribute]) => ({
    name,
    type: Buffer.from(JSON.stringify(attribute.type)),
    required: attribute.required === true,
    optional: attribute.optional === true,
    computed: isComputed(attribute),
    sensitive: attribute.sensitive === true,
  }));
  return { attributes, blockTypes: Object.entries(schema.blocks ?? {}).map(encodeNested) };
}

function encodeNested([typeName, block]: [string, NestedBlock]): object {
  const { nesting, min: minItems = 0, max: maxItems = 0 } = block;
  return { typeName, block: encodeBlock(block), nesting: nesting === 'list' ? 2 : 3, minItems, maxItems };
}
