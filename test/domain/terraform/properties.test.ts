import { describe, expect, test } from '@jest/globals';
import type { ChangeSet } from '../../../src/domain/terraform/change-set.ts';
import { readDrift } from '../../../src/domain/terraform/drift.ts';
import { destroyedBy, guard } from '../../../src/domain/terraform/guards.ts';
import type { PlanJson, PlannedChange, PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { render, renderMarkdown } from '../../../src/domain/terraform/render.ts';
import { aPlan, aResource, compare, normalise } from './support.ts';

/** Numbers from 0 up to 1, the same for the same seed. @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Arbitrary {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = random(seed);
  }
  upTo(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(items: readonly T[]): T {
    const item = items[this.upTo(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
  times<T>(n: number, make: (i: number) => T): T[] {
    return Array.from({ length: n }, (_, i) => make(i));
  }
  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => [this.next(), item] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, item]) => item);
  }
  value(depth = 2): unknown {
    const kind = this.upTo(depth > 0 ? 7 : 4);
    if (kind === 0) return this.upTo(10_000);
    if (kind === 1) return this.next() < 0.5;
    if (kind === 2) return null;
    if (kind < 5) return `text-${this.upTo(1_000)} \u00e9\n"`;
    if (kind === 5) return this.times(this.upTo(3), () => this.value(depth - 1));
    return this.object(this.upTo(4), depth - 1);
  }
  object(size: number, depth = 2): Record<string, unknown> {
    return Object.fromEntries(
      this.times(size, (i) => [this.pick(['name', 'a.b', 'x y', 'n']) + i, this.value(depth)]),
    );
  }
  change(): PlannedChange {
    const [before, after] = [this.object(4), { ...this.object(4), changed: this.next() }];
    return this.pick<PlannedChange>([
      { actions: ['create'], before: null, after, after_unknown: { id: true } },
      { actions: ['update'], before, after, after_unknown: { [`name${this.upTo(4)}`]: true } },
      { actions: ['delete'], before: { id: `i-${this.next()}`, ...before }, after: null },
      { actions: ['delete', 'create'], before, after },
      { actions: ['create', 'delete'], before, after },
      { actions: ['forget'], before: { id: `i-${this.next()}` }, after: null },
    ]);
  }
  resources(n: number): PlannedResource[] {
    return this.times(n, (i) => aResource(`aws_${this.pick(['a', 'b', 'c'])}.r["k ${i}"]`, this.change()));
  }
}

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);
const KEY = { key: "the workers' key" };

/** All that leaves a worker of a plan. */
function shown(plan: PlanJson, secrets?: ReadonlySet<string>): string {
  const options = { ...KEY, ...(secrets && { secrets }) };
  const strict = { allowDestroy: false, allowedTypes: ['none'], ...(secrets && { secrets }) };
  const approved = normalise(plan, options);
  const comparison = compare(normalise(aPlan([]), options), plan, options);
  return [
    JSON.stringify([
      approved,
      comparison,
      readDrift(plan, secrets),
      guard(plan, strict),
      destroyedBy(plan, strict),
    ]),
    render(plan, secrets),
    renderMarkdown(plan, secrets),
  ].join('\n');
}

test.each(SEEDS)('the order of resources and attributes does not matter (%i)', (seed) => {
  const arbitrary = new Arbitrary(seed);
  const resources = arbitrary.resources(1 + arbitrary.upTo(80));
  const shuffled = arbitrary
    .shuffled(resources)
    .map((resource) => ({ ...resource, change: reordered(resource.change) }));
  const [plan, other] = [aPlan(resources), aPlan(shuffled)];
  expect(normalise(other, KEY)).toEqual(normalise(plan, KEY));
  expect(compare(normalise(plan, KEY), other, KEY)).toEqual({ kind: 'same' });
  expect(render(other)).toBe(render(plan));
  expect(renderMarkdown(other)).toBe(renderMarkdown(plan));
});

test.each(SEEDS)('one other value is another digest, and the same to no comparison (%i)', (seed) => {
  const arbitrary = new Arbitrary(seed);
  const resources = arbitrary.resources(1 + arbitrary.upTo(80));
  const approved = normalise(aPlan(resources), KEY);
  const chosen = arbitrary.upTo(resources.length);
  const altered = resources.map((resource, i) => (i === chosen ? otherwise(resource) : resource));
  const plan = aPlan(altered);
  expect(normalise(plan, KEY).digest).not.toBe(approved.digest);
  const comparison = compare(approved, plan, KEY);
  expect(comparison).toEqual({
    kind: 'differs',
    differences: [expect.stringContaining(`${resources[chosen]?.address}: `)],
  });
});

test.each(SEEDS)(
  'any part of what was approved is a subset, and with anything more it is not (%i)',
  (seed) => {
    const arbitrary = new Arbitrary(seed);
    const resources = arbitrary.resources(2 + arbitrary.upTo(80));
    const approved = normalise(aPlan(resources), KEY);
    const left = arbitrary.shuffled(resources).slice(1 + arbitrary.upTo(resources.length - 1));
    expect(compare(approved, aPlan(left), KEY).kind).toBe('subset');
    const more = aResource('aws_x.more', { actions: ['create'], before: null, after: {} });
    expect(compare(approved, aPlan([...left, more]), KEY).kind).toBe('differs');
  },
);

describe('a secret', () => {
  test.each(SEEDS)('that is marked anywhere is nowhere in what is shown (%i)', (seed) => {
    const arbitrary = new Arbitrary(seed);
    const secret = `s3cr3t/${seed}-${arbitrary.upTo(1e9)}`;
    const resources = arbitrary.shuffled([
      ...arbitrary.resources(1 + arbitrary.upTo(60)),
      ...arbitrary.times(6, (i) => holding(secret, i, arbitrary)),
    ]);
    const plan = aPlan(resources, {
      output_changes: {
        marked: { actions: ['create'], before: null, after: { [secret]: [secret] }, after_sensitive: true },
        copied: { actions: ['update'], before: secret, after: { [`at ${secret}`]: 1 } },
      },
      resource_drift: arbitrary.times(3, (i) => holding(secret, i, arbitrary)),
    });
    expect(shown(plan)).not.toContain(secret);
  });

  test.each(SEEDS.slice(0, 20))('that is known anyway is nowhere in what is shown (%i)', (seed) => {
    const arbitrary = new Arbitrary(seed);
    const secret = `parameter/${seed}-${arbitrary.upTo(1e9)}`;
    const copies = arbitrary.times(4, (i) => unmarked(secret, i));
    const plan = aPlan([...arbitrary.resources(5), ...copies], { resource_drift: copies });
    expect(shown(plan)).toContain(secret);
    expect(shown(plan, new Set([secret]))).not.toContain(secret);
  });

  test('that changes is another digest under the key', () => {
    const digestOf = (value: string): ChangeSet['digest'] => normalise(aPlan([marked(value)]), KEY).digest;
    expect(digestOf('first-secret')).not.toBe(digestOf('other-secret'));
    expect(digestOf('first-secret')).toBe(digestOf('first-secret'));
  });
});

/** A resource with the secret in one of the places that Terraform marks, or where it loses the mark. */
function holding(secret: string, i: number, arbitrary: Arbitrary): PlannedResource {
  return arbitrary.pick([
    marked(secret, i),
    inMarkedMap(secret, i),
    unmarked(secret, i),
    deleted(secret, i),
    marked(secret, i),
  ]);
}

function marked(secret: string, i = 0): PlannedResource {
  return aResource(`aws_marked.r${i}`, {
    actions: ['update'],
    before: { list: [{ p: 'was-something' }], n: 1 },
    after: { list: [{ p: secret }], n: 2, copy: `url?p=${secret}&x` },
    before_sensitive: { list: [{ p: true }] },
    after_sensitive: { list: [{ p: true }] },
  });
}

function inMarkedMap(secret: string, i: number): PlannedResource {
  return aResource(`aws_map.r${i}`, {
    actions: ['update'],
    before: { m: { [secret]: secret } },
    after: { m: { [`${secret}!`]: { deep: secret } }, plain: secret },
    after_unknown: { m: { [secret]: true } },
    before_sensitive: { m: true },
    after_sensitive: { m: true },
  });
}

function unmarked(secret: string, i: number): PlannedResource {
  return aResource(`aws_copy.r["${secret}"][${i}]`, {
    actions: ['update'],
    before: { tags: { [secret]: 'x' } },
    after: { tags: { [secret]: secret }, text: `${secret}${secret}` },
    after_unknown: { tags: { [`${secret} later`]: true } },
  });
}

function deleted(secret: string, i: number): PlannedResource {
  return aResource(`aws_gone.r["${secret}"]`, {
    actions: ['delete'],
    before: { id: `${secret}-${i}`, p: secret },
    after: null,
    before_sensitive: { p: true },
  });
}

/** The same with one value other than it was: the identity of what goes, any value of what stays or comes. */
function otherwise({ change, ...resource }: PlannedResource): PlannedResource {
  const removal = change.after === null;
  const other = {
    ...Object(removal ? change.before : change.after),
    ...(removal ? { id: 'i-other' } : { changed: -1 }),
  };
  return { ...resource, change: { ...change, ...(removal ? { before: other } : { after: other }) } };
}

function reordered(change: PlannedChange): PlannedChange {
  const reverse = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).toReversed())
      : value;
  return { ...change, before: reverse(change.before), after: reverse(change.after) };
}
