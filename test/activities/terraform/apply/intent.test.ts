import { describe, expect, test } from '@jest/globals';
import { intentOf, suspectsOf } from '../../../../src/activities/terraform/apply/intent.ts';

const change = (address: string, ...actions: string[]) => ({ address, change: { actions } });
const PLAN = {
  format_version: '1.2',
  resource_changes: [
    change('aws_x.made', 'create'),
    change('aws_x.replaced', 'create', 'delete'),
    change('aws_x.changed', 'update'),
    change('aws_x.gone', 'delete'),
    change('aws_x.kept', 'no-op'),
    change('aws_x.each["s3cret-key"]', 'create'),
  ],
};
const intent = intentOf(PLAN, new Set(['s3cret-key']));
const MASKED = 'aws_x.each["***"]';

test('an apply is to make what is created, in the place of another or not, and no secret is in an address', () => {
  expect(intent).toEqual({
    created: ['aws_x.made', 'aws_x.replaced', MASKED],
    replaced: ['aws_x.replaced'],
  });
});

describe('suspect is', () => {
  test('all that was to be made, when the state can not be read', () => {
    expect(suspectsOf(intent, undefined)).toEqual(intent.created);
  });

  test('what the state does not know, and what it may know by the object that was to be replaced', () => {
    const known = new Set(['aws_x.made', 'aws_x.replaced', 'aws_x.each["s3cret-key"]']);
    expect(suspectsOf(intent, known)).toEqual(['aws_x.replaced', MASKED]);
    expect(suspectsOf(intent, new Set())).toEqual(intent.created);
  });

  test('nothing whose making was not begun; of a masked address that can not be told', () => {
    expect(suspectsOf(intent, new Set(), new Set(['aws_x.made']))).toEqual(['aws_x.made', MASKED]);
  });
});
