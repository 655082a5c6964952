import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  CreateClusterCommand,
  DeleteClusterCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTagsForResourceCommand,
  ListTaskDefinitionFamiliesCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  paginateListTaskDefinitions,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecs';
import { CLUSTER, goodApp, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

test('a task definition keeps its tags, has a new revision each time, and is found by family', async () => {
  const register = new RegisterTaskDefinitionCommand({
    family: 'editor',
    containerDefinitions: [{ name: 'web', image: 'web:1', memory: 64 }],
    tags: [{ key: 'content', value: 'abc' }],
  });
  await world.ecs.send(register);
  const { taskDefinition, tags } = await world.ecs.send(register);
  expect(taskDefinition).toMatchObject({ revision: 2, status: 'ACTIVE', registeredAt: expect.any(Date) });
  expect(tags).toEqual([{ key: 'content', value: 'abc' }]);

  const found = await world.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: 'editor', include: ['TAGS'] }),
  );
  expect(found.taskDefinition?.taskDefinitionArn).toMatch(/task-definition\/editor:2$/);
  expect(found.tags).toEqual([{ key: 'content', value: 'abc' }]);

  await world.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: 'editor:2' }));
  const latest = await world.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'editor' }));
  expect(latest.taskDefinition?.revision).toBe(1);
  await expect(world.create('x', { taskDefinition: 'editor:2' })).rejects.toMatchObject({
    name: 'ClientException',
    message: 'TaskDefinition is inactive',
  });
  const next = await world.ecs.send(register);
  expect(next.taskDefinition?.revision).toBe(3);
});

test('task definitions are listed in order, by page, by family and by status', async () => {
  for (let i = 0; i < 3; i++) await world.define('listed', 'web:1');
  await world.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: 'listed:2' }));
  const pages: string[][] = [];
  const input = { familyPrefix: 'listed', sort: 'DESC' as const };
  for await (const page of paginateListTaskDefinitions({ client: world.ecs, pageSize: 1 }, input)) {
    pages.push((page.taskDefinitionArns ?? []).map((each) => each.split('/').at(-1) ?? ''));
  }
  expect(pages).toEqual([['listed:3'], ['listed:1']]);
  const inactive = new ListTaskDefinitionsCommand({ familyPrefix: 'listed', status: 'INACTIVE' });
  expect((await world.ecs.send(inactive)).taskDefinitionArns).toHaveLength(1);
  const { families } = await world.ecs.send(new ListTaskDefinitionFamiliesCommand({ familyPrefix: 'list' }));
  expect(families).toEqual(['listed']);
  await expect(
    world.ecs.send(new ListTaskDefinitionsCommand({ nextToken: 'made up' })),
  ).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('tags are added, replaced, removed and shown; reserved ones are refused', async () => {
  const { serviceArn: resourceArn = '' } = await world.create('tagged', {
    taskDefinition: await world.define('tagged', 'web:1'),
    desiredCount: 0,
    tags: [{ key: 'team', value: 'one' }],
  });
  await world.ecs.send(
    new TagResourceCommand({
      resourceArn,
      tags: [
        { key: 'team', value: 'two' },
        { key: 'tier', value: 'a' },
      ],
    }),
  );
  await world.ecs.send(new UntagResourceCommand({ resourceArn, tagKeys: ['tier'] }));

  const { tags } = await world.ecs.send(new ListTagsForResourceCommand({ resourceArn }));
  expect(tags).toEqual([{ key: 'team', value: 'two' }]);
  const { services } = await world.ecs.send(
    new DescribeServicesCommand({ cluster: CLUSTER, services: ['tagged'], include: ['TAGS'] }),
  );
  expect(services?.[0]?.tags).toEqual([{ key: 'team', value: 'two' }]);
  await expect(
    world.ecs.send(new TagResourceCommand({ resourceArn, tags: [{ key: 'aws:mine', value: '' }] })),
  ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(
    world.ecs.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}x` })),
  ).rejects.toMatchObject({ name: 'ServiceNotFoundException' });
});

test('tasks are listed by family, by who started them and by service', async () => {
  const image = await world.push('listed', goodApp('listed'));
  await world.ecs.send(
    new RunTaskCommand({
      cluster: CLUSTER,
      taskDefinition: await world.define('alpha', image),
      startedBy: 'me',
      count: 2,
    }),
  );
  await world.create('beta', { taskDefinition: await world.define('beta', image) });
  await world.steady('beta');

  const list = async (filter: object): Promise<number> =>
    (await world.ecs.send(new ListTasksCommand({ cluster: CLUSTER, ...filter }))).taskArns?.length ?? 0;
  expect(await list({ family: 'alpha' })).toBe(2);
  expect(await list({ startedBy: 'me' })).toBe(2);
  expect(await list({ serviceName: 'beta' })).toBe(1);
  expect(await list({ family: 'alpha', serviceName: 'beta' })).toBe(0);
  expect(await list({ desiredStatus: 'STOPPED' })).toBe(0);
}, 30_000);

test('a cluster with services or tasks can’t be deleted; an empty one is inactive afterwards', async () => {
  const remove = (cluster: string): Promise<unknown> => world.ecs.send(new DeleteClusterCommand({ cluster }));
  await expect(remove(CLUSTER)).rejects.toMatchObject({ name: 'ClusterContainsServicesException' });
  await world.ecs.send(new CreateClusterCommand({ clusterName: 'empty' }));
  await remove('empty');
  const { clusters, failures } = await world.ecs.send(
    new DescribeClustersCommand({ clusters: ['empty', 'none'] }),
  );
  expect(clusters).toMatchObject([{ clusterName: 'empty', status: 'INACTIVE' }]);
  expect(failures).toMatchObject([{ reason: 'MISSING' }]);
});

test.each([
  [
    '101 tasks',
    () => new DescribeTasksCommand({ cluster: CLUSTER, tasks: Array.from({ length: 101 }, String) }),
  ],
  [
    '21 service deployments',
    () =>
      new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: Array.from({ length: 21 }, String) }),
  ],
  ['11 tasks to run', () => new RunTaskCommand({ cluster: CLUSTER, taskDefinition: 'alpha', count: 11 })],
] as const)('%s are too many', async (_, command) => {
  await expect(world.ecs.send(command() as DescribeTasksCommand)).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test.each([
  [
    'an empty family',
    { family: '', containerDefinitions: [{ name: 'web', image: 'x' }] },
    'Family can not be blank.',
  ],
  [
    'a bad family',
    { family: 'a b', containerDefinitions: [{ name: 'web', image: 'x' }] },
    'Family contains invalid characters.',
  ],
  ['no container', { family: 'a', containerDefinitions: [] }, 'Container list cannot be empty.'],
  [
    'a container twice',
    {
      family: 'a',
      containerDefinitions: [
        { name: 'web', image: 'x' },
        { name: 'web', image: 'x' },
      ],
    },
    'Container names must be unique',
  ],
  [
    'a Fargate size that does not exist',
    {
      family: 'a',
      requiresCompatibilities: ['FARGATE' as const],
      networkMode: 'awsvpc' as const,
      cpu: '256',
      memory: '4096',
      containerDefinitions: [{ name: 'web', image: 'x' }],
    },
    'No Fargate configuration exists for given values.',
  ],
])('a task definition with %s is refused', async (_, input, message) => {
  await expect(world.ecs.send(new RegisterTaskDefinitionCommand(input))).rejects.toMatchObject({
    name: 'ClientException',
    message: expect.stringContaining(message),
  });
});
