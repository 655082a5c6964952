/** Anything that waits for others by name. */
export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * Groups what may go at the same time: each wave needs only what earlier waves hold. Within a wave the order is the given one.
 * A dependency on a name that is not among `all` is no dependency here.
 * @returns the waves, or the cycles that keep the rest from ever starting (each as the names in order, the first once)
 */
export function waves<T extends Dependent>(
  all: readonly T[],
):
  | { readonly kind: 'ordered'; readonly waves: readonly (readonly T[])[] }
  | { readonly kind: 'cyclic'; readonly cycles: readonly (readonly string[])[] } {
  const ordered: T[][] = [];
  let rest = all;
  while (rest.length > 0) {
    const names = new Set(rest.map(({ name }) => name));
    const wave = rest.filter(({ dependsOn }) => !dependsOn.some((name) => names.has(name)));
    if (wave.length === 0) return { kind: 'cyclic', cycles: findCycles(rest) };
    ordered.push(wave);
    rest = rest.filter((item) => !wave.includes(item));
  }
  return { kind: 'ordered', waves: ordered };
}

/** Cycles that share no member, so that all can be told at once. Everything in `stuck` reaches a cycle. */
function findCycles(stuck: readonly Dependent[]): string[][] {
  const next = new Map(stuck.map(({ name, dependsOn }) => [name, dependsOn]));
  const cycles: string[][] = [];
  const seen = new Set<string>();
  for (const { name } of stuck) {
    const cycle = walk(name, next, seen);
    if (cycle.length > 0) cycles.push(cycle);
  }
  return cycles;
}

/** Depth first from `start` over what no earlier walk saw; the first step back onto the trail closes a cycle. */
function walk(
  start: string,
  next: ReadonlyMap<string, readonly string[]>,
  seen: Set<string>,
  trail: readonly string[] = [],
): string[] {
  if (trail.includes(start)) return trail.slice(trail.indexOf(start));
  if (seen.has(start)) return [];
  seen.add(start);
  for (const name of next.get(start) ?? []) {
    const cycle = walk(name, next, seen, [...trail, start]);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
