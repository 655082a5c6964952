import type { StandardUnit } from '@aws-sdk/client-cloudwatch';
import type { Store, Table } from '../store.ts';
import { addValue, emptyDistribution, sortedPairs } from './distribution.ts';
import type { Distribution } from './distribution.ts';
import type { Measurement, MetricRecorder } from './recorder.ts';

export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What is kept of a metric in a minute: a distribution for each second that had values. */
type Minute = readonly (readonly [second: number, distribution: Distribution])[];

interface Series extends MetricName {
  /** The metric whatever the unit, as one text. */
  readonly metric: string;
  readonly unit: StandardUnit;
  readonly minutes: Map<number, Minute>;
  /** Minutes that the store doesn't have as they are now. The others are the store's own values, and not to be changed. */
  readonly unsaved: Set<number>;
}

/** A minute as the store keeps it. */
interface SavedMinute extends MetricName {
  readonly unit: StandardUnit;
  readonly minute: number;
  readonly seconds: Minute;
}

/** The values of a metric in one period, which begins at `at` (seconds since the epoch). */
export interface Point {
  readonly at: number;
  readonly parts: readonly Distribution[];
  readonly unit: StandardUnit;
}

export interface Query extends MetricName {
  /** Seconds since the epoch; the end is outside. Periods are counted from the start. */
  readonly start: number;
  readonly end: number;
  readonly period: number;
  readonly unit?: StandardUnit | undefined;
}

/** As CloudWatch: values to the second for three hours, to the minute for fifteen days (coarser ones after that aren't kept here). */
const SECONDS_KEPT = 3 * 60;
const MINUTES_KEPT = 15 * 24 * 60;
const SAVE_EVERY_MS = 20_000;
const MOST_SERIES = 5000;

/** All measured values, in memory; written to the store minute by minute, so that a kill costs the last one at most. */
export class SeriesStore implements MetricRecorder {
  /** The one whose last minute began longest ago comes first. */
  readonly #series = new Map<string, Series>();
  readonly #table: Table<SavedMinute>;
  readonly #now: () => number;
  readonly #saving: NodeJS.Timeout;

  constructor(store: Store, now: () => number) {
    this.#table = store.table('cloudwatch.minutes');
    this.#now = now;
    for (const saved of this.#table.values()) {
      this.#of(saved, saved.unit).minutes.set(saved.minute, saved.seconds);
    }
    this.#saving = setInterval(() => this.save(), SAVE_EVERY_MS).unref();
  }

  record(measurement: Measurement): void {
    const { value, count = 1, unit = 'None', timestamp = this.#now() } = measurement;
    const second = Math.floor(timestamp / 1000);
    const minute = Math.floor(second / 60);
    const series = this.#of(measurement, unit);
    if (!series.minutes.has(minute)) this.#moveToEnd(series);
    const kept = changeable(series, minute);
    const found = kept.findLast(([at]) => at === second)?.[1];
    const distribution = found ?? emptyDistribution();
    if (!found) series.minutes.set(minute, [...kept, [second, distribution]]);
    addValue(distribution, value, count);
  }

  /** The periods that have values, oldest first. Values in several units give a point for each unit. */
  points(query: Query): Point[] {
    return this.#matching(query)
      .flatMap((series) => pointsOf(series, query))
      .toSorted((a, b) => a.at - b.at);
  }

  /** The metrics with values after `since` (seconds since the epoch). */
  metrics(since: number): MetricName[] {
    const known = [...this.#series.values()].filter(({ minutes }) =>
      [...minutes.keys()].some((minute) => (minute + 1) * 60 > since),
    );
    return [...new Map(known.map((series) => [series.metric, series])).values()].map(
      ({ namespace, name, dimensions }) => ({ namespace, name, dimensions }),
    );
  }

  /** Writes what the store doesn't have, and lets go of what is too old. */
  save(): void {
    const current = Math.floor(this.#now() / 60_000);
    for (const [key, series] of this.#series) {
      this.#age(key, series, current);
      for (const minute of series.unsaved) this.#write(key, series, minute);
      series.unsaved.clear();
      if (series.minutes.size === 0) this.#series.delete(key);
    }
  }

  close(): void {
    clearInterval(this.#saving);
    this.save();
  }

  #of(metric: MetricName, unit: StandardUnit): Series {
    const key = keyOf(metric, unit);
    const known = this.#series.get(key);
    if (known) return known;
    if (this.#series.size >= MOST_SERIES) this.#forgetLeastRecent();
    const { namespace, name, dimensions } = metric;
    const series = {
      namespace,
      name,
      dimensions,
      unit,
      metric: keyOf(metric, ''),
      minutes: new Map(),
      unsaved: new Set<number>(),
    };
    this.#series.set(key, series);
    return series;
  }

  #moveToEnd(series: Series): void {
    const key = keyOf(series, series.unit);
    this.#series.delete(key);
    this.#series.set(key, series);
  }

  #forgetLeastRecent(): void {
    const [oldest] = this.#series;
    if (!oldest) return;
    const [key, series] = oldest;
    for (const minute of series.minutes.keys()) this.#table.delete(`${key}@${minute}`);
    this.#series.delete(key);
  }

  #matching(query: Query): Series[] {
    const wanted = keyOf(query, '');
    return [...this.#series.values()].filter(
      ({ metric, unit }) => metric === wanted && (query.unit === undefined || unit === query.unit),
    );
  }

  #age(key: string, series: Series, current: number): void {
    for (const [minute, seconds] of series.minutes) {
      if (minute < current - MINUTES_KEPT) {
        series.minutes.delete(minute);
        series.unsaved.delete(minute);
        this.#table.delete(`${key}@${minute}`);
      } else if (minute < current - SECONDS_KEPT && seconds.length > 1) {
        series.minutes.set(minute, folded(minute, seconds));
        series.unsaved.add(minute);
      }
    }
  }

  #write(key: string, { namespace, name, dimensions, unit, minutes }: Series, minute: number): void {
    const seconds = minutes.get(minute) ?? [];
    this.#table.set(`${key}@${minute}`, { namespace, name, dimensions, unit, minute, seconds });
  }
}

function keyOf({ namespace, name, dimensions }: MetricName, unit: string): string {
  const sorted = Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([namespace, name, unit, sorted]);
}

/** A minute that may be added to: a copy of it when the store has it. */
function changeable({ minutes, unsaved }: Series, minute: number): Minute {
  const kept = minutes.get(minute) ?? [];
  if (unsaved.has(minute)) return kept;
  const copied = kept.map(([at, { values, counts, ...precision }]) => {
    const distribution: Distribution = { values: [...values], counts: [...counts], ...precision };
    return [at, distribution] as const;
  });
  minutes.set(minute, copied);
  unsaved.add(minute);
  return copied;
}

/** A minute with one distribution for the whole of it. */
function folded(minute: number, seconds: Minute): Minute {
  const whole = emptyDistribution();
  for (const [value, count] of sortedPairs(seconds.map(([, part]) => part))) addValue(whole, value, count);
  return [[minute * 60, whole]];
}

function pointsOf({ minutes, unit }: Series, { start, end, period }: Query): Point[] {
  const periods = new Map<number, Distribution[]>();
  for (const [minute, seconds] of minutes) {
    if ((minute + 1) * 60 <= start || minute * 60 >= end) continue;
    for (const [second, distribution] of seconds) {
      if (second < start || second >= end) continue;
      const at = start + Math.floor((second - start) / period) * period;
      const parts = periods.get(at) ?? [];
      periods.set(at, parts);
      parts.push(distribution);
    }
  }
  return [...periods].map(([at, parts]) => ({ at, parts, unit }));
}
