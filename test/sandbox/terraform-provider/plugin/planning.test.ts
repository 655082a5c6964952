import { describe, expect, test } from '@jest/globals';
import { observe, plan, settle } from '../../../../sandbox/terraform-provider/plugin/planning.ts';
import { conform } from '../../../../sandbox/terraform-provider/plugin/schema.ts';
import type { Schema } from '../../../../sandbox/terraform-provider/plugin/schema.ts';
import { UNKNOWN } from '../../../../sandbox/terraform-provider/plugin/value.ts';
import type { State } from '../../../../sandbox/terraform-provider/plugin/value.ts';

const schema: Schema = {
  attributes: {
    name: { type: 'string', required: true, forceNew: true },
    zones: { type: ['set', 'string'], optional: true, forceNew: true },
    size: { type: 'number', optional: true, default: 1 },
    grace: { type: 'number', optional: true, absent: 0 },
    document: { type: 'string', optional: true, forceNew: true, equivalent: (a, b) => a.trim() === b.trim() },
    mode: { type: 'string', optional: true, computed: true },
    arn: { type: 'string', computed: true },
    version: { type: 'number', computed: true, changesWith: ['size', 'check'] },
  },
  blocks: {
    check: {
      nesting: 'list',
      max: 1,
      attributes: {
        path: { type: 'string', optional: true, default: '/' },
        groups: { type: ['set', 'string'], optional: true },
      },
    },
    target: {
      nesting: 'set',
      forceNew: true,
      attributes: {
        id: { type: 'string', required: true },
        weight: { type: 'number', optional: true, default: 1 },
      },
    },
  },
};
const object = (given: State): State => conform(schema, given);
const existing = object({ name: 'a', size: 1, mode: 'x', arn: 'arn:a', version: 3 });

describe('plan', () => {
  test('a new resource has its defaults, and unknown for what AWS fills in', () => {
    const { planned, requiresReplace } = plan(schema, null, object({ name: 'a', check: [{ groups: null }] }));

    expect(planned).toMatchObject({ name: 'a', size: 1, grace: null, check: [{ path: '/', groups: null }] });
    expect([planned['mode'], planned['arn'], planned['version']]).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    expect(requiresReplace).toEqual([]);
  });

  test('what AWS filled in stays when nothing changes', () => {
    expect(plan(schema, existing, object({ name: 'a' }))).toEqual({ planned: existing, requiresReplace: [] });
  });

  test('a change makes unknown what changes with it, and nothing else', () => {
    for (const change of [{ size: 2 }, { check: [{ path: '/health' }] }]) {
      const { planned } = plan(schema, existing, object({ name: 'a', ...change }));
      expect(planned).toMatchObject({ arn: 'arn:a', mode: 'x', version: UNKNOWN });
    }
    expect(plan(schema, existing, object({ name: 'a', grace: 5 })).planned['version']).toBe(3);
  });

  test('only a real change of what cannot change in place replaces', () => {
    const prior = object({
      ...existing,
      zones: ['a', 'b'],
      document: '[]',
      target: [
        { id: '1', weight: 1 },
        { id: '2', weight: 1 },
      ],
    });
    const same = {
      name: 'a',
      zones: ['b', 'a'],
      document: ' [] ',
      target: [
        { id: '2', weight: null },
        { id: '1', weight: null },
      ],
    };

    expect(plan(schema, prior, object(same)).requiresReplace).toEqual([]);
    expect(plan(schema, prior, object(same)).planned['document']).toBe('[]');
    const other = { ...same, name: UNKNOWN, zones: ['b'], document: '[1]', target: [{ id: '1', weight: 5 }] };
    const paths = plan(schema, prior, object(other)).requiresReplace.map(({ steps }) => steps);
    expect(paths).toEqual(
      ['name', 'zones', 'document', 'target'].map((attributeName) => [{ attributeName }]),
    );
  });
});

test('after apply the plan holds, and AWS fills in what it left open', () => {
  const planned = object({
    name: 'a',
    size: 1,
    arn: UNKNOWN,
    mode: UNKNOWN,
    check: [{ path: '/', groups: null }],
  });

  const state = settle(schema, planned, {
    name: 'A',
    size: 7,
    arn: 'arn:a',
    check: [{ path: '/other', groups: ['g'] }],
  });

  expect(state).toMatchObject({
    name: 'a',
    size: 1,
    arn: 'arn:a',
    mode: null,
    check: [{ path: '/', groups: null }],
  });
});

describe('observe', () => {
  test('what is not set and what AWS says of it are the same', () => {
    const live = { ...existing, zones: [], grace: 0, document: '' };
    expect(observe(schema, existing, live)).toEqual(existing);
    const prior = object({ ...existing, check: [{ path: '/', groups: null }] });
    expect(observe(schema, prior, { ...prior, check: [{ path: '/', groups: [] }] })).toEqual(prior);
  });

  test('what differs is told', () => {
    const live = { ...existing, zones: ['a'], grace: 9, target: [{ id: '1', weight: 1 }] };
    expect(observe(schema, existing, live)).toEqual(live);
    expect(observe(schema, live, existing)).toMatchObject({ zones: null, grace: null, target: [] });
  });
});
