import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { startSandbox } from '../../../sandbox/server.ts';
import { CLUSTER, goodApp, messages, until, World } from '../ecs/world.ts';
import { FaultControl } from './control.ts';

/** Faults of tasks and targets, as a rollout and its load balancer show them. */
let world: World;
let faults: FaultControl;
let image: string;

beforeAll(async () => {
  world = await World.start();
  faults = new FaultControl(world.sandbox.url);
  image = await world.push('web', goodApp('web'));
});
afterEach(() => faults.clear());
afterAll(() => world.close());

async function stoppedOf(family: string): Promise<Task | undefined> {
  const stopped = await until(
    async () =>
      (await world.tasks('STOPPED')).filter(({ taskDefinitionArn = '' }) =>
        taskDefinitionArn.includes(`/${family}:`),
      ),
    (tasks) => tasks.some(({ lastStatus }) => lastStatus === 'STOPPED'),
  );
  return stopped.find(({ lastStatus }) => lastStatus === 'STOPPED');
}

describe('a task that never starts', () => {
  test('stops with the reason that was asked for, and the circuit breaker sees it', async () => {
    const good = await world.define('pulled', image);
    const breaker = { deploymentCircuitBreaker: { enable: true, rollback: true } };
    await world.create('pulled', { taskDefinition: good, deploymentConfiguration: breaker });
    await world.steady('pulled');
    const bad = await world.define('pulled', image);
    await faults.add({
      fault: 'taskNeverStarts',
      tasks: { service: 'pulled', taskDefinition: bad },
      reason: 'CannotPullContainerError',
    });

    await world.update('pulled', { taskDefinition: bad });
    const rollout = await until(
      () => world.rollout('pulled'),
      ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
    );

    expect(rollout.deploymentCircuitBreaker).toMatchObject({ status: 'TRIGGERED', failureCount: 3 });
    expect(await stoppedOf('pulled')).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringMatching(/^CannotPullContainerError: pull image manifest/),
    });
    expect(await faults.counts()).toEqual([{ matched: 3, struck: 3 }]);
  });

  test('stays PENDING without a reason, and starts when the rule is deleted', async () => {
    await faults.add({ fault: 'taskNeverStarts', tasks: { family: 'late' } });
    await world.create('late', { taskDefinition: await world.define('late', image) });
    await until(
      () => faults.counts(),
      ([rule]) => rule?.struck === 1,
    );
    const pending = (await world.tasks('RUNNING')).filter(({ group }) => group === 'service:late');
    expect(pending).toMatchObject([{ lastStatus: 'PENDING', desiredStatus: 'RUNNING' }]);

    await faults.clear();
    expect(messages(await world.steady('late')).at(-1)).toContain('has reached a steady state');
  });

  test('can be stopped while it is PENDING', async () => {
    await faults.add({ fault: 'taskNeverStarts', tasks: { cluster: CLUSTER, family: 'ended' } });
    const taskDefinition = await world.define('ended', image);
    const { tasks } = await world.ecs.send(new RunTaskCommand({ cluster: CLUSTER, taskDefinition }));
    await until(
      () => faults.counts(),
      ([rule]) => rule?.struck === 1,
    );
    await world.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: tasks?.[0]?.taskArn }));
    expect(await stoppedOf('ended')).toMatchObject({ stopCode: 'UserInitiated' });
  });
});

test('a sandbox that ends with a PENDING task begins anew without the fault', async () => {
  const first = await World.start();
  await new FaultControl(first.sandbox.url).add({ fault: 'taskNeverStarts' });
  await first.create('web', {
    taskDefinition: await first.define('web', await first.push('web', goodApp('web'))),
  });
  await until(
    () => first.tasks('RUNNING'),
    ([task]) => task?.lastStatus === 'PENDING',
  );
  await first.close({ keep: true });

  const second = await World.of(await startSandbox({ stateDir: first.stateDir, speed: 50 }), first.stateDir);
  expect((await second.steady('web')).runningCount).toBe(1);
  expect(await second.tasks('STOPPED')).toMatchObject([{ stopCode: 'TerminationNotice' }]);
  await second.close();
});

test('containers that ignore SIGTERM are killed at their stop timeout', async () => {
  await faults.add({ fault: 'ignoresSigterm', tasks: { family: 'deaf' }, times: 1 });
  const taskDefinition = await world.define('deaf', image, { stopTimeout: 2 });
  const { tasks } = await world.ecs.send(new RunTaskCommand({ cluster: CLUSTER, taskDefinition }));
  const task = tasks?.[0]?.taskArn;
  await until(
    async () => (await world.tasks('RUNNING')).find(({ taskArn }) => taskArn === task),
    (found) => found?.lastStatus === 'RUNNING',
  );
  const asked = Date.now();
  await world.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task }));
  const stopped = await stoppedOf('deaf');
  expect(stopped).toMatchObject({ stopCode: 'UserInitiated', containers: [{ exitCode: 137 }] });
  expect((stopped?.stoppedAt?.getTime() ?? 0) - asked).toBeGreaterThan(1900);
});

test('a target that drains slowly keeps its task for as long', async () => {
  const { targetGroupArn } = await world.balance('drained');
  await world.create('drained', {
    taskDefinition: await world.define('drained', image),
    loadBalancers: [{ targetGroupArn, containerName: 'web', containerPort: 80 }],
  });
  await world.steady('drained');
  // At speed 50: the group's own 5 s are 0.1 s.
  await faults.add({ fault: 'slowDrain', targetGroup: 'drained', seconds: 45, times: 1 });
  const asked = Date.now();
  await world.update('drained', { desiredCount: 0 });

  await until(
    () => world.elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn })),
    (health) => health.TargetHealthDescriptions?.[0]?.TargetHealth?.State === 'draining',
  );
  const stopped = await stoppedOf('drained');
  expect((stopped?.stoppingAt?.getTime() ?? 0) - asked).toBeGreaterThan(950);
  expect(await faults.counts()).toEqual([{ matched: 1, struck: 1 }]);
});
