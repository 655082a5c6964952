import { spawn } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { createClock } from '../../../sandbox/clock.ts';
import type { Measurement } from '../../../sandbox/cloudwatch/recorder.ts';
import { startSampler } from '../../../sandbox/tasks/sampler.ts';
import { until } from '../ecs/world.ts';

test('a busy task’s CPU and memory are recorded per service and per task, in percent of what it reserves', async () => {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { detached: true, stdio: 'ignore' });
  const metrics: Measurement[] = [];
  const task = {
    spec: {
      taskArn: 'arn:task',
      taskId: 'abc',
      clusterName: 'c',
      family: 'web',
      taskDefinitionArn: 'arn:aws:ecs:eu-west-1:000000000000:task-definition/web:1',
      serviceName: 's',
      containers: [],
      reserved: { cpu: 1024, memory: 128 },
    },
    containers: [{ name: 'web', group: child.pid, health: 'UNKNOWN' as const }],
  };
  const sampler = startSampler({
    tasks: () => [task],
    metrics: { record: (metric) => void metrics.push(metric) },
    clock: createClock(),
    insights: (clusterName) => (clusterName === 'c' ? 'enhanced' : 'disabled'),
  });
  await until(
    async () => metrics.length,
    (count) => count > 0,
  );
  sampler.stop();
  child.kill('SIGKILL');

  const find = (name: string, dimensions: Record<string, string>): Measurement | undefined =>
    metrics.find(
      (each) => each.name === name && JSON.stringify(each.dimensions) === JSON.stringify(dimensions),
    );
  const cpu = find('CPUUtilization', { ClusterName: 'c', ServiceName: 's' });
  const memory = find('MemoryUtilization', { ClusterName: 'c', ServiceName: 's' });
  expect(cpu).toMatchObject({ namespace: 'AWS/ECS', unit: 'Percent' });
  expect(cpu?.value).toBeGreaterThan(5);
  expect(cpu?.value).toBeLessThan(130);
  expect(memory?.value).toBeGreaterThan(5);
  expect(memory?.value).toBeLessThan(200);
  expect(find('TaskCpuUtilization', { ClusterName: 'c', ServiceName: 's', TaskId: 'abc' })?.value).toBe(
    cpu?.value,
  );
  expect(find('CpuReserved', { ClusterName: 'c', TaskDefinitionFamily: 'web' })?.value).toBe(1024);
});
