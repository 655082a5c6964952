import { beforeAll, describe, expect, test } from '@jest/globals';
import { evidenceDigest, infrastructureEvidence, type Evidence } from '../../../src/domain/evidence.ts';
import { creationsOf } from '../../../src/domain/terraform/created.ts';
import { readDrift } from '../../../src/domain/terraform/drift.ts';
import { destroyedBy } from '../../../src/domain/terraform/guards.ts';
import type { ChangeSet } from '../../../src/domain/terraform/change-set.ts';
import type { PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, compare, creating, deleting, normalise, ORIGIN, updating } from './support.ts';

const SMALL = 200;
const LARGE = 5_000;

/** Resources of 30 types, a third of them with something that is known only after others are made. */
const aFleet = (size: number, differently: (i: number) => object = () => ({})): PlannedResource[] =>
  Array.from({ length: size }, (_, i) =>
    aResource(
      `aws_type_${i % 30}.r["unit ${i}"]`,
      creating(
        { name: `unit-${i}`, tags: { team: `t${i % 7}` }, ...differently(i) },
        { after_unknown: { id: true, ...(i % 3 === 0 && { [`link_${i % 30}`]: true }) } },
      ),
    ),
  );
const bytes = (changeSet: ChangeSet) => Buffer.byteLength(JSON.stringify(changeSet));

describe('a change set of 200 changes', () => {
  const fleet = aFleet(SMALL);
  const approved = normalise(aPlan(fleet));
  const listed = new Set(approved.changes.map(({ address }) => address));
  const inList = fleet.filter(({ address }) => listed.has(address));
  const beyond = fleet.filter(({ address }) => !listed.has(address));
  const without = (gone: readonly PlannedResource[]) => fleet.filter((resource) => !gone.includes(resource));
  const instead = (of: PlannedResource | undefined, ...by: PlannedResource[]) =>
    aPlan([...fleet.filter((resource) => resource !== of), ...by]);
  const [first] = beyond;
  const address = first?.address ?? '';

  test('lists some and counts the others', () => {
    expect(inList.length).toBeGreaterThan(10);
    expect(approved.unlisted?.count).toBe(beyond.length);
    expect(approved.counts.create).toBe(SMALL);
    expect(bytes(approved)).toBeLessThan(10_000);
  });

  test('is the same for the same plan, in any order', () => {
    expect(compare(approved, aPlan(fleet.toReversed()))).toEqual({ kind: 'same' });
  });

  test('has its rest in a plan where some of it is done, and says how much', () => {
    const [one] = inList;
    const done = [...(one ? [one] : []), ...beyond.slice(0, 3)];
    expect(compare(approved, aPlan(without(done)))).toEqual({
      kind: 'subset',
      done: [one?.address, '3 of the changes that are not listed'],
    });
  });

  test('matches what was unknown then and is known now', () => {
    const known = fleet.map((resource, i) =>
      i % 3 === 0
        ? aResource(
            resource.address,
            creating(
              { ...Object(resource.change.after), [`link_${i % 30}`]: `made-${i}` },
              { after_unknown: { id: true } },
            ),
          )
        : resource,
    );
    expect(compare(approved, aPlan(known))).toEqual({ kind: 'same' });
    expect(compare(approved, aPlan(known.slice(1))).kind).toBe('subset');
  });

  test('does not match what was known then and is not now', () => {
    const vague = aResource(address, creating({ name: 'x' }, { after_unknown: { id: true, tags: true } }));
    expect(compare(approved, instead(first, vague))).toEqual({
      kind: 'differs',
      differences: [`${address}: create is planned with other values than were approved`],
    });
  });

  test('does not match other values, another action, or another address, listed or not', () => {
    const other = aResource(address, creating({ name: 'other' }, { after_unknown: { id: true } }));
    expect(compare(approved, instead(first, other))).toEqual({
      kind: 'differs',
      differences: [`${address}: create is planned with other values than were approved`],
    });
    const updated = aResource(address, updating({ name: 'a' }, { name: 'b' }));
    expect(compare(approved, instead(first, updated))).toEqual({
      kind: 'differs',
      differences: [
        `${address}: update was not approved`,
        '1 of the changes that are not listed: approved, but no longer planned',
      ],
    });
    const extra = aResource('aws_x.extra', creating({}));
    expect(compare(approved, aPlan([...fleet, extra]))).toEqual({
      kind: 'differs',
      differences: ['aws_x.extra: create was not approved'],
    });
  });

  test('tells what it created, listed or not', () => {
    const created = creationsOf(approved);
    expect(fleet.every((resource) => created(resource.address))).toBe(true);
    expect(fleet.some((resource) => created(`${resource.address}x`))).toBe(false);
    const plan = aPlan([
      aResource(address, deleting({})),
      aResource('aws_x.mine', deleting({})),
      aResource(address, deleting({}), { deposed: 'abcd' }),
    ]);
    expect(destroyedBy(plan, { allowDestroy: false, failed: approved })).toEqual([
      'aws_x.mine',
      `${address} (deposed abcd)`,
    ]);
  });

  test('that it updated is not what it created', () => {
    const updates = normalise(
      aPlan(fleet.map((resource) => aResource(resource.address, updating({ a: 1 }, { a: 2 })))),
    );
    expect(updates.unlisted?.count).toBeGreaterThan(0);
    expect(fleet.some((resource) => creationsOf(updates)(resource.address))).toBe(false);
  });

  test('lists what it takes away before the rest', () => {
    const last = aResource('zzz_x.last', deleting({}));
    expect(normalise(aPlan([...fleet, last])).changes.at(-1)?.address).toBe('zzz_x.last');
  });

  test('of outputs too has its rest in a plan without them', () => {
    const outputs = Object.fromEntries(
      fleet.map((_, i) => [`o${i}`, { actions: ['create'], before: null, after: i }]),
    );
    const both = normalise(aPlan(fleet, { output_changes: outputs }));
    expect(compare(both, aPlan(fleet.slice(1), { output_changes: outputs })).kind).toBe('subset');
    const later = { ...outputs, o1: { actions: ['create'], before: null, after: 'later' } };
    expect(compare(both, aPlan(fleet.slice(1), { output_changes: later })).kind).toBe('subset');
    expect(compare(both, aPlan(fleet, { output_changes: later })).kind).toBe('differs');
  });

  test('of another state is neither the same nor a part', () => {
    const elsewhere = { origin: { ...ORIGIN, workspace: 'other' } };
    expect(compare(approved, aPlan(fleet), elsewhere).kind).toBe('differs');
    expect(compare(approved, aPlan(fleet.slice(1)), elsewhere).kind).toBe('differs');
  });
});

describe('a change set of 5,000 changes', () => {
  const fleet = aFleet(LARGE);
  let approved: ChangeSet;
  let milliseconds: number;
  beforeAll(() => {
    const before = process.cpuUsage();
    approved = normalise(aPlan(fleet));
    milliseconds = process.cpuUsage(before).user / 1000;
  });

  test('stays under 45 KB and still knows each change', () => {
    expect(bytes(approved)).toBeLessThan(45_000);
    expect(approved.unlisted?.seals).toBeDefined();
    expect(compare(approved, aPlan(fleet.slice(0, LARGE / 2))).kind).toBe('subset');
    const changed = aFleet(LARGE, (i) => (i === LARGE - 1 ? { name: 'other' } : {})).slice(1);
    expect(compare(approved, aPlan(changed)).kind).toBe('differs');
  });

  test('is made in about a second of one core', () => {
    expect(milliseconds).toBeLessThan(3_000);
  });
});

describe('a change set with too much to seal', () => {
  const vague = (size: number, paths: number) =>
    Array.from({ length: size }, (_, i) =>
      aResource(
        `aws_x.r[${i}]`,
        creating(
          {},
          {
            after_unknown: Object.fromEntries(
              Array.from({ length: paths }, (_unused, j) => [`attribute_${i}_${j}`, true]),
            ),
          },
        ),
      ),
    );

  test.each([
    ['8,000 changes', aFleet(8_000)],
    ['all kinds of unknown values', vague(500, 20)],
    ['one change of great length', vague(1, 5_000)],
  ])('of %s stays under 45 KB, and stands as a whole', (_name, fleet) => {
    const approved = normalise(aPlan(fleet));
    expect(bytes(approved)).toBeLessThan(45_000);
    expect(compare(approved, aPlan(fleet))).toEqual({ kind: 'same' });
    expect(approved.unlisted?.seals).toBeUndefined();
    expect(creationsOf(approved)(fleet.at(-1)?.address ?? '')).toBe(false);
  });

  test('has no parts that could be told, and says why', () => {
    const fleet = vague(500, 20);
    const comparison = compare(normalise(aPlan(fleet)), aPlan(fleet.slice(100)));
    expect(comparison).toEqual({
      kind: 'differs',
      differences: expect.arrayContaining([
        expect.stringMatching(
          /^\d+ changes were approved together, too many to be compared one by one: only the very same plan stands$/,
        ),
      ]),
    });
  });
});

describe('the evidence of a large change set', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const drifted = Array.from({ length: 60 }, (_, i) =>
    aResource(`aws_type_${i}.drifted["unit ${i}"]`, updating({ size: i, ttl: 1 }, { size: i + 1, ttl: 2 })),
  );
  const many = <T>(count: number, one: (i: number) => T) => Array.from({ length: count }, (_, i) => one(i));
  const agreedTo = (changeSet: ChangeSet): Evidence => ({
    manifest: {
      version: '1.4.0',
      commit: 'a'.repeat(40),
      images: Object.fromEntries(many(10, (i) => [`service-${i}`, digest])),
    },
    environment: 'production',
    settings: many(60, (i) => ({
      key: `SETTING_${i}`,
      parameter: `/slipway/notes/production/1.4.0/SETTING_${i}`,
      value: digest,
    })),
    references: many(20, (i) => ({ kind: 'secret', name: `notes/production/secret-${i}`, version: digest })),
    services: many(10, (i) => ({
      service: `service-${i}`,
      rollout: 'rolling',
      image: digest,
      taskDefinition: digest,
      current: `arn:aws:ecs:eu-central-1:123456789012:task-definition/notes-service-${i}:1234`,
    })),
    policyDigest: digest,
    ...infrastructureEvidence({ changeSet, drift: readDrift(aPlan([], { resource_drift: drifted })) }),
  });
  const size = (evidence: Evidence) => Buffer.byteLength(JSON.stringify(evidence));

  test('of 5,450 changes stays under 50 KB, drift, settings and services with it', () => {
    const changeSet = normalise(aPlan(aFleet(5_450)));
    expect(changeSet.unlisted?.seals).toBeDefined();
    const evidence = agreedTo(changeSet);
    expect(evidence.drift?.resources.length).toBeGreaterThan(20);
    expect(size(evidence)).toBeLessThan(50_000);
    expect(evidence.changeSet?.unlisted?.count).toBe(changeSet.unlisted?.count);
  });

  test('is other evidence when a value of one change that it does not list is another', () => {
    const another = aFleet(SMALL, (i) => (i === SMALL - 1 ? { name: 'other' } : {}));
    const [a, b] = [aFleet(SMALL), another].map((fleet) => agreedTo(normalise(aPlan(fleet))));
    expect(evidenceDigest(a!)).not.toBe(evidenceDigest(b!));
    expect(a!.changeSet?.changes).toEqual(b!.changeSet?.changes);
  });
});
