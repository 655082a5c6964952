import { spawn } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { parsePs, usageByGroup } from '../../../sandbox/tasks/usage.ts';
import { until } from '../ecs/world.ts';

test('a busy process uses CPU and memory, counted to its group', async () => {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { detached: true, stdio: 'ignore' });
  const usage = await until(
    async () => (await usageByGroup()).get(child.pid ?? 0),
    (found) => (found?.cpuSeconds ?? 0) > 0.3,
  );
  child.kill('SIGKILL');
  expect(usage?.residentBytes).toBeGreaterThan(10 * 1024 * 1024);
});

test('what ps prints is read: days, hours, and the processes of a group added up', () => {
  const usage = parsePs('  100   0:01.50  2048\n  100  00:02:00  1024\n  200 2-01:00:00   512\n\n');
  expect(usage.get(100)).toEqual({ cpuSeconds: 121.5, residentBytes: 3 * 1024 * 1024 });
  expect(usage.get(200)?.cpuSeconds).toBe(2 * 86_400 + 3600);
});
