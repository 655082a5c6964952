/** Values and how often each was seen; all that statistics are worked out from. */
export interface Distribution {
  readonly values: number[];
  readonly counts: number[];
  /** The significant digits that values are kept to; all of them when left out. */
  digits?: number;
}

/**
 * How many different values there may be at each precision. Three digits are an error of 0.5 % at most, two of 5 %;
 * at two digits there are ninety values in a power of ten, and so an end.
 */
const MOST_VALUES: readonly { readonly upTo: number; readonly then: number }[] = [
  { upTo: 512, then: 3 },
  { upTo: 2048, then: 2 },
];

export function emptyDistribution(): Distribution {
  return { values: [], counts: [] };
}

export function addValue(into: Distribution, value: number, count = 1): void {
  const kept = into.digits === undefined ? value : Number(value.toPrecision(into.digits));
  const at = into.values.indexOf(kept);
  if (at >= 0) {
    into.counts[at] = (into.counts[at] ?? 0) + count;
    return;
  }
  into.values.push(kept);
  into.counts.push(count);
  const coarser = MOST_VALUES.find(
    ({ upTo, then }) => into.values.length > upTo && then < (into.digits ?? Infinity),
  );
  if (coarser) coarsen(into, coarser.then);
}

function coarsen(into: Distribution, digits: number): void {
  const merged = new Map<number, number>();
  for (const [value, count] of sortedPairs([into])) {
    const rounded = Number(value.toPrecision(digits));
    merged.set(rounded, (merged.get(rounded) ?? 0) + count);
  }
  into.digits = digits;
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
