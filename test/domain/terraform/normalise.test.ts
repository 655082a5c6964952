import { describe, expect, test } from '@jest/globals';
import type { PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating, deleting, normalise, replacing, updating } from './support.ts';

const of = (...resources: PlannedResource[]) => normalise(aPlan(resources));
const hashOf = (resource: PlannedResource, key?: string) =>
  normalise(aPlan([resource]), key === undefined ? {} : { key }).changes[0]?.hash;

describe('normalise', () => {
  test('sorts by address, so that the order of the plan does not matter', () => {
    const a = aResource('aws_x.a', creating({ size: 1 }));
    const b = aResource('aws_x.b', creating({ size: 2 }));
    expect(of(b, a)).toEqual(of(a, b));
    expect(of(b, a).changes.map(({ address }) => address)).toEqual(['aws_x.a', 'aws_x.b']);
  });

  test('leaves out what does not change', () => {
    const still = aResource('aws_x.a', { actions: ['no-op'], before: { a: 1 }, after: { a: 1 } });
    expect(of(still)).toMatchObject({ changes: [], counts: { create: 0, update: 0, replace: 0, delete: 0 } });
  });

  test('counts a replacement once, and forgetting as deleting', () => {
    const forget = aResource('aws_x.f', { actions: ['forget'], before: {}, after: null });
    const reversed = aResource('aws_x.r', {
      ...replacing({ a: 1 }, { a: 2 }),
      actions: ['create', 'delete'],
    });
    const resources = [
      aResource('aws_x.c', creating({})),
      aResource('aws_x.u', updating({ a: 1 }, { a: 2 })),
      aResource('aws_x.d', deleting({})),
      aResource('aws_x.p', replacing({ a: 1 }, { a: 2 })),
    ];
    expect(of(...resources, forget, reversed).counts).toEqual({
      create: 1,
      update: 1,
      replace: 2,
      delete: 2,
    });
  });

  test('names the changed attributes at their depth, and no others', () => {
    const before = {
      name: 'x',
      tags: { owner: 'a', 'cost.center': '1' },
      ports: [80, 81],
      gone: 1,
      same: null,
    };
    const after = { name: 'x', tags: { owner: 'b', 'cost.center': '2' }, ports: [80, 82], gone: null };
    expect(of(aResource('aws_x.a', updating(before, after))).changes[0]?.attributes).toEqual([
      'gone',
      'ports[1]',
      'tags.owner',
      'tags["cost.center"]',
    ]);
  });

  test('has another hash for another value, before or after, and for no other reason', () => {
    const hash = hashOf(aResource('aws_x.a', updating({ size: 1, etag: 'a' }, { size: 2, etag: 'a' })));
    expect(hashOf(aResource('aws_x.a', updating({ size: 1, etag: 'b' }, { size: 2, etag: 'b' })))).toBe(hash);
    expect(hashOf(aResource('aws_x.a', updating({ size: 1 }, { size: 3 })))).not.toBe(hash);
    expect(hashOf(aResource('aws_x.a', updating({ size: 0 }, { size: 2 })))).not.toBe(hash);
  });

  test('tells the number 1 from the text 1', () => {
    expect(hashOf(aResource('aws_x.a', creating({ a: 1 })))).not.toBe(
      hashOf(aResource('aws_x.a', creating({ a: '1' }))),
    );
  });

  test('a deletion is of an object, whatever its attributes were by then', () => {
    const hash = hashOf(aResource('aws_x.a', deleting({ id: 'i-1', ip: '10.0.0.1' })));
    expect(hashOf(aResource('aws_x.a', deleting({ id: 'i-1', ip: '10.0.0.2' })))).toBe(hash);
    expect(hashOf(aResource('aws_x.a', deleting({ id: 'i-2', ip: '10.0.0.1' })))).not.toBe(hash);
  });

  test('keeps where a value is unknown, once for a whole unknown branch', () => {
    const change = updating(
      { output: { a: 1, b: 2 } },
      {},
      { after_unknown: { id: true, output: true, other: false } },
    );
    expect(of(aResource('aws_x.a', change)).changes[0]).toMatchObject({
      attributes: ['id', 'output'],
      unknown: ['id', 'output'],
    });
  });

  test('holds no value anywhere', () => {
    const marks = { after_sensitive: { password: true } };
    const change = creating({ name: 'visible-name', password: 'hunter2-hunter2' }, marks);
    expect(JSON.stringify(of(aResource('aws_x.a', change)))).not.toMatch(/visible-name|hunter2/);
  });

  test('takes imports, moves and deposed objects as changes', () => {
    const still = { actions: ['no-op'], before: { a: 1 }, after: { a: 1 } };
    const changes = of(
      aResource('aws_x.i', { ...still, importing: { id: 'i-1' } }),
      aResource('aws_x.m', still, { previous_address: 'aws_x.old' }),
      aResource('aws_x.p', deleting({ id: 'i-9' }), { deposed: 'abcd' }),
    ).changes;
    expect(changes.map(({ address, actions }) => [address, actions])).toEqual([
      ['aws_x.i', ['import']],
      ['aws_x.m', ['move']],
      ['aws_x.p (deposed abcd)', ['delete']],
    ]);
  });

  test('has the outputs that change, uncounted', () => {
    const outputs = {
      url: { actions: ['update'], before: 'a', after: 'b' },
      same: { actions: ['no-op'], before: 'a', after: 'a' },
    };
    const { changes, counts } = normalise(aPlan([], { output_changes: outputs }));
    expect(changes.map(({ address }) => address)).toEqual(['output.url']);
    expect(counts).toEqual({ create: 0, update: 0, replace: 0, delete: 0 });
    const other = normalise(
      aPlan([], { output_changes: { ...outputs, url: { ...outputs.url, after: 'c' } } }),
    );
    expect(other.digest).not.toBe(normalise(aPlan([], { output_changes: outputs })).digest);
  });
});

describe('a sensitive value', () => {
  const secret = (value: string) =>
    aResource(
      'aws_x.a',
      updating(
        { p: 'old-old' },
        { p: value },
        { before_sensitive: { p: true }, after_sensitive: { p: true } },
      ),
    );

  test('enters as sensitive when there is no key: no hash of it can be guessed', () => {
    expect(hashOf(secret('first'))).toBe(hashOf(secret('second')));
  });

  test('enters by an HMAC under the key', () => {
    expect(hashOf(secret('first'), 'key')).toBe(hashOf(secret('first'), 'key'));
    expect(hashOf(secret('first'), 'key')).not.toBe(hashOf(secret('second'), 'key'));
    expect(hashOf(secret('first'), 'key')).not.toBe(hashOf(secret('first'), 'other key'));
  });

  test('is sensitive also where Terraform lost its mark', () => {
    const unmarked = (value: string) =>
      hashOf(
        aResource(
          'aws_x.a',
          creating({ p: value, copy: `url?p=${value}` }, { after_sensitive: { p: true } }),
        ),
      );
    expect(unmarked('first')).toBe(unmarked('second'));
  });

  test('leaves what stands around it bound, also without a key', () => {
    const inUrl = (host: string) =>
      hashOf(
        aResource(
          'aws_x.a',
          creating({ p: 'hunter2', url: `db://u:hunter2@${host}` }, { after_sensitive: { p: true } }),
        ),
      );
    expect(inUrl('db.internal')).not.toBe(inUrl('db.evil.example'));
  });

  test('is what the caller knows to be secret', () => {
    const secrets = new Set(['from-a-parameter', 'from-another-one']);
    const hash = (value: string) =>
      normalise(aPlan([aResource('aws_x.a', creating({ v: value }))]), { secrets }).changes[0]?.hash;
    expect(hash('from-a-parameter')).toBe(hash('from-another-one'));
    expect(hash('from-a-parameter')).not.toBe(hash('public'));
  });

  test('that is a whole map hides its keys too', () => {
    const map = updating(
      { m: { 'key-one': 1 } },
      { m: { 'key-two': 2 } },
      { before_sensitive: { m: true }, after_sensitive: { m: true } },
    );
    expect(of(aResource('aws_x.a', map)).changes[0]?.attributes).toEqual(['m']);
    const partly = updating(
      { m: { 'key-one': 1 } },
      { m: {} },
      { after_sensitive: { m: true }, after_unknown: { m: { 'key-one': true } } },
    );
    expect(of(aResource('aws_x.a', partly)).changes[0]?.attributes).toEqual(['m']);
    const unknown = creating(
      { m: {} },
      { after_sensitive: { m: true }, after_unknown: { m: { 'key-one': true } } },
    );
    expect(of(aResource('aws_x.a', unknown)).changes[0]?.unknown).toEqual(['m']);
  });

  test('that became sensitive, or is no longer, hides its keys on both sides', () => {
    const became = updating(
      { m: { 'key-one': 1 } },
      { m: { 'key-two': 2 } },
      { after_sensitive: { m: true } },
    );
    expect(of(aResource('aws_x.a', became)).changes[0]?.attributes).toEqual(['m']);
    const noLonger = (value: string) =>
      hashOf(aResource('aws_x.a', updating({ p: 'old' }, { p: value }, { before_sensitive: { p: true } })));
    expect(noLonger('guessable')).toBe(noLonger('other'));
  });
});
