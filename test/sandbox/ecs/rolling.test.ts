import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DescribeServiceRevisionsCommand, StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import { dyingApp, goodApp, messages, sickApp, until, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const breaker = { deploymentCircuitBreaker: { enable: true, rollback: true } };

/** A steady service of version 1 behind a load balancer. */
async function aService(name: string, desiredCount = 2): Promise<{ url: string; first: string }> {
  const { targetGroupArn, url } = await world.balance(name);
  const first = await world.define(name, await world.push(name, goodApp('one')));
  const loadBalancers = [{ targetGroupArn, containerName: 'web', containerPort: 80 }];
  await world.create(name, {
    taskDefinition: first,
    desiredCount,
    loadBalancers,
    deploymentConfiguration: breaker,
  });
  await world.steady(name);
  return { url, first };
}

test('a new service reaches a steady state behind its load balancer', async () => {
  const { url } = await aService('first');

  const service = await world.service('first');
  expect(service).toMatchObject({ runningCount: 2, pendingCount: 0, desiredCount: 2 });
  const texts = messages(service);
  expect(texts[0]).toMatch(
    /^\(service first\) has started 2 tasks: \(task [0-9a-f]{32}\) \(task [0-9a-f]{32}\)\.$/,
  );
  expect(texts.at(-1)).toBe('(service first) has reached a steady state.');
  expect(texts).toContain(
    `(service first) (deployment ${service.deployments?.[0]?.id}) deployment completed.`,
  );
  expect(await (await fetch(url)).text()).toBe('one');
});

test('an update replaces the tasks without a failed request', async () => {
  const { url } = await aService('traffic');
  const second = await world.define('traffic', await world.push('traffic', goodApp('two')));
  const answers: string[] = [];
  const ending = new AbortController();
  const traffic = (async () => {
    while (!ending.signal.aborted) {
      const response = await fetch(url);
      answers.push(response.ok ? await response.text() : String(response.status));
    }
  })();

  await world.update('traffic', { taskDefinition: second });
  const steady = await world.steady('traffic');
  ending.abort();
  await traffic;

  expect(new Set(answers)).toEqual(new Set(['one', 'two']));
  expect(answers.at(-1)).toBe('two');
  expect(steady.taskDefinition).toBe(second);
  const rollout = await world.rollout('traffic');
  expect(rollout).toMatchObject({
    status: 'SUCCESSFUL',
    targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 2, pendingTaskCount: 0 },
    deploymentCircuitBreaker: { status: 'MONITORING_COMPLETE', failureCount: 0, threshold: 3 },
  });
  const arn = rollout.targetServiceRevision?.arn ?? '';
  const { serviceRevisions } = await world.ecs.send(
    new DescribeServiceRevisionsCommand({ serviceRevisionArns: [arn] }),
  );
  expect(serviceRevisions?.[0]?.taskDefinition).toBe(second);
  expect(serviceRevisions?.[0]?.containerImages?.[0]?.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('tasks that die at start trip the circuit breaker, and the last good version is back', async () => {
  const { url, first } = await aService('dying');
  const before = (await world.service('dying')).deployments?.[0]?.id;
  const second = await world.define('dying', await world.push('dying', dyingApp));

  await world.update('dying', { taskDefinition: second });
  const rollout = await until(
    () => world.rollout('dying'),
    ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
  );

  expect(rollout.statusReason).toContain('circuit breaker');
  expect(rollout.deploymentCircuitBreaker).toMatchObject({ status: 'TRIGGERED', threshold: 3 });
  expect(rollout.deploymentCircuitBreaker?.failureCount).toBeGreaterThanOrEqual(3);
  expect(rollout.rollback?.serviceRevisionArn).toBe(rollout.sourceServiceRevisions?.[0]?.arn);
  const service = await world.steady('dying');
  expect(service.taskDefinition).toBe(first);
  expect(service.deployments).toMatchObject([
    { id: before, rolloutState: 'COMPLETED', taskDefinition: first },
  ]);
  expect(messages(service)).toContain(`(service dying) rolling back to deployment ${before}.`);
  expect(await (await fetch(url)).text()).toBe('one');
  const died = (await world.tasks('STOPPED')).filter(({ taskDefinitionArn }) => taskDefinitionArn === second);
  expect(died[0]).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ exitCode: 3, lastStatus: 'STOPPED' }],
  });
});

test('tasks that fail their health checks are stopped for that reason and trip the circuit breaker', async () => {
  // Three at once: each is given its true time to start before it is judged.
  await aService('sick', 3);
  const second = await world.define('sick', await world.push('sick', sickApp));

  await world.update('sick', { taskDefinition: second });
  await until(
    () => world.rollout('sick'),
    ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
  );

  const stopped = (await world.tasks('STOPPED')).filter(
    ({ taskDefinitionArn }) => taskDefinitionArn === second,
  );
  expect(stopped.map(({ stoppedReason }) => stoppedReason)).toContainEqual(
    expect.stringMatching(/^Task failed ELB health checks in \(target-group arn:aws:elasticloadbalancing:/),
  );
  expect(messages(await world.service('sick'))).toContainEqual(
    expect.stringMatching(/\(port \d+\) is unhealthy in \(target-group .*\) due to \(reason .*500.*\)\.$/),
  );
});

test('StopServiceDeployment puts the last good version back', async () => {
  const { first } = await aService('stopped');
  const second = await world.define('stopped', await world.push('stopped', sickApp));
  await world.update('stopped', {
    taskDefinition: second,
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: false, rollback: false } },
  });
  const { serviceDeploymentArn } = await until(
    () => world.rollout('stopped'),
    ({ targetServiceRevision }) => targetServiceRevision?.runningTaskCount === 2,
  );

  const stop = new StopServiceDeploymentCommand({ serviceDeploymentArn });
  // The second one meets a rollback that is under way, and leaves it to that.
  await Promise.all([world.ecs.send(stop), world.ecs.send(stop)]);

  const rollout = await until(
    () => world.rollout('stopped'),
    ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
  );
  expect(rollout.deploymentCircuitBreaker?.status).toBe('DISABLED');
  const late = world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn }));
  await expect(late).rejects.toMatchObject({
    name: 'ConflictException',
    resourceIds: [serviceDeploymentArn],
  });
  expect((await world.steady('stopped')).taskDefinition).toBe(first);
});

test('a first deployment that fails has nothing to go back to, and starts no more tasks', async () => {
  const { targetGroupArn } = await world.balance('never');
  const image = await world.push('never', dyingApp);
  await world.create('never', {
    taskDefinition: await world.define('never', image),
    loadBalancers: [{ targetGroupArn, containerName: 'web', containerPort: 80 }],
    deploymentConfiguration: breaker,
  });

  const rollout = await until(
    () => world.rollout('never'),
    ({ status }) => status === 'ROLLBACK_FAILED',
  );

  expect(rollout.statusReason).toBe('No rollback candidate was found to run the rollback.');
  expect((await world.service('never')).deployments).toMatchObject([
    {
      rolloutState: 'FAILED',
      rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
      failedTasks: 3,
    },
  ]);
});

test('a newer update ends the deployment that is in progress', async () => {
  await aService('newer');
  const bad = await world.define('newer', await world.push('newer', sickApp));
  const good = await world.define('newer', await world.push('newer', goodApp('three')));
  await world.update('newer', { taskDefinition: bad });
  const { serviceDeploymentArn: overtaken } = await world.rollout('newer');

  await world.update('newer', { taskDefinition: good });

  const steady = await world.steady('newer');
  expect(steady.taskDefinition).toBe(good);
  const rollout = await world.rollout('newer');
  expect(rollout.serviceDeploymentArn).not.toBe(overtaken);
  expect(rollout).toMatchObject({ status: 'SUCCESSFUL' });
  expect(rollout.sourceServiceRevisions).toHaveLength(2);
});
