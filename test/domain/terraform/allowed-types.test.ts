import { describe, expect, test } from '@jest/globals';
import { GUARDS, guard } from '../../../src/domain/terraform/guards.ts';
import type { PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating, deleting, updating } from './support.ts';

describe('the guard of types', () => {
  const only = (...allowedTypes: string[]) => ({ allowDestroy: true, allowedTypes });
  const still = { actions: ['no-op'], before: {}, after: {} };

  test.each<[string, PlannedResource]>([
    ['creating', aResource('aws_iam_role.r', creating({}))],
    ['updating', aResource('aws_iam_role.r', updating({ a: 1 }, { a: 2 }))],
    ['deleting', aResource('aws_iam_role.r', deleting({}))],
    ['forgetting', aResource('aws_iam_role.r', { actions: ['forget'], before: {}, after: null })],
    ['importing', aResource('aws_iam_role.r', { ...still, importing: { id: 'r' } })],
    ['moving', aResource('aws_iam_role.r', still, { previous_address: 'aws_iam_role.q' })],
    [
      'importing and updating',
      aResource('aws_iam_role.r', { ...updating({ a: 1 }, { a: 2 }), importing: { id: 'r' } }),
    ],
    ['a resource without a type', { address: 'x', change: creating({}) }],
  ])('refuses %s a resource of another type', (_name, resource) => {
    expect(guard(aPlan([resource]), only('aws_ecs_*', 'aws_sqs_queue'))).toEqual([
      { name: GUARDS.types, passed: false, detail: expect.stringContaining(resource.address) },
    ]);
  });

  test('takes the types that are listed, by pattern and by name', () => {
    const plan = aPlan([
      aResource('aws_ecs_cluster.c', creating({})),
      aResource('aws_sqs_queue.q', deleting({})),
    ]);
    expect(guard(plan, only('aws_ecs_*', 'aws_sqs_queue'))).toEqual([]);
  });

  test('takes reading a data source, whatever its type', () => {
    const read = aResource('data.aws_iam_role.r', { actions: ['read'], before: null, after: {} });
    const data = { ...read, mode: 'data', type: 'aws_iam_role' };
    expect(guard(aPlan([data]), only('aws_ecs_*'))).toEqual([]);
  });

  test('refuses a move from another type', () => {
    const moved = aResource('aws_sqs_queue.q', still, {
      previous_address: 'module.m["a.b"].aws_db_instance.main["x.y"]',
    });
    expect(guard(aPlan([moved]), only('aws_sqs_queue'))).toHaveLength(1);
    expect(guard(aPlan([moved]), only('aws_sqs_queue', 'aws_db_*'))).toEqual([]);
  });

  test('refuses invoking an action of another type', () => {
    const plan = aPlan([], {
      action_invocations: [{ address: 'action.aws_lambda_invoke.purge', type: 'aws_lambda_invoke' }],
    });
    expect(guard(plan, only('aws_sqs_queue'))[0]?.detail).toContain(
      'action.aws_lambda_invoke.purge (invoke)',
    );
    expect(guard(plan, only('aws_lambda_*'))).toEqual([]);
  });

  test('says what is allowed, and how to allow more', () => {
    const [refusal] = guard(aPlan([aResource('aws_x.a', creating({}))]), only('aws_ecs_*'));
    expect(refusal?.detail).toBe(
      'Refused: allowedTypes is aws_ecs_*, and the plan would change aws_x.a (create). Add the type to allowedTypes of the environment, or apply this change by other means.',
    );
  });
});
