/** `${name}` or `${kind:argument}`. */
const PLACEHOLDER = /\$\{([a-z][A-Za-z]*(?::[^${}]+)?)\}/g;

export interface Substituted {
  readonly text: string;
  /** Placeholders that have no value, without `${` and `}`, each once, in order; they stay in `text` as they were. */
  readonly unresolved: string[];
}

/**
 * Puts values in the place of placeholders such as `${version}` and `${output:editor_url}`.
 * What a value itself holds is never substituted again.
 * @param values by what stands between `${` and `}`, such as `version` and `output:editor_url`
 */
export function substitute(text: string, values: Readonly<Record<string, string>>): Substituted {
  const unresolved = new Set<string>();
  const result = text.replaceAll(PLACEHOLDER, (whole, name: string) => {
    if (Object.hasOwn(values, name)) return values[name] ?? whole;
    unresolved.add(name);
    return whole;
  });
  return { text: result, unresolved: [...unresolved] };
}

/** `{a: 1}` as `{'output:a': 1}`: the values of one kind of placeholder. */
export function valuesOf(kind: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${kind}:${name}`, value]));
}
