export type PlainMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `own` over `base`: maps are merged field by field, everything else of `own` replaces. */
export function merge(base: unknown, own: unknown): unknown {
  if (own === undefined) return base;
  if (!isMap(base) || !isMap(own)) return own;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(own)])];
  return Object.fromEntries(keys.map((key) => [key, merge(base[key], own[key])]));
}
