import { describe, expect, test } from '@jest/globals';
import { GUARDS, guard } from '../../../src/domain/terraform/guards.ts';
import { readPlan } from '../../../src/domain/terraform/plan.ts';
import type { PlannedChange, PlannedResource } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating, deleting, normalise, replacing, updating } from './support.ts';

const strict = { allowDestroy: false };
const lax = { allowDestroy: true };

describe('the guard against destroying', () => {
  test.each<[string, PlannedChange]>([
    ['delete', deleting({})],
    ['delete and create', replacing({ a: 1 }, { a: 2 })],
    ['create and delete', { ...replacing({ a: 1 }, { a: 2 }), actions: ['create', 'delete'] }],
    ['forget', { actions: ['forget'], before: {}, after: null }],
    ['create and forget', { actions: ['create', 'forget'], before: {}, after: {} }],
  ])('refuses %s without consent, and takes it with', (_name, change) => {
    const plan = aPlan([aResource('aws_x.a', change)]);
    expect(guard(plan, strict)).toEqual([
      { name: GUARDS.destroy, passed: false, detail: expect.stringContaining('aws_x.a') },
    ]);
    expect(guard(plan, lax)).toEqual([]);
  });

  test.each<[string, PlannedChange]>([
    ['deleting', deleting({})],
    ['replacing', replacing({ a: 1 }, { a: 2 })],
  ])('takes %s what the failed change set created, and nothing else', (_name, change) => {
    const failed = normalise(aPlan([aResource('aws_x.new', creating({}))]));
    const replaced = normalise(aPlan([aResource('aws_x.new', replacing({ a: 2 }, { a: 1 }))]));
    const updated = normalise(aPlan([aResource('aws_x.new', updating({ a: 2 }, { a: 1 }))]));
    const plan = aPlan([aResource('aws_x.new', change)]);
    expect(guard(plan, { ...strict, failed })).toEqual([]);
    expect(guard(plan, { ...strict, failed: replaced })).toEqual([]);
    expect(guard(plan, { ...strict, failed: updated })).toHaveLength(1);
    const more = aPlan([aResource('aws_x.new', change), aResource('aws_x.old', change)]);
    const [refusal] = guard(more, { ...strict, failed });
    expect(refusal?.detail).toContain('aws_x.old');
    expect(refusal?.detail).not.toContain('aws_x.new');
  });

  test.each<[string, PlannedResource]>([
    ['forgetting it', aResource('aws_x.new', { actions: ['forget'], before: {}, after: null })],
    ['the deposed object that was there before it', aResource('aws_x.new', deleting({}), { deposed: 'abc' })],
  ])('refuses %s, though the failed change set created what is there', (_name, resource) => {
    const failed = normalise(aPlan([aResource('aws_x.new', creating({}))]));
    expect(guard(aPlan([resource]), { ...strict, failed })).toHaveLength(1);
  });

  test('says how to consent, and does not list a hundred', () => {
    const many = Array.from({ length: 30 }, (_, i) => aResource(`aws_x.a${i}`, deleting({})));
    const [refusal] = guard(aPlan(many), strict);
    expect(refusal?.detail).toContain('and 20 more');
    expect(refusal?.detail).toContain('allowDestroy: true');
  });
});

describe('the guard of what ECS and Slipway write', () => {
  const action = (weight: number, host = 'a') => ({
    action: [{ type: 'forward', forward: [{ target_group: [{ arn: 'x', weight }] }] }],
    condition: [{ host_header: [{ values: [host] }] }],
  });
  test.each<[string, string, PlannedChange]>([
    [
      'a task definition',
      'aws_ecs_service.web',
      updating({ task_definition: 'web:1' }, { task_definition: 'web:2' }),
    ],
    ['a desired count', 'module.x.aws_ecs_service.web', updating({ desired_count: 2 }, { desired_count: 1 })],
    [
      'load balancers',
      'aws_ecs_service.web',
      updating({ load_balancer: [{ arn: 'a' }] }, { load_balancer: [] }),
    ],
    [
      'a task definition not known yet',
      'aws_ecs_service.web',
      updating({ task_definition: 'web:1' }, {}, { after_unknown: { task_definition: true } }),
    ],
    ["a rule's weights", 'aws_lb_listener_rule.web', updating(action(100), action(0))],
    ['an older name of the type', 'aws_alb_listener_rule.web', updating(action(100), action(0))],
    [
      "a listener's target group",
      'aws_lb_listener.web',
      updating(
        { default_action: [{ target_group_arn: 'a' }] },
        { default_action: [{ target_group_arn: 'b' }] },
      ),
    ],
    [
      "another provider's service",
      'sandbox_ecs_service.web',
      updating({ desired_count: 2 }, { desired_count: 1 }),
    ],
  ])('refuses an update of %s, consent or not', (_name, address, change) => {
    const type = address.replace(/^module\.x\./, '').split('.')[0] ?? '';
    const refusals = guard(aPlan([aResource(address, change, { type })]), lax);
    expect(refusals).toEqual([
      { name: GUARDS.ownership, passed: false, detail: expect.stringContaining(address) },
    ]);
    expect(refusals[0]?.detail).toContain('ignore_changes');
  });

  test.each<[string, string, PlannedChange]>([
    ['creating a service', 'aws_ecs_service.web', creating({ task_definition: 'web:1', desired_count: 1 })],
    [
      "a service's other attributes",
      'aws_ecs_service.web',
      updating({ propagate_tags: 'NONE' }, { propagate_tags: 'SERVICE' }),
    ],
    ["a rule's condition", 'aws_lb_listener_rule.web', updating(action(1, 'a'), action(1, 'b'))],
    [
      "a listener's redirect",
      'aws_lb_listener.web',
      updating(
        { default_action: [{ redirect: [{ port: 1 }] }] },
        { default_action: [{ redirect: [{ port: 2 }] }] },
      ),
    ],
    [
      "another type's desired_count",
      'aws_autoscaling_group.web',
      updating({ desired_count: 1 }, { desired_count: 2 }),
    ],
  ])('takes %s', (_name, address, change) => {
    expect(guard(aPlan([aResource(address, change)]), strict)).toEqual([]);
  });
});

test('a deferred change is refused', () => {
  const deferred = [
    { reason: 'resource_config_unknown', resource_change: aResource('aws_x.later', creating({})) },
  ];
  const plan = aPlan([], { deferred_changes: deferred, complete: false });
  expect(readPlan(plan).kind).toBe('plan');
  expect(guard(plan, lax)).toEqual([
    {
      name: GUARDS.deferred,
      passed: false,
      detail: expect.stringContaining('aws_x.later (resource_config_unknown)'),
    },
  ]);
});

describe('readPlan', () => {
  const good = aPlan([aResource('aws_x.a', creating({}))]);
  test.each([
    ['a good plan', good],
    ['a plan that changes nothing', aPlan([])],
    ['one of a later minor format', { ...good, format_version: '1.9' }],
    [
      'one of OpenTofu, which says neither complete nor applyable',
      { format_version: '1.2', errored: false, resource_changes: [] },
    ],
  ])('takes %s', (_name, plan) => {
    expect(readPlan(plan)).toEqual({ kind: 'plan', plan });
  });

  test.each<[string, unknown, string]>([
    ['another major format', { ...good, format_version: '2.0' }, '2.0'],
    ['an errored plan', { ...good, errored: true }, 'error'],
    ['one that does not say whether it errored', { ...good, errored: undefined }, 'error'],
    ['an incomplete one', { ...good, complete: false }, 'complete'],
    ['one with changes that is not applyable', { ...good, applyable: false }, 'applied'],
    ['one without a format', { hello: 1 }, 'does not say its format version'],
    ['nothing', null, 'not a plan'],
    ['changes without actions', { ...good, resource_changes: [{ address: 'a', change: {} }] }, 'not a plan'],
  ])('refuses %s', (_name, plan, why) => {
    expect(readPlan(plan)).toEqual({ kind: 'unusable', reason: expect.stringContaining(why) });
  });
});
