/** Values and how often each was seen; all that statistics are worked out from. */
export interface Distribution {
  readonly values: number[];
  readonly counts: number[];
}

/** Above this many different values, values are kept to three significant digits (an error of 0.5 % at most). */
const MOST_VALUES = 512;

export function emptyDistribution(): Distribution {
  return { values: [], counts: [] };
}

export function addValue(into: Distribution, value: number, count = 1): void {
  const at = into.values.indexOf(value);
  if (at >= 0) into.counts[at] = (into.counts[at] ?? 0) + count;
  else if (into.values.length < MOST_VALUES) append(into, value, count);
  else coarsen(into, value, count);
}

function append(into: Distribution, value: number, count: number): void {
  into.values.push(value);
  into.counts.push(count);
}

function coarsen(into: Distribution, value: number, count: number): void {
  const merged = new Map<number, number>();
  const add = (one: number, times: number): void => {
    const rounded = Number(one.toPrecision(3));
    merged.set(rounded, (merged.get(rounded) ?? 0) + times);
  };
  for (const [i, one] of into.values.entries()) add(one, into.counts[i] ?? 0);
  add(value, count);
  into.values.splice(0, into.values.length, ...merged.keys());
  into.counts.splice(0, into.counts.length, ...merged.values());
}

/** All values of several distributions, each value once, in ascending order. */
export function sortedPairs(parts: readonly Distribution[]): [value: number, count: number][] {
  const merged = new Map<number, number>();
  for (const { values, counts } of parts) {
    for (const [i, value] of values.entries()) {
      merged.set(value, (merged.get(value) ?? 0) + (counts[i] ?? 0));
    }
  }
  return [...merged].toSorted(([a], [b]) => a - b);
}
