import type { PlainMap } from './merge.ts';
import { isMap } from './merge.ts';

/**
 * Reading of a value whose shape may be wrong: what is not of the wanted shape is as good as absent, since the schema tells of it.
 * So rules between fields are checked, and told, also in a file with other errors.
 */

export function mapAt(value: unknown, ...path: string[]): PlainMap {
  const found = valueAt(value, ...path);
  return isMap(found) ? found : {};
}

export function stringsAt(value: unknown, ...path: string[]): string[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
}

export function stringAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function valueAt(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const step of path) found = isMap(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  return found;
}
