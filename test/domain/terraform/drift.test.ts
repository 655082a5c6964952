import { expect, test } from '@jest/globals';
import { describeDrift, readDrift } from '../../../src/domain/terraform/drift.ts';
import type { PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, deleting, updating } from './support.ts';

const driftOf = (...resources: PlannedResource[]) => readDrift(aPlan([], { resource_drift: resources }));

test('drift is what others changed or took away, by address, without a value', () => {
  const drift = driftOf(
    aResource('aws_x.b', deleting({ id: 'i-1' })),
    aResource('aws_x.a', updating({ size: 1, tags: { owner: 'me' } }, { size: 2, tags: { owner: 'you' } })),
  );
  expect(drift).toEqual({
    resources: [
      { address: 'aws_x.a', kind: 'changed', attributes: ['size', 'tags.owner'] },
      { address: 'aws_x.b', kind: 'deleted', attributes: [] },
    ],
    omitted: 0,
  });
  expect(describeDrift(drift)).toEqual([
    'aws_x.a was changed outside of Terraform: size, tags.owner',
    'aws_x.b was deleted outside of Terraform',
  ]);
});

test('no drift has no lines', () => {
  expect(driftOf()).toEqual({ resources: [], omitted: 0 });
  expect(describeDrift(driftOf())).toEqual([]);
});

test('what ECS and Slipway write is no drift, beside other attributes that are', () => {
  const scaled = aResource('aws_ecs_service.web', updating({ desired_count: 2 }, { desired_count: 7 }));
  const both = aResource(
    'aws_ecs_service.api',
    updating({ desired_count: 2, propagate_tags: 'NONE' }, { desired_count: 7, propagate_tags: 'SERVICE' }),
  );
  const shifted = aResource(
    'aws_lb_listener_rule.web',
    updating({ action: [{ forward: [{ weight: 100 }] }] }, { action: [{ forward: [{ weight: 0 }] }] }),
  );
  expect(driftOf(scaled, both, shifted).resources).toEqual([
    { address: 'aws_ecs_service.api', kind: 'changed', attributes: ['propagate_tags'] },
  ]);
});

test('a service that was deleted is drift', () => {
  expect(driftOf(aResource('aws_ecs_service.web', deleting({}))).resources).toHaveLength(1);
});

test('drift is at most 50 resources of 20 attributes, and says how many more there are', () => {
  const wide = (n: number) => Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`a${i}`, n]));
  const many = Array.from({ length: 70 }, (_, i) =>
    aResource(`aws_x.r${i + 10}`, updating({ a: 1 }, { a: 2 })),
  );
  const drift = driftOf(aResource('aws_x.a', updating(wide(1), wide(2))), ...many);
  expect(drift.resources).toHaveLength(50);
  expect(drift.resources[0]?.attributes).toHaveLength(20);
  expect(drift.omitted).toBe(21);
  expect(describeDrift(drift).at(-1)).toBe('... and 21 more');
});

test('drift stays under 4 KB, whatever the addresses', () => {
  const long = Array.from({ length: 50 }, (_, i) =>
    aResource(`aws_x.r["${'é'.repeat(300)}${i}"]`, updating({ a: 1 }, { a: 2 })),
  );
  const drift = driftOf(...long);
  expect(Buffer.byteLength(JSON.stringify(drift.resources))).toBeLessThan(4_096);
  expect(drift.resources.length + drift.omitted).toBe(50);
  expect(drift.omitted).toBeGreaterThan(0);
});
