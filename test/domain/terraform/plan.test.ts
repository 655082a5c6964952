import { describe, expect, test } from '@jest/globals';
import { changesSomething, readPlan } from '../../../src/domain/terraform/plan.ts';
import { aPlan, aResource, creating } from './support.ts';

describe('readPlan', () => {
  const good = aPlan([aResource('aws_x.a', creating({}))]);
  const withActions = (actions: string[]) =>
    aPlan([aResource('aws_x.a', { actions, before: {}, after: {} })]);
  test.each<[string, unknown]>([
    ['a good plan', good],
    ['a plan that changes nothing', aPlan([])],
    ['one of a later minor format', { ...good, format_version: '1.9' }],
    [
      'one of OpenTofu, which says neither complete nor applyable',
      { format_version: '1.2', errored: false, resource_changes: [] },
    ],
    [
      'one of Terraform 1.5, which does not say whether it errored',
      { format_version: '1.2', terraform_version: '1.5.7', resource_changes: [] },
    ],
    [
      'one with a check block that fails: it only warns',
      { ...good, checks: [{ address: { kind: 'check', to_display: 'check.up' }, status: 'fail' }] },
    ],
    [
      'an incomplete one whose deferrals the guards refuse',
      { ...good, complete: false, deferred_changes: [{}] },
    ],
    ['every form of a replacement', withActions(['create', 'delete'])],
    ['a replacement that forgets', withActions(['create', 'forget'])],
  ])('takes %s', (_name, plan) => {
    expect(readPlan(plan)).toEqual({ kind: 'plan', plan });
  });

  test.each<[string, unknown, string]>([
    ['another major format', { ...good, format_version: '2.0' }, '2.0'],
    ['an errored plan', { ...good, errored: true }, 'error'],
    [
      'one that does not say whether it errored',
      { ...good, errored: undefined, terraform_version: '1.6.0' },
      'does not say whether',
    ],
    ['an action that is not known', withActions(['evict']), 'it has the actions evict for aws_x.a'],
    ['actions that are not known together', withActions(['update', 'delete']), 'update, delete for aws_x.a'],
    [
      'an unknown action on an output',
      { ...good, output_changes: { url: { actions: ['publish'] } } },
      'publish for output.url',
    ],
    [
      'a condition of a resource that failed',
      { ...good, checks: [{ address: { kind: 'resource', to_display: 'aws_x.a' }, status: 'fail' }] },
      'a condition of aws_x.a failed',
    ],
    ['drift of another shape', { ...good, resource_drift: [{ address: 'a' }] }, 'not a plan'],
    ['an incomplete one', { ...good, complete: false }, 'complete'],
    ['one with changes that is not applyable', { ...good, applyable: false }, 'applied'],
    ['one without a format', { hello: 1 }, 'does not say its format version'],
    ['another minor of format 0', { ...good, format_version: '0.2' }, 'its format version is 0.2'],
    ['one whose format is not a text', { ...good, format_version: 1 }, 'not a plan'],
    ['nothing', null, 'not a plan'],
    ['changes without actions', { ...good, resource_changes: [{ address: 'a', change: {} }] }, 'not a plan'],
  ])('refuses %s', (_name, plan, why) => {
    expect(readPlan(plan)).toEqual({ kind: 'unusable', reason: expect.stringContaining(why) });
  });
});

test.each([
  ['nothing', {}, false],
  ['an output', { output_changes: { url: { actions: ['create'], before: null, after: 'x' } } }, true],
  ['an output that stays', { output_changes: { url: { actions: ['no-op'] } } }, false],
  ['an action that is invoked', { action_invocations: [{ address: 'action.aws_x.a' }] }, true],
])('a plan of %s changes something, or not', (_name, more, changes) => {
  expect(changesSomething(aPlan([], more))).toBe(changes);
});
