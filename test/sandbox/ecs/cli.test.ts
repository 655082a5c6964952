import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { CLUSTER, dyingApp, goodApp, sickApp, until, World } from './world.ts';

/** The AWS CLI, unchanged, driving the sandbox. Each call starts a Python: the tests are few and whole. */
let world: World;
let home: string;
beforeAll(async () => {
  world = await World.start();
  home = await mkdtemp(join(tmpdir(), 'aws-home-'));
});
afterAll(() => world.close());

async function aws(...args: string[]): Promise<unknown> {
  const { stdout } = await execa('aws', [...args, '--output', 'json'], {
    extendEnv: false,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      AWS_ENDPOINT_URL: world.sandbox.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_PAGER: '',
    },
  });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

const ecs = (command: string, ...args: string[]): Promise<unknown> => aws('ecs', command, ...args);

async function register(image: string): Promise<string> {
  const containers = [{ name: 'web', image, memory: 128, portMappings: [{ containerPort: 80 }] }];
  return (await ecs(
    'register-task-definition',
    ...['--family', 'web', '--container-definitions', JSON.stringify(containers)],
    ...['--tags', 'key=version,value=1', '--query', 'taskDefinition.taskDefinitionArn'],
  )) as string;
}

test('register, create, wait, update, describe, stop: a rollout and its rollback by the AWS CLI', async () => {
  const { targetGroupArn } = await world.balance('web');
  const good = await register(await world.push('web', goodApp('one')));
  const sick = await world.define('web', await world.push('web', sickApp));
  expect(good).toBe('arn:aws:ecs:eu-west-1:000000000000:task-definition/web:1');

  await ecs(
    'create-service',
    ...['--cluster', CLUSTER, '--service-name', 'web', '--task-definition', 'web:1', '--desired-count', '1'],
    ...['--load-balancers', `targetGroupArn=${targetGroupArn},containerName=web,containerPort=80`],
    ...['--deployment-configuration', 'deploymentCircuitBreaker={enable=true,rollback=true}'],
  );
  // The CLI's waiter looks every 15 s: it is asked when there is nothing left to wait for.
  await world.steady('web');
  await ecs('wait', 'services-stable', '--cluster', CLUSTER, '--services', 'web');
  await expect(
    ecs(
      'describe-services',
      '--cluster',
      CLUSTER,
      '--services',
      'web',
      '--query',
      'services[0].[runningCount,status]',
    ),
  ).resolves.toEqual([1, 'ACTIVE']);

  // Nothing but the CLI's own call ends this one, however long that takes to come.
  await ecs(
    ...['update-service', '--cluster', CLUSTER, '--service', 'web', '--task-definition', sick],
    ...['--deployment-configuration', 'deploymentCircuitBreaker={enable=false,rollback=false}'],
  );
  const [deployment] = (await ecs(
    'list-service-deployments',
    ...['--cluster', CLUSTER, '--service', 'web', '--status', 'IN_PROGRESS'],
    ...['--query', 'serviceDeployments[].serviceDeploymentArn'],
  )) as string[];
  await ecs(
    'stop-service-deployment',
    '--service-deployment-arn',
    deployment ?? '',
    '--stop-type',
    'ROLLBACK',
  );
  await world.steady('web');

  await expect(
    ecs(
      'describe-service-deployments',
      ...['--service-deployment-arns', deployment ?? '', '--query', 'serviceDeployments[0].status'],
    ),
  ).resolves.toBe('ROLLBACK_SUCCESSFUL');
}, 120_000);

test('a task that dies is described with its reason, and errors have their codes', async () => {
  const dying = await world.define('web', await world.push('web', dyingApp));
  const [task] = (await ecs(
    'run-task',
    ...['--cluster', CLUSTER, '--task-definition', dying, '--query', 'tasks[].taskArn'],
  )) as string[];
  await until(
    () => world.tasks('STOPPED'),
    (tasks) => tasks.some(({ taskArn, lastStatus }) => taskArn === task && lastStatus === 'STOPPED'),
  );
  await ecs('wait', 'tasks-stopped', '--cluster', CLUSTER, '--tasks', task ?? '');
  await expect(
    ecs(
      'describe-tasks',
      '--cluster',
      CLUSTER,
      '--tasks',
      task ?? '',
      '--query',
      'tasks[0].containers[0].exitCode',
    ),
  ).resolves.toBe(3);

  await expect(ecs('list-services', '--cluster', 'nowhere')).rejects.toThrow(
    'An error occurred (ClusterNotFoundException) when calling the ListServices operation: Cluster not found.',
  );
}, 60_000);
