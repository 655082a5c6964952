import { describe, expect, test } from '@jest/globals';
import { destroyedBy, GUARDS, guard } from '../../../src/domain/terraform/guards.ts';
import type { PlannedChange } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating, deleting, updating } from './support.ts';

const strict = { allowDestroy: false };
const lax = { allowDestroy: true };

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
    [
      'the listener rules that ECS shifts traffic by',
      'aws_ecs_service.web',
      updating(
        { load_balancer: [{ advanced_configuration: [{ alternate_target_group_arn: 'a' }] }] },
        { load_balancer: [{ advanced_configuration: [{ alternate_target_group_arn: 'b' }] }] },
      ),
    ],
    [
      'a service that is imported',
      'aws_ecs_service.web',
      { ...updating({ desired_count: 2 }, { desired_count: 1 }), importing: { id: 'web' } },
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

test('deleting the service itself is destroying', () => {
  const plan = aPlan([aResource('aws_ecs_service.web', deleting({ task_definition: 'web:1' }))]);
  expect(guard(plan, strict).map(({ name }) => name)).toEqual([GUARDS.destroy]);
});

test('a secret in the key of an address is in no refusal', () => {
  const resource = aResource(
    'aws_x.a["top-secret-1"]',
    deleting({ p: 'top-secret' }, { before_sensitive: { p: true } }),
  );
  const plan = aPlan([resource], { deferred_changes: [{ resource_change: resource }] });
  expect(JSON.stringify(guard(plan, { ...strict, allowedTypes: ['aws_y'] }))).not.toContain('top-secret');
  const known = aPlan([aResource('aws_x.a["parameter-value"]', deleting({}))]);
  const consent = { ...strict, secrets: new Set(['parameter-value']) };
  expect(destroyedBy(known, consent)).toEqual(['aws_x.a["(sensitive)"]']);
  expect(destroyedBy(known, { ...consent, mayDestroy: ['aws_x.a["(sensitive)"]'] })).toEqual([]);
});

test('a deferred action is refused', () => {
  const later = [{ reason: 'deferred_prereq', action_invocation: { address: 'action.aws_x.later' } }];
  const [refusal] = guard(aPlan([], { deferred_action_invocations: later }), lax);
  expect(refusal).toMatchObject({
    name: GUARDS.deferred,
    detail: expect.stringContaining('action.aws_x.later'),
  });
});

test('a deferred change is refused', () => {
  const deferred = [
    { reason: 'resource_config_unknown', resource_change: aResource('aws_x.later', creating({})) },
  ];
  const plan = aPlan([], { deferred_changes: deferred, complete: false });
  expect(guard(plan, lax)).toEqual([
    {
      name: GUARDS.deferred,
      passed: false,
      detail: expect.stringContaining('aws_x.later (resource_config_unknown)'),
    },
  ]);
});
