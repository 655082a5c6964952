import { expect, test } from '@jest/globals';
import { tell } from '../../bench/verdict/tell.ts';
import { verdict } from '../../bench/verdict/verdict.ts';

test("the bench finds Slipway's verdicts true where the SDK's waiter takes failures for success", async () => {
  const result = await verdict({ quick: true, signal: new AbortController().signal, say: () => {} });

  const told = result.measured.flatMap(({ scenario, rows }) =>
    rows.map(({ watcher, says, truthful }) => [scenario.name, watcher, says, truthful]),
  );
  const waiter = '`waitUntilServicesStable`';
  expect(told).toEqual([
    ['success', 'Slipway: the rollout', 'success', true],
    ['success', 'Slipway: its deployment window', 'success', true],
    ['success', waiter, 'success', true],
    ['breaker rollback', 'Slipway: the rollout', 'failure', true],
    ['breaker rollback', waiter, 'success', false],
    ['crash after start', 'Slipway: the rollout', 'success', false],
    ['crash after start', 'Slipway: its deployment window', 'failure', true],
    ['crash after start', waiter, 'success', false],
  ]);
  for (const { rows } of result.measured)
    for (const { watcher, calls, callsByOperation } of rows) {
      expect([watcher, calls]).toEqual([watcher, expect.any(Number)]);
      expect(callsByOperation['DescribeServices']).toBeGreaterThan(0);
    }
  expect(tell(result)).toContain('| `waitUntilServicesStable`, of 2 | success | **no** |');
});
