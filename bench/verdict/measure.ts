import type { Call } from './counting-proxy.ts';
import type { Truth } from './truth.ts';
import type { Outcome, Statement } from './watchers/watcher.ts';

/** All that one watcher did of one release. */
export interface Observation {
  readonly watcher: string;
  readonly services: readonly string[];
  readonly statements: readonly Statement[];
  readonly calls: readonly Call[];
  /** When it began to watch, and when its watch was over: milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface Row {
  readonly watcher: string;
  readonly services: number;
  readonly says: Outcome | 'different things' | 'nothing';
  readonly truthful: boolean;
  /** Of its last word, negative before; absent when it said nothing. */
  readonly secondsAfterTruth?: number;
  readonly calls: number;
  /** For ten services; of a watcher of fewer, as many times as it takes for ten. Absent when it looked less than twice. */
  readonly describeServicesPer5s?: number;
  readonly callsByOperation: Readonly<Record<string, number>>;
  /** The watcher's own, of its last statement. */
  readonly words?: string;
}

/** Compares what a watcher said with what was so. */
export function measure(observation: Observation, truths: readonly Truth[]): Row {
  const { watcher, services, statements } = observation;
  const told = statements.length > 0;
  const lags = statements.map((each) => (each.at - truthFor(each, truths).at) / 1000);
  const calls = callsUntil(observation, told ? Math.max(...statements.map(({ at }) => at)) : observation.to);
  const rate = ratePer5s(calls.filter(({ operation }) => operation === 'DescribeServices'));
  const covered = new Set(statements.flatMap((each) => each.services));
  const words = statements.at(-1)?.words;
  return {
    watcher,
    services: services.length,
    says: saidBy(statements),
    truthful:
      services.every((name) => covered.has(name)) &&
      statements.every((each) => each.says === truthFor(each, truths).outcome),
    ...(told && { secondsAfterTruth: Math.max(...lags) }),
    calls: calls.length,
    ...(rate !== undefined && { describeServicesPer5s: (rate * 10) / services.length }),
    callsByOperation: countBy(calls),
    ...(words !== undefined && { words }),
  };
}

function saidBy(statements: readonly Statement[]): Row['says'] {
  const said = new Set(statements.map(({ says }) => says));
  const [only] = said;
  if (only === undefined) return 'nothing';
  return said.size === 1 ? only : 'different things';
}

/** Of services together: they failed when the first of them failed, and succeeded when the last of them had. */
function truthFor({ services }: Statement, truths: readonly Truth[]): { outcome: Outcome; at: number } {
  const theirs = truths.filter(({ service }) => services.includes(service));
  const failures = theirs.filter(({ outcome }) => outcome === 'failure');
  if (failures.length > 0) return { outcome: 'failure', at: Math.min(...failures.map(({ at }) => at)) };
  return { outcome: 'success', at: Math.max(...theirs.map(({ at }) => at)) };
}

function callsUntil({ calls, from }: Observation, to: number): readonly Call[] {
  return calls.filter(({ at }) => at >= from && at <= to);
}

/** Calls in 5 s, by the mean time between two of them; undefined for fewer than two. */
function ratePer5s(calls: readonly Call[]): number | undefined {
  const [first, last] = [calls[0], calls.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return undefined;
  return (calls.length - 1) / ((last.at - first.at) / 5_000);
}

function countBy(calls: readonly Call[]): Record<string, number> {
  const groups = Map.groupBy(calls, ({ operation }) => operation);
  return Object.fromEntries([...groups].map(([operation, all]) => [operation, all.length]));
}
