import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { CLUSTER, until, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ speed: 400 });
});
afterAll(() => world.close());

test('CloudWatch tells what a service’s task really uses', async () => {
  const image = await world.push(
    'busy',
    `process.on('SIGTERM', () => process.exit(0));
    setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 100);`,
  );
  await world.create('busy', {
    taskDefinition: await world.define('busy', image, { cpu: 1024, memory: 256 }),
  });
  const cloudwatch = new CloudWatchClient({
    endpoint: world.sandbox.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const Dimensions = [
    { Name: 'ClusterName', Value: CLUSTER },
    { Name: 'ServiceName', Value: 'busy' },
  ];
  const query = (Id: string, MetricName: string): MetricDataQuery => ({
    Id,
    MetricStat: { Metric: { Namespace: 'AWS/ECS', MetricName, Dimensions }, Period: 60, Stat: 'Maximum' },
  });

  const { MetricDataResults } = await until(
    () =>
      cloudwatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(Date.now() - 120_000),
          EndTime: new Date(Date.now() + 60_000),
          MetricDataQueries: [query('cpu', 'CPUUtilization'), query('memory', 'MemoryUtilization')],
        }),
      ),
    (answer) => (answer.MetricDataResults?.[0]?.Values?.length ?? 0) > 0,
  );
  cloudwatch.destroy();

  const [cpu, memory] = MetricDataResults ?? [];
  expect(cpu?.Values?.[0]).toBeGreaterThan(5);
  expect(cpu?.Values?.[0]).toBeLessThan(130);
  expect(memory?.Values?.[0]).toBeGreaterThan(5);
  expect(memory?.Values?.[0]).toBeLessThan(100);
});
