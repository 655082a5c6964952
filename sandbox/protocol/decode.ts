import { AwsError } from './service.ts';
import { membersOf, partOf, shapeOf } from './model.ts';
import type { ServiceModel, Shape } from './model.ts';

/**
 * Turns a JSON or CBOR body into an operation's input: members that the model doesn't know are left out, nulls
 * count as absent, timestamps become `Date`, base64 becomes bytes.
 * @throws AwsError SerializationException when a value's type isn't the model's
 */
export function decode(model: ServiceModel, shapeName: string, value: unknown, path = ''): unknown {
  const shape = shapeOf(model, shapeName);
  switch (shape.type) {
    case 'structure':
      return decodeStructure(model, shape, asObject(value, path), path);
    case 'list':
      if (!Array.isArray(value)) throw mismatch(value, 'a List', path);
      return value
        .filter((item) => item !== null)
        .map((item, i) => decode(model, partOf(shape, 'member').shape, item, `${path}[${i}]`));
    case 'map':
      return Object.fromEntries(
        Object.entries(asObject(value, path))
          .filter(([, item]) => item !== null)
          .map(([key, item]) => [key, decode(model, partOf(shape, 'value').shape, item, `${path}.${key}`)]),
      );
    case 'timestamp':
      return asDate(value, path);
    case 'blob':
      return asBytes(value, path);
    case 'integer':
    case 'long':
      return asInteger(value, path);
    case 'float':
    case 'double':
      return asNumber(value, path);
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(value, 'a Boolean', path);
      return value;
    case 'string':
      if (typeof value !== 'string') throw mismatch(value, 'a String', path);
      return value;
  }
}

function decodeStructure(
  model: ServiceModel,
  shape: Shape,
  value: Record<string, unknown>,
  path: string,
): unknown {
  const result: Record<string, unknown> = {};
  for (const [name, ref] of membersOf(shape)) {
    const member = value[name];
    if (member === undefined || member === null) continue;
    result[name] = decode(model, ref.shape, member, path === '' ? name : `${path}.${name}`);
  }
  return result;
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw mismatch(value, 'an Object', path);
  return value as Record<string, unknown>;
}

function asNumber(value: unknown, path: string): number {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return value;
  // JSON has no notation for these: the protocol sends them as strings.
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw mismatch(value, 'a Double', path);
}

function asInteger(value: unknown, path: string): number {
  const number = asNumber(value, path);
  if (!Number.isInteger(number)) throw mismatch(value, 'an Integer', path);
  return number;
}

function asDate(value: unknown, path: string): Date {
  if (value instanceof Date) return value;
  const date =
    typeof value === 'number' ? new Date(value * 1000) : new Date(typeof value === 'string' ? value : NaN);
  if (Number.isNaN(date.getTime())) throw mismatch(value, 'a Timestamp', path);
  return date;
}

function asBytes(value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, 'base64');
  throw mismatch(value, 'a Blob', path);
}

function mismatch(value: unknown, wanted: string, path: string): AwsError {
  const found = Array.isArray(value) ? 'a List' : value === null ? 'null' : `a value of type ${typeof value}`;
  return new AwsError(
    'SerializationException',
    `${path || 'The request'}: ${found} can not be converted to ${wanted}`,
  );
}
