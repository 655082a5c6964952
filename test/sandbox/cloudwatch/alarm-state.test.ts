import { expect, test } from '@jest/globals';
import { evaluate } from '../../../sandbox/cloudwatch/alarm-state.ts';
import type { Threshold } from '../../../sandbox/cloudwatch/alarm-state.ts';

const threshold = (more: Partial<Threshold> = {}): Threshold => ({
  operator: 'GreaterThanThreshold',
  threshold: 5,
  evaluationPeriods: 3,
  datapointsToAlarm: 2,
  missing: 'missing',
  ...more,
});

test.each([
  ['two of three above', {}, [6, 1, 7], 'ALARM'],
  ['one of three above', {}, [6, 1, 1], 'OK'],
  ['at the threshold', {}, [5, 5, 5], 'OK'],
  ['at the threshold, or above', { operator: 'GreaterThanOrEqualToThreshold' }, [5, 5, 1], 'ALARM'],
  ['below', { operator: 'LessThanThreshold' }, [4, 4, 9], 'ALARM'],
  ['one above, two missing', {}, [6, undefined, undefined], 'OK'],
  ['one above, missing ones breaching', { missing: 'breaching' }, [6, undefined, 1], 'ALARM'],
  ['nothing', {}, [undefined, undefined, undefined], 'INSUFFICIENT_DATA'],
  ['nothing, breaching', { missing: 'breaching' }, [undefined, undefined, undefined], 'ALARM'],
  ['nothing, not breaching', { missing: 'notBreaching' }, [undefined, undefined, undefined], 'OK'],
  ['nothing, to be ignored', { missing: 'ignore' }, [undefined, undefined, undefined], undefined],
] as [string, Partial<Threshold>, (number | undefined)[], string | undefined][])(
  '%s: %s',
  (_, more, values, state) => {
    expect(evaluate(threshold(more), values)?.state).toBe(state);
  },
);
