import { expect, test } from '@jest/globals';
import { plannedInfrastructure } from '../../src/domain/planned-infrastructure.ts';
import type { ChangeSet } from '../../src/domain/terraform/change-set.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const change = (address: string, ...actions: string[]) => ({
  address,
  actions,
  attributes: [],
  hash: DIGEST,
});

const CHANGE_SET: ChangeSet = {
  changes: [
    change('aws_a.a', 'create'),
    change('aws_a.b', 'delete', 'create'),
    change('aws_a.c', 'update'),
    change('aws_a.d', 'forget'),
  ],
  unlisted: { count: 9, unknown: [] },
  origin: { directory: 'terraform', backend: 's3', workspace: 'default', location: DIGEST },
  digest: DIGEST,
  counts: { create: 10, update: 1, replace: 1, delete: 1 },
};

test('what destroys comes first, and what is not listed is counted', () => {
  const planned = plannedInfrastructure({ changeSet: CHANGE_SET });
  expect(planned?.changes.map(({ address }) => address)).toEqual([
    'aws_a.b',
    'aws_a.d',
    'aws_a.a',
    'aws_a.c',
  ]);
  expect(planned?.omitted).toBe(9);
  expect(planned).not.toHaveProperty('drift');
});

test('no hash of a value is handed on', () => {
  expect(JSON.stringify(plannedInfrastructure({ changeSet: CHANGE_SET }))).not.toContain('sha256');
});

test('there is none without Terraform', () => {
  expect(plannedInfrastructure({})).toBeUndefined();
});
