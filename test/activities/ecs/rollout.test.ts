import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CancelledFailure } from '@temporalio/common';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { dyingApp, goodApp, sickApp, until } from '../../sandbox/ecs/world.ts';
import { aLock, anActivity, aPolicy, aRig, aService, aTarget, credentials, inside } from './aRollout.ts';
import { aLosingProxy } from './aLosingProxy.ts';
import type { Rig } from './aRollout.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
});
afterAll(() => rig.close());

const target = aTarget();

/** A steady service of one task, and the input that rolls `app` out on it. */
async function aChange(name: string, app: string, { balanced = false } = {}) {
  const { world } = rig;
  const first = await world.define(name, await world.push(name, goodApp('one')));
  const loadBalancers = balanced
    ? [
        {
          targetGroupArn: (await world.balance(name)).targetGroupArn,
          containerName: 'web',
          containerPort: 80,
        },
      ]
    : [];
  await world.create(name, { taskDefinition: first, loadBalancers });
  await world.steady(name);
  const taskDefinition = await world.define(name, await world.push(name, app));
  const service = aService(name);
  return {
    first,
    input: { target, service, taskDefinition, rollout: aPolicy(), by: 'rolling' as const, lock: aLock },
  };
}

type StartInput = Awaited<ReturnType<typeof aChange>>['input'];

const start = (input: StartInput, scheduled?: number) =>
  inside(anActivity(scheduled), () => rig.activities.startRollout(input));

async function follow(input: StartInput, { policy = aPolicy() } = {}) {
  const rollout = await start(input);
  return inside(anActivity(), () =>
    rig.activities.followRollout({ target, service: input.service, rollout, policy }),
  );
}

test('a release that starts and stays is a pass, with the circuit breaker on', async () => {
  const { input } = await aChange('good', goodApp('two'), { balanced: true });

  const verdict = await follow(input);

  expect(verdict.outcome).toBe('pass');
  const service = await rig.world.service('good');
  expect(service.taskDefinition).toBe(input.taskDefinition);
  expect(service.deploymentConfiguration).toMatchObject({
    deploymentCircuitBreaker: { enable: true, rollback: true },
    minimumHealthyPercent: 100,
    maximumPercent: 200,
  });
});

test('a retry finds the deployment that an earlier attempt started', async () => {
  const { input } = await aChange('again', goodApp('two'));
  const scheduled = Date.now();

  const first = await start(input, scheduled);
  const second = await start(input, scheduled);
  await rig.world.steady('again');
  const afterItsEnd = await start(input, scheduled);

  expect(first.serviceDeploymentArn).toMatch(/^arn:aws:ecs:.*:service-deployment\//);
  expect([second, afterItsEnd]).toEqual([first, first]);
  expect(await rig.deployments('again')).toHaveLength(2);
});

test('a retry finds the deployment that ECS has already taken back, and does not start another', async () => {
  const { input } = await aChange('again-bad', dyingApp, { balanced: true });
  const scheduled = Date.now();
  const first = await start(input, scheduled);
  await until(
    () => rig.world.rollout('again-bad'),
    ({ status }) => status === 'ROLLBACK_SUCCESSFUL',
  );

  expect(await start(input, scheduled)).toEqual(first);
  expect(await rig.deployments('again-bad')).toHaveLength(2);
});

test('a deployment whose start was never answered is found by the next attempt', async () => {
  const { input } = await aChange('unanswered', goodApp('two'));
  const proxy = await aLosingProxy(rig.world.sandbox.url, 'UpdateService', 3);
  const aws = createAwsClients({ endpoint: proxy.url, credentials });
  const scheduled = Date.now();

  const unanswered = inside(anActivity(scheduled), () => rig.withDeps({ aws }).startRollout(input));
  await expect(unanswered).rejects.toMatchObject({ type: 'AwsUnreachable', nonRetryable: false });
  const found = await start(input, scheduled);

  expect(proxy.lost()).toBe(3);
  const [, ours, ...others] = await rig.deployments('unanswered');
  expect(found.serviceDeploymentArn).toBe(ours?.serviceDeploymentArn);
  expect(others).toEqual([]);
  aws.destroy();
  await proxy.close();
});

test('a service that already runs the task definition needs no deployment, and following it passes', async () => {
  const { first, input } = await aChange('same', goodApp('two'));
  const asserted = rig.asserted();
  const rollout = await start({ ...input, taskDefinition: first }, Date.now() + 60_000);

  expect(rollout).toEqual({ service: 'same', taskDefinition: first, desiredCount: 1 });
  expect(rig.asserted()).toBe(asserted);
  const policy = aPolicy();
  const verdict = await inside(anActivity(), () =>
    rig.activities.followRollout({
      target,
      service: input.service,
      rollout,
      policy,
    }),
  );
  expect(verdict.outcome).toBe('pass');
});

test('another number of tasks alone makes no deployment but is waited for', async () => {
  const { first, input } = await aChange('more', goodApp('two'));
  const service = aService('more', { desiredCount: 2 });

  const rollout = await start({ ...input, service, taskDefinition: first }, Date.now() + 60_000);
  const verdict = await inside(anActivity(), () =>
    rig.activities.followRollout({
      target,
      service,
      rollout,
      policy: aPolicy(),
    }),
  );

  expect(rollout.serviceDeploymentArn).toBeUndefined();
  expect(verdict.outcome).toBe('pass');
  expect(await rig.world.service('more')).toMatchObject({ runningCount: 2, desiredCount: 2 });
});

test('a service that was scaled out keeps its tasks in a rollout: the policy asks for at least its number', async () => {
  const { input } = await aChange('scaled-out', goodApp('two'));
  await rig.world.update('scaled-out', { desiredCount: 3 });
  await rig.world.steady('scaled-out');
  const service = aService('scaled-out', { desiredCount: 2 });

  const rollout = await start({ ...input, service });

  expect(rollout.desiredCount).toBe(3);
  expect((await rig.world.service('scaled-out')).desiredCount).toBe(3);
  await rig.world.steady('scaled-out');

  const asserted = rig.asserted();
  const again = await start({ ...input, service }, Date.now() + 60_000);
  const { taskDefinition } = input;
  expect(again).toEqual({ service: 'scaled-out', taskDefinition, desiredCount: 3 });
  expect(rig.asserted()).toBe(asserted);
});

test('without a deployment, somebody who scales while it is followed is no reason to wait', async () => {
  const { first, input } = await aChange('scaling', goodApp('two'));
  const rollout = await start({ ...input, taskDefinition: first }, Date.now() + 60_000);
  await rig.world.update('scaling', { desiredCount: 2 });

  const following = { target, service: input.service, rollout, policy: aPolicy({ timeoutSeconds: 10 }) };
  const verdict = await inside(anActivity(), () => rig.activities.followRollout(following));

  expect(verdict.outcome).toBe('pass');
  expect(await rig.world.service('scaling')).toMatchObject({ desiredCount: 2, runningCount: 2 });
});

test("the circuit breaker's rollback is a fail that tells why the tasks stopped", async () => {
  const { input } = await aChange('breaks', dyingApp, { balanced: true });

  const verdict = await follow(input, { policy: aPolicy({ allowedTaskDeaths: 100 }) });

  expect(verdict.outcome).toBe('fail');
  expect(verdict.reasons[0]).toMatch(
    /tasks? stopped: Essential container in task exited \(container web: exit code 3\)/,
  );
  expect(verdict.reasons.at(-1)).toMatch(/ROLLBACK_\w+/);
});

test('an alarm of the policy that rings during a rolling update is a fail that names it', async () => {
  const { input } = await aChange('alarmed', sickApp, { balanced: true });
  const { cloudwatch } = rig.aws.clientsFor(target);
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName: 'errors',
      Namespace: 'Notes',
      MetricName: 'Errors',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'ignore',
    }),
  );
  const policy = aPolicy({ alarms: ['errors'] });
  const rollout = await start({ ...input, rollout: policy });

  await cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName: 'errors', StateValue: 'ALARM', StateReason: 'too many' }),
  );
  const following = { target, service: input.service, rollout, policy };
  const verdict = await inside(anActivity(), () => rig.activities.followRollout(following));

  expect(verdict).toMatchObject({ outcome: 'fail' });
  expect(verdict.reasons[0]).toBe('ECS took alarmed back because of its alarms: errors.');
});

test('an image that is not there is a fail that says so', async () => {
  const { input } = await aChange('missing', goodApp('two'));
  const image = `127.0.0.1:${rig.world.sandbox.port}/missing@sha256:${'0'.repeat(64)}`;

  const verdict = await follow({ ...input, taskDefinition: await rig.world.define('missing', image) });

  expect(verdict).toMatchObject({
    outcome: 'fail',
    reasons: [expect.stringContaining('CannotPullContainerError'), expect.any(String)],
  });
});

test('tasks that die after they started are a fail before ECS gives up', async () => {
  // The first task dies; those after it live on unfit, so that ECS is still busy when the death is told.
  const died = JSON.stringify(join(rig.world.stateDir, 'died'));
  const diesLater = `${sickApp}
    import { writeFileSync } from 'node:fs';
    try {
      writeFileSync(${died}, '', { flag: 'wx' });
      process.exit(7);
    } catch {}`;
  const { input } = await aChange('crashes', diesLater, { balanced: true });

  const verdict = await follow(input, { policy: aPolicy({ allowedTaskDeaths: 0 }) });

  expect(verdict).toMatchObject({
    outcome: 'fail',
    reasons: [expect.stringMatching(/died after they had started/), expect.stringMatching(/exit code 7/)],
  });
  expect((await rig.world.rollout('crashes')).status).toBe('IN_PROGRESS');
});

test("somebody else's deployment that replaces ours is a fail that says so", async () => {
  const { first, input } = await aChange('taken', sickApp, { balanced: true });
  const rollout = await start(input);
  await rig.world.update('taken', { taskDefinition: first });

  const following = { target, service: input.service, rollout, policy: aPolicy() };
  const verdict = await inside(anActivity(), () => rig.activities.followRollout(following));

  const [, , foreign] = await rig.deployments('taken');
  expect(verdict.outcome).toBe('fail');
  expect(verdict.reasons[0]).toContain(`Somebody else's deployment ${foreign?.serviceDeploymentArn}`);
});

test("a service that is busy with somebody else's deployment is waited for, not overrun", async () => {
  const { first, input } = await aChange('busy', goodApp('three'), { balanced: true });
  const foreign = await rig.world.define('busy', await rig.world.push('busy', sickApp));
  await rig.world.update('busy', { taskDefinition: foreign });

  await expect(start(input)).rejects.toMatchObject({ type: 'DeploymentInProgress', nonRetryable: false });
  expect(await rig.deployments('busy')).toHaveLength(2);
  expect(first).not.toBe(foreign);
});

test('a rollout that does not end in its time is a fail', async () => {
  const { input } = await aChange('slow', sickApp, { balanced: true });

  const verdict = await follow(input, { policy: aPolicy({ timeoutSeconds: 0.1 }) });

  expect(verdict).toMatchObject({
    outcome: 'fail',
    reasons: [expect.stringContaining('did not end within 0.1 s')],
  });
});

test('followers of one worker share their polls', async () => {
  const aws = createAwsClients({ endpoint: rig.world.sandbox.url, credentials });
  const asked: string[] = [];
  aws.clientsFor(target).ecs.middlewareStack.add(
    (next, context) => (args) => {
      asked.push(String(context['commandName']));
      return next(args);
    },
    { step: 'initialize' },
  );
  const activities = rig.withDeps({ aws, pollMilliseconds: 100 });
  const changes = [
    await aChange('shared-a', sickApp, { balanced: true }),
    await aChange('shared-b', sickApp, { balanced: true }),
  ];
  const rollouts = await Promise.all(changes.map(({ input }) => start(input)));
  const policy = aPolicy({ timeoutSeconds: 1 });

  const begun = Date.now();
  await Promise.all(
    changes.map(({ input: { service } }, i) => {
      const rollout = rollouts[i] ?? { service: '', taskDefinition: '', desiredCount: 0 };
      return inside(anActivity(), () => activities.followRollout({ target, service, rollout, policy }));
    }),
  );

  const most = Math.ceil((Date.now() - begun) / 100) + 1;
  for (const poll of ['DescribeServicesCommand', 'DescribeServiceDeploymentsCommand']) {
    const polls = asked.filter((name) => name === poll).length;
    expect(polls).toBeGreaterThan(1);
    expect(polls).toBeLessThanOrEqual(most);
  }
  aws.destroy();
});

test('cancelled, following stops at once and leaves the deployment alone', async () => {
  const { input } = await aChange('cancelled', sickApp, { balanced: true });
  const rollout = await start(input);
  const activity = anActivity();
  activity.once('heartbeat', () => activity.cancel());

  const following = { target, service: input.service, rollout, policy: aPolicy() };
  const failed = inside(activity, () =>
    rig.withDeps({ pollMilliseconds: 3_600_000 }).followRollout(following),
  );

  await expect(failed).rejects.toBeInstanceOf(CancelledFailure);
  expect((await rig.world.rollout('cancelled')).status).toBe('IN_PROGRESS');
});

test('without the lock nothing is started', async () => {
  const { input } = await aChange('unlocked', goodApp('two'));
  rig.loseLock(true);
  try {
    await expect(start(input)).rejects.toMatchObject({ type: 'LockLost', nonRetryable: true });
  } finally {
    rig.loseLock(false);
  }
  expect(await rig.deployments('unlocked')).toHaveLength(1);
});

test('a service that Terraform has not made is an error that names what to do', async () => {
  const { input } = await aChange('there', goodApp('two'));

  await expect(start({ ...input, service: aService('nowhere') })).rejects.toMatchObject({
    type: 'ServiceNotFound',
    nonRetryable: true,
    message: expect.stringContaining("Create it with the environment's Terraform"),
  });
});
