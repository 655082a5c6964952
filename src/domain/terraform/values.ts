import type { PlanJson, PlannedChange } from './plan.ts';

/** A value of an attribute, at the path where it can't be divided further. What is sensitive as a whole is not divided. */
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
  const opaque = sensitivePaths(change);
  const unknown = outermost([...unknownPaths(change, opaque), ...alsoUnknown]);
  const before = leaves(change.before, change.before_sensitive, unknown, opaque);
  const after = leaves(change.after, change.after_sensitive, unknown, opaque);
  const changed: AttributeChange[] = [...unknown].map((path) => ({ path, after: { kind: 'unknown' } }));
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    if (JSON.stringify(valueOf(was)) === JSON.stringify(valueOf(is))) continue;
    changed.push({ path, ...(was && { before: was }), ...(is && { after: is }) });
  }
  return changed.toSorted((a, b) => byCodeUnit(a.path, b.path));
}

/** Paths whose value after the change is not known yet, sorted. In what is sensitive as a whole, that path. */
export function unknownPaths(
  change: PlannedChange,
  opaque: ReadonlySet<string> = sensitivePaths(change),
): string[] {
  return [...outermost(markedPaths(change.after_unknown, opaque))].toSorted(byCodeUnit);
}

/**
 * Every string and number that the plan marks as sensitive anywhere. Terraform loses the mark where a value goes through
 * a computed attribute, so the same value counts as sensitive wherever it stands.
 */
export function sensitiveValues(plan: PlanJson): Set<string> {
  const found = new Set<string>();
  const collect = (value: unknown, sensitive: unknown) => {
    for (const text of sensitiveTexts(value, sensitive)) found.add(text);
  };
  const changes = [
    ...[...(plan.resource_changes ?? []), ...(plan.resource_drift ?? [])].map(({ change }) => change),
    ...Object.values(plan.output_changes ?? {}),
  ];
  for (const change of changes) {
    collect(change.before, change.before_sensitive);
    collect(change.after, change.after_sensitive);
  }
  for (const invocation of plan.action_invocations ?? []) {
    collect(invocation.config_values, invocation.config_sensitive);
  }
  for (const [name, { sensitive }] of Object.entries(plan.configuration?.root_module?.variables ?? {})) {
    if (sensitive) collect(plan.variables?.[name]?.value, true);
  }
  return found;
}

/** Every string and number in `value` that is marked. @param marks as `value`, with `true` where it is sensitive */
export function sensitiveTexts(value: unknown, marks: unknown): string[] {
  if (!isMarked(marks)) return [];
  const found: string[] = [];
  walk(value, marks, '', (_path, leaf, isSensitive) => {
    const text = typeof leaf === 'number' ? String(leaf) : leaf;
    if (isSensitive && typeof text === 'string' && text.length >= SHORTEST_SECRET) found.push(text);
  });
  return found;
}

export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A path as Terraform's JSON has it, such as `["tags", "owner"]`, in the form of the other paths here. */
export function pathOf(steps: readonly (string | number)[]): string {
  return steps.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : memberPath(path, step)),
    '',
  );
}

/** Paths that are sensitive before or after: the keys below them are as secret as the values. */
function sensitivePaths(change: PlannedChange): Set<string> {
  return outermost([...markedPaths(change.before_sensitive), ...markedPaths(change.after_sensitive)]);
}

/** Paths with `true`; a path inside of one of `opaque` counts as that one. */
function markedPaths(marks: unknown, opaque: ReadonlySet<string> = new Set()): string[] {
  if (!isMarked(marks)) return [];
  const found: string[] = [];
  walk(
    marks,
    undefined,
    '',
    (path, value) => {
      if (value === true || (opaque.has(path) && JSON.stringify(value).includes('true'))) found.push(path);
    },
    opaque,
  );
  return found;
}

/** Terraform marks with `true`, or with an object or list that has a `true` somewhere. */
function isMarked(marks: unknown): boolean {
  return marks === true || (typeof marks === 'object' && marks !== null);
}

function leaves(
  value: unknown,
  sensitive: unknown,
  unknown: ReadonlySet<string>,
  opaque: ReadonlySet<string>,
): Map<string, Leaf> {
  const found = new Map<string, Leaf>();
  const visit: Visit = (path, leaf, isSensitive) => {
    // Absent and null are the same to Terraform.
    if (leaf === null || leaf === undefined || unknown.has(path)) return;
    const hidden = isSensitive || opaque.has(path);
    // An object without attributes, as opposed to an attribute that is an empty object.
    if (path === '' && typeof leaf === 'object' && !hidden) return;
    found.set(path, { kind: 'known', value: leaf, sensitive: hidden });
  };
  walk(value, sensitive, '', visit, new Set([...unknown, ...opaque]));
  return found;
}

type Visit = (path: string, leaf: unknown, sensitive: boolean) => void;

/** Visits what can't be divided further, and what is at one of `whole`. */
function walk(
  value: unknown,
  sensitive: unknown,
  path: string,
  visit: Visit,
  whole: ReadonlySet<string> = new Set(),
): void {
  if (typeof value !== 'object' || value === null || isEmpty(value) || whole.has(path)) {
    visit(path, value, sensitive === true);
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    const step = Array.isArray(value) ? `${path}[${key}]` : memberPath(path, key);
    walk(child, sensitive === true ? true : memberOf(sensitive, key), step, visit, whole);
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
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const member: unknown = Reflect.get(value, key);
  return member;
}

function valueOf(leaf: Leaf | undefined): unknown {
  return leaf?.kind === 'known' ? [leaf.value] : leaf;
}

/** Without the paths that are inside of others. */
function outermost(paths: readonly string[]): Set<string> {
  const all = new Set(paths);
  return new Set([...all].filter((path) => !isInside(path, all)));
}

function isInside(path: string, outer: ReadonlySet<string>): boolean {
  if (path !== '' && outer.has('')) return true;
  for (let i = 1; i < path.length; i += 1) {
    if ((path[i] === '.' || path[i] === '[') && outer.has(path.slice(0, i))) return true;
  }
  return false;
}
