import { sortedPairs } from './distribution.ts';
import type { Distribution } from './distribution.ts';

type Pairs = readonly (readonly [value: number, count: number])[];

/** Works out one statistic of what was measured in a period; there is at least one value. */
export type Statistic = (parts: readonly Distribution[]) => number;

const countOf = (pairs: Pairs): number => pairs.reduce((sum, [, count]) => sum + count, 0);
const sumOf = (pairs: Pairs): number => pairs.reduce((sum, [value, count]) => sum + value * count, 0);

const SIMPLE: Readonly<Record<string, (pairs: Pairs) => number>> = {
  SampleCount: countOf,
  Sum: sumOf,
  Average: (pairs) => sumOf(pairs) / countOf(pairs),
  Minimum: (pairs) => pairs[0]?.[0] ?? Number.NaN,
  Maximum: (pairs) => pairs.at(-1)?.[0] ?? Number.NaN,
};

/** The part of the values that a range asks for: `PR` its share in percent, `TC` its count, `TS` its sum, `TM` its mean. */
const RANGED: Readonly<Record<string, (inside: Pairs, all: Pairs) => number>> = {
  PR: (inside, all) => (100 * countOf(inside)) / countOf(all),
  TC: countOf,
  TS: sumOf,
  TM: (inside) => sumOf(inside) / countOf(inside),
};

/**
 * Reads a statistic's name: Sum, SampleCount, Average, Minimum, Maximum, `p99.9`, and PR, TC, TS, TM with a range of
 * values as `(low:high)`, where low is outside and high inside the range and either may be left out.
 * (CloudWatch user guide, "CloudWatch statistics definitions")
 * @returns undefined for a name that CloudWatch doesn't know, or a range in percent
 */
export function parseStatistic(name: string): Statistic | undefined {
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple) return (parts) => simple(sortedPairs(parts));
  const percent = /^p(100|\d{1,2}(?:\.\d{1,10})?)$/i.exec(name)?.[1];
  if (percent !== undefined) return (parts) => percentile(sortedPairs(parts), Number(percent));
  const [, kind = '', low = '', high = ''] = /^(PR|TC|TS|TM)\(([-\d.e]*):([-\d.e]*)\)$/i.exec(name) ?? [];
  const ranged = RANGED[kind.toUpperCase()];
  const bounds = [low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high)];
  const [above = Number.NaN, upTo = Number.NaN] = bounds;
  if (!ranged || bounds.some(Number.isNaN) || (low === '' && high === '')) return undefined;
  return (parts) => {
    const all = sortedPairs(parts);
    return ranged(
      all.filter(([value]) => value > above && value <= upTo),
      all,
    );
  };
}

/** The value under which `percent` of the values lie, interpolated between the two nearest ones. */
function percentile(pairs: Pairs, percent: number): number {
  const position = ((countOf(pairs) - 1) * percent) / 100;
  const below = at(pairs, Math.floor(position));
  return below + (at(pairs, Math.ceil(position)) - below) * (position - Math.floor(position));
}

function at(pairs: Pairs, index: number): number {
  let seen = 0;
  return pairs.find(([, count]) => (seen += count) > index)?.[0] ?? Number.NaN;
}
