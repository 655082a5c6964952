import { membersOf, partOf, shapeOf } from './model.ts';
import type { ServiceModel } from './model.ts';

/** How a format writes what JSON has no own notation for. */
export interface Notation {
  timestamp(value: Date): unknown;
  blob(value: Uint8Array): unknown;
}

/** JSON 1.0 and 1.1: seconds since the epoch, base64. */
export const jsonNotation: Notation = {
  timestamp: (value) => value.getTime() / 1000,
  blob: (value) => Buffer.from(value).toString('base64'),
};

/**
 * Turns an operation's output into what the wire carries. Members that are undefined, or that the model doesn't
 * know, are left out; a timestamp may be a `Date` or an ISO 8601 string.
 */
export function encode(model: ServiceModel, shapeName: string, value: unknown, notation: Notation): unknown {
  const shape = shapeOf(model, shapeName);
  switch (shape.type) {
    case 'structure': {
      const fields = value as Record<string, unknown>;
      return Object.fromEntries(
        membersOf(shape)
          .filter(([name]) => isPresent(fields[name]))
          .map(([name, ref]) => [name, encode(model, ref.shape, fields[name], notation)]),
      );
    }
    case 'list':
      return (value as unknown[]).map((item) => encode(model, partOf(shape, 'member').shape, item, notation));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object)
          .filter(([, item]) => isPresent(item))
          .map(([key, item]) => [key, encode(model, partOf(shape, 'value').shape, item, notation)]),
      );
    case 'timestamp':
      return notation.timestamp(toDate(value));
    case 'blob':
      return notation.blob(value as Uint8Array);
    case 'string':
      return String(value);
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
    case 'boolean':
      return value;
  }
}

export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A stored or computed time as a `Date`. */
export function toDate(value: unknown): Date {
  const date = value instanceof Date ? value : new Date(value as string | number);
  if (Number.isNaN(date.getTime())) throw new TypeError(`Not a time: ${String(value)}`);
  return date;
}
