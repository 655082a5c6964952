import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { RunTaskRequest, Task } from '@aws-sdk/client-ecs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { identify } from '../../../sandbox/process-identity.ts';
import { CLUSTER, goodApp, until, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const envApp = `console.log(JSON.stringify(process.env)); process.exit(Number(process.argv[2] ?? 0));`;

async function run(request: Partial<RunTaskRequest> & { taskDefinition: string }): Promise<Task> {
  const { tasks } = await world.ecs.send(new RunTaskCommand({ cluster: CLUSTER, ...request }));
  return tasks?.[0] ?? {};
}

async function ended(task: Task): Promise<Task> {
  const describe = new DescribeTasksCommand({ cluster: CLUSTER, tasks: [task.taskArn ?? ''] });
  return until(
    async () => (await world.ecs.send(describe)).tasks?.[0] ?? {},
    ({ lastStatus }) => lastStatus === 'STOPPED',
  );
}

test('a one-off task runs with its overrides, and its exit code and output are kept', async () => {
  const taskDefinition = await world.define('once', await world.push('once', envApp), {
    environment: [{ name: 'GREETING', value: 'hello' }],
  });

  const task = await run({
    taskDefinition,
    overrides: {
      containerOverrides: [
        { name: 'web', command: ['4'], environment: [{ name: 'GREETING', value: 'bye' }] },
      ],
    },
  });
  const stopped = await ended(task);

  expect(stopped).toMatchObject({
    group: 'family:once',
    stopCode: 'EssentialContainerExited',
    containers: [{ exitCode: 4 }],
  });
  const environment = JSON.parse(await world.log(task)) as Record<string, string>;
  expect(environment).toMatchObject({
    GREETING: 'bye',
    AWS_REGION: 'eu-west-1',
    PORT: expect.stringMatching(/^\d+$/),
  });
});

test('a task sees nothing of the sandbox’s own environment but the PATH', async () => {
  process.env['SANDBOX_TEST_SECRET'] = 'mine';
  const task = await run({ taskDefinition: await world.define('alone', await world.push('alone', envApp)) });
  await ended(task);
  delete process.env['SANDBOX_TEST_SECRET'];

  const environment = JSON.parse(await world.log(task)) as Record<string, string>;
  expect(Object.keys(environment).toSorted()).toEqual(
    expect.arrayContaining([
      'AWS_DEFAULT_REGION',
      'AWS_EXECUTION_ENV',
      'AWS_REGION',
      'PATH',
      'PORT',
      'PORT_80',
    ]),
  );
  expect(environment).not.toHaveProperty('SANDBOX_TEST_SECRET');
  expect(environment).not.toHaveProperty('HOME');
});

test('secrets come from Parameter Store; a missing one stops the task before it starts', async () => {
  const ssm = new SSMClient({
    endpoint: world.sandbox.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await ssm.send(new PutParameterCommand({ Name: '/app/key', Value: 's3cret', Type: 'SecureString' }));
  ssm.destroy();
  const image = await world.push('secrets', envApp);
  const given = await world.define('secrets', image, { secrets: [{ name: 'KEY', valueFrom: '/app/key' }] });
  const missing = await world.define('secrets', image, {
    secrets: [{ name: 'KEY', valueFrom: '/app/none' }],
  });

  const good = await run({ taskDefinition: given });
  const bad = await run({ taskDefinition: missing });

  await ended(good);
  expect(JSON.parse(await world.log(good))).toMatchObject({ KEY: 's3cret' });
  expect(await ended(bad)).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: expect.stringMatching(
      /^ResourceInitializationError: unable to pull secrets or registry auth: .*\/app\/none/,
    ),
  });
});

test('the same client token runs a task once; with other parameters it is a conflict', async () => {
  const taskDefinition = await world.define('token', await world.push('token', envApp));

  const first = await run({ taskDefinition, clientToken: 'migrate-1' });
  const again = await run({ taskDefinition, clientToken: 'migrate-1' });

  expect(again.taskArn).toBe(first.taskArn);
  await expect(run({ taskDefinition, clientToken: 'migrate-1', count: 2 })).rejects.toMatchObject({
    name: 'ConflictException',
    resourceIds: [first.taskArn],
  });
  await ended(first);
});

test('a container that another depends on ends before that one starts', async () => {
  const image = await world.push(
    'order',
    `console.log(Date.now()); setTimeout(() => {}, Number(process.argv[2]));`,
  );
  const { taskDefinition } = await world.ecs.send(
    new RegisterTaskDefinitionCommand({
      family: 'order',
      containerDefinitions: [
        {
          name: 'web',
          image,
          memory: 64,
          command: ['0'],
          dependsOn: [{ containerName: 'setup', condition: 'SUCCESS' }],
        },
        { name: 'setup', image, memory: 64, command: ['300'], essential: false },
      ],
    }),
  );

  const task = await run({ taskDefinition: taskDefinition?.taskDefinitionArn ?? '' });
  await ended(task);

  const setup = await world.log(task, 'setup');
  expect(Number(await world.log(task)) - Number(setup)).toBeGreaterThanOrEqual(300);
});

test('a container that ignores SIGTERM is killed after its stop timeout, with what it has started', async () => {
  const image = await world.push(
    'stubborn',
    `import { spawn } from 'node:child_process';
     process.on('SIGTERM', () => console.log('no'));
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
     console.log(JSON.stringify([process.pid, child.pid]));
     setInterval(() => {}, 1000);`,
  );
  const task = await run({ taskDefinition: await world.define('stubborn', image, { stopTimeout: 2 }) });
  const log = await until(
    () => world.log(task),
    (text) => text.endsWith('\n'),
  );

  await world.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: task.taskArn }));
  const stopped = await ended(task);

  expect(stopped).toMatchObject({
    stopCode: 'UserInitiated',
    stoppedReason: 'Task stopped by user',
    containers: [{ exitCode: 137 }],
  });
  expect(await world.log(task)).toContain('no');
  for (const pid of JSON.parse(log) as number[]) {
    await until(
      async () => identify(pid),
      (found) => found === undefined,
    );
  }
});

test('a container that fails its own health check makes its service replace it', async () => {
  const image = await world.push('checked', goodApp('checked'));
  const taskDefinition = await world.define('checked', image, {
    healthCheck: { command: ['CMD-SHELL', 'exit 1'], interval: 5, retries: 2 },
  });
  // Three at once: each is given its true time to start before it is judged.
  await world.create('checked', {
    taskDefinition,
    desiredCount: 3,
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
  });

  const rollout = await until(
    () => world.rollout('checked'),
    ({ status }) => status === 'STOPPED',
  );

  expect(rollout.deploymentCircuitBreaker?.status).toBe('TRIGGERED');
  const stopped = (await world.tasks('STOPPED')).filter(({ group }) => group === 'service:checked');
  expect(stopped[0]).toMatchObject({
    healthStatus: 'UNHEALTHY',
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Task failed container health checks',
  });
});
