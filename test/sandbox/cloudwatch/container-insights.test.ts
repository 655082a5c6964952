import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { CreateClusterCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { until, World } from '../ecs/world.ts';

/** What a cluster's containerInsights setting makes visible, from real processes to GetMetricData. */
let world: World;
let cloudwatch: CloudWatchClient;

beforeAll(async () => {
  world = await World.start({ speed: 400 });
  cloudwatch = new CloudWatchClient({
    endpoint: world.sandbox.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(async () => {
  cloudwatch.destroy();
  await world.close();
});

const busyApp = `
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 100);`;

async function cluster(clusterName: string, value: string): Promise<void> {
  const settings = [{ name: 'containerInsights' as const, value }];
  await world.ecs.send(new CreateClusterCommand({ clusterName, settings }));
}

/** The names that Container Insights has of a cluster, each with the numbers of dimensions that it comes with. */
async function published(ClusterName: string): Promise<Record<string, string[]>> {
  const { Metrics = [] } = await cloudwatch.send(
    new ListMetricsCommand({
      Namespace: 'ECS/ContainerInsights',
      Dimensions: [{ Name: 'ClusterName', Value: ClusterName }],
    }),
  );
  const found: Record<string, string[]> = {};
  for (const { MetricName = '', Dimensions = [] } of Metrics) {
    (found[MetricName] ??= []).push(Dimensions.map(({ Name }) => Name).join(' '));
  }
  return found;
}

test('GetMetricData finds what each task uses in an `enhanced` cluster; others tell less or nothing', async () => {
  await cluster('enhanced', 'enhanced');
  await cluster('enabled', 'enabled');
  await cluster('disabled', 'disabled');
  const image = await world.push('busy', busyApp);
  const taskDefinition = await world.define('busy', image, { cpu: 512, memory: 256 });
  for (const name of ['enhanced', 'enabled', 'disabled']) {
    await world.create('shop', { cluster: name, taskDefinition });
  }
  const alone = await world.ecs.send(new RunTaskCommand({ cluster: 'enhanced', taskDefinition }));
  const TaskId = alone.tasks?.[0]?.taskArn?.split('/').at(-1) ?? '';

  const query = (Id: string, MetricName: string, Dimensions: Record<string, string>) => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: 'ECS/ContainerInsights',
        MetricName,
        Dimensions: Object.entries(Dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
      Period: 60,
      Stat: 'Maximum',
    },
  });
  const task = { ClusterName: 'enhanced', TaskDefinitionFamily: 'busy', TaskId };
  const { MetricDataResults = [] } = await until(
    () =>
      cloudwatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(Date.now() - 120_000),
          EndTime: new Date(Date.now() + 60_000),
          MetricDataQueries: [
            query('cpu', 'TaskCpuUtilization', task),
            query('memory', 'TaskMemoryUtilization', task),
            query('container', 'ContainerMemoryUtilized', { ...task, ContainerName: 'web' }),
            query('plain', 'CpuUtilized', { ClusterName: 'enabled', ServiceName: 'shop' }),
          ],
        }),
      ),
    ({ MetricDataResults: results = [] }) => results.every(({ Values = [] }) => (Values[0] ?? 0) > 0),
  );
  const [cpu, memory, container] = MetricDataResults.map(({ Values }) => Values?.[0] ?? 0);
  expect(cpu).toBeLessThan(400);
  expect(memory).toBeLessThan(100);
  expect(container).toBeCloseTo(((memory ?? 0) / 100) * 256);

  expect(await published('disabled')).toEqual({});
  const enabled = await published('enabled');
  expect(Object.keys(enabled).toSorted()).toEqual([
    'CpuReserved',
    'CpuUtilized',
    'MemoryReserved',
    'MemoryUtilized',
  ]);
  expect(Object.values(enabled).flat().join(' ')).not.toContain('TaskId');
  expect((await published('enhanced'))['TaskCpuUtilization']).toEqual(
    expect.arrayContaining([
      'ClusterName ServiceName TaskId',
      'ClusterName TaskDefinitionFamily TaskId',
      'ClusterName ServiceName',
    ]),
  );
});

test('a setting that Container Insights does not have is refused', async () => {
  await expect(cluster('typo', 'on')).rejects.toMatchObject({
    name: 'InvalidParameterException',
    message: 'The value of containerInsights must be one of enhanced, enabled, disabled, not on.',
  });
});
