import type { PlanJson, PlannedChange } from './plan.ts';

/** A value of an attribute, at the path where it can't be divided further. */
export type Leaf =
  | { readonly kind: 'known'; readonly value: unknown; readonly sensitive: boolean }
  | { readonly kind: 'unknown' };

/** An attribute that a change changes. `before` is absent where nothing was, and where the value after is unknown. */
export interface AttributeChange {
  readonly path: string;
  readonly before?: Leaf;
  readonly after?: Leaf;
}

/** Shorter values would make every 1 and every `true` of a plan a secret. */
const SHORTEST_SECRET = 4;

/**
 * The attributes that a change changes, sorted by path.
 * @param alsoUnknown paths to take as unknown whatever the plan says of them
 */
export function attributeChanges(
  change: PlannedChange,
  alsoUnknown: readonly string[] = [],
): AttributeChange[] {
  const unknown = withoutCovered([...unknownPaths(change), ...alsoUnknown]);
  const before = leaves(change.before, change.before_sensitive, unknown);
  const after = leaves(change.after, change.after_sensitive, unknown);
  const changed: AttributeChange[] = unknown.map((path) => ({ path, after: { kind: 'unknown' } }));
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    if (JSON.stringify(valueOf(was)) === JSON.stringify(valueOf(is))) continue;
    changed.push({ path, ...(was && { before: was }), ...(is && { after: is }) });
  }
  return changed.toSorted((a, b) => byCodeUnit(a.path, b.path));
}

/** Paths whose value after the change is not known yet, sorted. */
export function unknownPaths(change: PlannedChange): string[] {
  const found: string[] = [];
  walk(change.after_unknown, undefined, '', (path, value) => {
    if (value === true) found.push(path);
  });
  return found.toSorted(byCodeUnit);
}

/**
 * Every string and number that the plan marks as sensitive anywhere. Terraform loses the mark where a value goes through
 * a computed attribute, so the same value counts as sensitive wherever it stands.
 */
export function sensitiveValues(plan: PlanJson): Set<string> {
  const found = new Set<string>();
  const add = (value: unknown) => {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && text.length >= SHORTEST_SECRET) found.add(text);
  };
  const collect = (value: unknown, sensitive: unknown) =>
    walk(value, sensitive, '', (_path, leaf, isSensitive) => {
      if (isSensitive) add(leaf);
    });
  const resources = [...(plan.resource_changes ?? []), ...(plan.resource_drift ?? [])].map(
    ({ change }) => change,
  );
  for (const change of [...resources, ...Object.values(plan.output_changes ?? {})]) {
    collect(change.before, change.before_sensitive);
    collect(change.after, change.after_sensitive);
  }
  for (const [name, { sensitive }] of Object.entries(plan.configuration?.root_module?.variables ?? {})) {
    if (sensitive) collect(plan.variables?.[name]?.value, true);
  }
  return found;
}

/** Whether a leaf must not be shown: marked sensitive, or holding a value that is marked elsewhere. */
export function isSecret(leaf: Leaf | undefined, secrets: ReadonlySet<string>): boolean {
  if (leaf?.kind !== 'known') return false;
  if (leaf.sensitive) return true;
  const text = String(leaf.value);
  return [...secrets].some((secret) => text.includes(secret));
}

export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function leaves(value: unknown, sensitive: unknown, unknown: readonly string[]): Map<string, Leaf> {
  const found = new Map<string, Leaf>();
  walk(value, sensitive, '', (path, leaf, isSensitive) => {
    // Absent and null are the same to Terraform.
    if (leaf === null || leaf === undefined || isCovered(path, unknown)) return;
    // An object without attributes, as opposed to an attribute that is an empty object.
    if (path === '' && typeof leaf === 'object') return;
    found.set(path, { kind: 'known', value: leaf, sensitive: isSensitive });
  });
  return found;
}

type Visit = (path: string, leaf: unknown, sensitive: boolean) => void;

function walk(value: unknown, sensitive: unknown, path: string, visit: Visit): void {
  if (typeof value !== 'object' || value === null || isEmpty(value)) {
    visit(path, value, sensitive === true);
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    const step = Array.isArray(value) ? `${path}[${key}]` : memberPath(path, key);
    walk(child, sensitive === true ? true : memberOf(sensitive, key), step, visit);
  }
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function memberPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function valueOf(leaf: Leaf | undefined): unknown {
  return leaf?.kind === 'known' ? [leaf.value] : leaf;
}

function isCovered(path: string, by: readonly string[]): boolean {
  return by.some((outer) => {
    return outer === '' || path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
  });
}

function withoutCovered(paths: readonly string[]): string[] {
  const distinct = [...new Set(paths)];
  return distinct.filter(
    (path) =>
      !isCovered(
        path,
        distinct.filter((other) => other !== path),
      ),
  );
}
