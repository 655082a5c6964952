import { expect, test } from '@jest/globals';
import { afterCheck, matches, REGISTERED } from '../../../sandbox/elb/health-check.ts';
import type { CheckedHealth, CheckResult } from '../../../sandbox/elb/health-check.ts';

const settings = { healthyThreshold: 3, unhealthyThreshold: 2 };
const pass: CheckResult = { passed: true };
const fail: CheckResult = { passed: false, reason: 'Target.Timeout', description: 'Request timed out' };

function after(...results: CheckResult[]): CheckedHealth {
  return results.reduce((health, result) => afterCheck(health, result, settings), REGISTERED);
}

test('a new target is healthy at its first success', () => {
  expect(after(pass).health).toEqual({ state: 'healthy' });
  expect(after(fail).health).toMatchObject({ state: 'initial', reason: 'Elb.InitialHealthChecking' });
  expect(after(fail, pass).health).toEqual({ state: 'healthy' });
});

test('failures in a row make it unhealthy, for the last one’s reason; one success between does not', () => {
  expect(after(pass, fail).health).toEqual({ state: 'healthy' });
  expect(after(pass, fail, pass, fail).health).toEqual({ state: 'healthy' });
  expect(after(pass, fail, fail).health).toEqual({
    state: 'unhealthy',
    reason: 'Target.Timeout',
    description: 'Request timed out',
  });
});

test('an unhealthy target needs its whole threshold of successes in a row', () => {
  expect(after(fail, fail, pass, pass).health.state).toBe('unhealthy');
  expect(after(fail, fail, pass, pass, fail, pass).health.state).toBe('unhealthy');
  expect(after(fail, fail, pass, pass, pass).health).toEqual({ state: 'healthy' });
});

test.each([
  ['200', 200, true],
  ['200', 201, false],
  ['200,202', 202, true],
  ['200-299,404', 250, true],
  ['200-299,404', 404, true],
  ['200-299', 300, false],
])('matcher %s with status %i: %s', (matcher, status, expected) => {
  expect(matches(matcher, status)).toBe(expected);
});
