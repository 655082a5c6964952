import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  DeleteServiceCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  ListServicesCommand,
  StopServiceDeploymentCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { CLUSTER, goodApp, until, World } from './world.ts';

let world: World;
let definition: string;
beforeAll(async () => {
  world = await World.start({ speed: 400 });
  definition = await world.define('plain', await world.push('plain', goodApp('plain')));
});
afterAll(() => world.close());

const deploymentsOf = async (service: string): Promise<number> =>
  (await world.ecs.send(new ListServiceDeploymentsCommand({ cluster: CLUSTER, service }))).serviceDeployments
    ?.length ?? 0;

test('an update that changes nothing makes no deployment; forceNewDeployment makes one', async () => {
  await world.create('forced', { taskDefinition: definition });
  const before = await world.steady('forced');

  await world.update('forced', { taskDefinition: definition, desiredCount: 1 });
  expect(await deploymentsOf('forced')).toBe(1);
  expect((await world.service('forced')).deployments?.[0]?.id).toBe(before.deployments?.[0]?.id);

  await world.update('forced', { forceNewDeployment: true });
  const after = await until(
    () => world.steady('forced'),
    ({ deployments }) => deployments?.[0]?.id !== before.deployments?.[0]?.id,
  );
  expect(after.taskDefinition).toBe(definition);
  expect(await deploymentsOf('forced')).toBe(2);
});

test('a new desired count scales without a deployment', async () => {
  await world.create('scaled', { taskDefinition: definition });
  await world.steady('scaled');

  await world.update('scaled', { desiredCount: 3 });
  await until(
    () => world.service('scaled'),
    ({ runningCount }) => runningCount === 3,
  );
  await world.update('scaled', { desiredCount: 0 });
  await until(
    () => world.service('scaled'),
    ({ runningCount }) => runningCount === 0,
  );

  expect(await deploymentsOf('scaled')).toBe(1);
});

test('a task that is stopped by hand is replaced, and its record says by whom', async () => {
  await world.create('replaced', { taskDefinition: definition });
  await world.steady('replaced');
  const [task] = (await world.tasks('RUNNING')).filter(({ group }) => group === 'service:replaced');

  await until(
    () => world.log(task ?? {}),
    (log) => log.includes('listens'),
  );

  await world.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: task?.taskArn, reason: 'drill' }));

  const stopped = await until(
    () => world.tasks('STOPPED'),
    (tasks) => tasks.some(({ taskArn, lastStatus }) => taskArn === task?.taskArn && lastStatus === 'STOPPED'),
  );
  expect(stopped.find(({ taskArn }) => taskArn === task?.taskArn)).toMatchObject({
    stopCode: 'UserInitiated',
    stoppedReason: 'drill',
    containers: [{ exitCode: 0 }],
  });
  const service = await world.steady('replaced');
  expect(service.runningCount).toBe(1);
  expect(service.deployments?.[0]?.failedTasks).toBe(0);
});

test('a version that dies after it was healthy is restarted again and again, and the breaker does not see it', async () => {
  const trouble = join(world.stateDir, 'trouble');
  const image = await world.push(
    'fragile',
    `import { existsSync } from 'node:fs';
     setInterval(() => existsSync(${JSON.stringify(trouble)}) && process.exit(1), 20);`,
  );
  await world.create('fragile', {
    taskDefinition: await world.define('fragile', image),
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  });
  await world.steady('fragile');
  await writeFile(trouble, '');

  const died = await until(
    () => world.tasks('STOPPED'),
    (tasks) => tasks.filter(({ group }) => group === 'service:fragile').length >= 4,
  );

  expect(died.find(({ group }) => group === 'service:fragile')).toMatchObject({
    stopCode: 'EssentialContainerExited',
    containers: [{ exitCode: 1 }],
  });
  expect((await world.service('fragile')).deployments).toMatchObject([
    { rolloutState: 'COMPLETED', failedTasks: 0 },
  ]);
  expect(await world.rollout('fragile')).toMatchObject({ status: 'SUCCESSFUL' });
  await world.update('fragile', { desiredCount: 0 });
});

test('a service with tasks is deleted by force alone, and drains', async () => {
  await world.create('deleted', { taskDefinition: definition });
  await world.steady('deleted');
  const remove = (force: boolean): Promise<unknown> =>
    world.ecs.send(new DeleteServiceCommand({ cluster: CLUSTER, service: 'deleted', force }));

  await expect(remove(false)).rejects.toMatchObject({
    name: 'InvalidParameterException',
    message: 'The service cannot be stopped while it is scaled above 0.',
  });
  await remove(true);
  await until(
    () => world.service('deleted'),
    ({ status }) => status === 'INACTIVE',
  );

  const { serviceArns } = await world.ecs.send(
    new ListServicesCommand({ cluster: CLUSTER, maxResults: 100 }),
  );
  expect(serviceArns).not.toContainEqual(expect.stringMatching(/\/deleted$/));
  await expect(world.update('deleted', { desiredCount: 1 })).rejects.toMatchObject({
    name: 'ServiceNotActiveException',
  });
  await expect(
    world.create('deleted', { taskDefinition: definition, desiredCount: 0 }),
  ).resolves.toMatchObject({
    status: 'ACTIVE',
  });
});

test('creating a service again needs the same client token', async () => {
  const request = { taskDefinition: definition, desiredCount: 0, clientToken: 'once' };
  const first = await world.create('token', request);
  const again = await world.create('token', request);

  expect(again.serviceArn).toBe(first.serviceArn);
  expect(await deploymentsOf('token')).toBe(1);
  await expect(world.create('token', { ...request, clientToken: 'twice' })).rejects.toMatchObject({
    name: 'InvalidParameterException',
    message: 'Creation of service was not idempotent.',
  });
});

test('what is missing is said in failures; more than ten services are refused', async () => {
  const describe = (services: string[], cluster = CLUSTER): Promise<unknown> =>
    world.ecs.send(new DescribeServicesCommand({ cluster, services }));

  await expect(describe(['nobody'])).resolves.toMatchObject({
    services: [],
    failures: [{ arn: `arn:aws:ecs:eu-west-1:000000000000:service/${CLUSTER}/nobody`, reason: 'MISSING' }],
  });
  await expect(describe(Array.from({ length: 11 }, (_, i) => `s${i}`))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
  await expect(describe(['any'], 'elsewhere')).rejects.toMatchObject({ name: 'ClusterNotFoundException' });
});

test.each([
  ['an unknown service', () => world.update('nobody', {}), 'ServiceNotFoundException'],
  ['an unknown task definition', () => world.create('x', { taskDefinition: 'nothing:1' }), 'ClientException'],
  [
    'a negative count',
    () => world.create('x', { taskDefinition: definition, desiredCount: -1 }),
    'InvalidParameterException',
  ],
  [
    'percents that leave no room',
    () =>
      world.create('x', {
        taskDefinition: definition,
        deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 100 },
      }),
    'InvalidParameterException',
  ],
  [
    'a target group without a load balancer',
    () =>
      world.create('x', {
        taskDefinition: definition,
        loadBalancers: [{ targetGroupArn: 'arn:none', containerName: 'web', containerPort: 80 }],
      }),
    'InvalidParameterException',
  ],
  [
    'a port that the container lacks',
    () =>
      world.create('x', {
        taskDefinition: definition,
        loadBalancers: [{ targetGroupArn: 'arn:none', containerName: 'web', containerPort: 81 }],
      }),
    'InvalidParameterException',
  ],
  [
    'Fargate for a task definition that is not made for it',
    () => world.create('x', { taskDefinition: definition, launchType: 'FARGATE' }),
    'InvalidParameterException',
  ],
  [
    'a canary of a service without a load balancer',
    () =>
      world.create('x', {
        taskDefinition: definition,
        deploymentConfiguration: { strategy: 'CANARY', bakeTimeInMinutes: 0 },
      }),
    'InvalidParameterException',
  ],
  ['a container without an image', () => world.define('x', ''), 'ClientException'],
  [
    'a service deployment that never was',
    () => world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn: 'arn:none' })),
    'ServiceDeploymentNotFoundException',
  ],
])('%s is refused', async (_, request, name) => {
  await expect(request()).rejects.toMatchObject({ name });
});
