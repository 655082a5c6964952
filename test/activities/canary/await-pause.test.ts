import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CancelledFailure } from '@temporalio/common';
import { createCanaryActivities } from '../../../src/activities/canary/activities.ts';
import { awaitPause } from '../../../src/activities/canary/await-pause.ts';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import { dyingApp, goodApp, sickApp, until } from '../../sandbox/ecs/world.ts';
import { aCanaryPolicy, aShiftedService, startCanary } from '../ecs/aCanary.ts';
import {
  aCanary,
  aLock,
  anActivity,
  aPolicy,
  aRig,
  aService,
  aTarget,
  credentials,
  inside,
} from '../ecs/aRollout.ts';
import type { Rig } from '../ecs/aRollout.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
});
afterAll(() => rig.close());

const target = aTarget();

test('a canary pauses before any traffic, at each step and at 100 %, and ends well; a rolling update after it does not pause', async () => {
  const given = await aShiftedService(rig, 'whole');
  const { service, groups, rule } = given;
  const { canary: byHalves } = aCanaryPolicy();
  const policy = aCanaryPolicy({ canary: aCanary({ ...byHalves, steps: [34, 68, 100] }) });
  const canary = await startCanary(rig, given, { policy });

  const seen = [];
  const hooks = new Set<string>();
  for (let at = await canary.pause(); ; at = await canary.pause(at)) {
    const { weight, last, hookId, expiresAt } = at;
    const { [groups[1]]: forwarded } = await rig.world.weights(rule);
    seen.push({ weight, last, forwarded });
    hooks.add(hookId);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    await canary.release(at);
    if (last) break;
  }
  expect(seen).toEqual([
    { weight: 0, last: false, forwarded: 0 },
    { weight: 34, last: false, forwarded: 34 },
    { weight: 68, last: false, forwarded: 68 },
    { weight: 100, last: true, forwarded: 100 },
  ]);
  expect(hooks.size).toBe(4);
  const { rollout } = canary;
  const following = { target, service, rollout, policy: aPolicy() };
  const verdict = await inside(anActivity(), () => rig.activities.followRollout(following));
  expect(verdict.outcome).toBe('pass');

  const third = await rig.world.define('whole', await rig.world.push('whole', goodApp('three')));
  const rolling = { target, service, taskDefinition: third, rollout: aPolicy(), lock: aLock };
  const rolled = await inside(anActivity(), () => rig.activities.startRollout({ ...rolling, by: 'rolling' }));
  const after = await inside(anActivity(), () =>
    rig.activities.followRollout({ ...following, rollout: rolled }),
  );
  expect(after.outcome).toBe('pass');
  expect((await rig.world.service('whole')).deploymentConfiguration).toMatchObject({
    strategy: 'ROLLING',
    lifecycleHooks: [],
    deploymentCircuitBreaker: { enable: true, rollback: true },
  });
  expect(await (await fetch(given.url)).text()).toBe('three');
});

test('somebody who scales at a pause neither ends the canary nor keeps it from its end', async () => {
  const given = await aShiftedService(rig, 'scaled');
  const canary = await startCanary(rig, given);
  const before = await canary.pause();

  await rig.world.update('scaled', { desiredCount: 2 });

  expect(await canary.pause()).toEqual(before);
  await canary.release(before);
  const half = await canary.pause(before);
  await canary.release(half);
  await canary.release(await canary.pause(half));
  const following = { target, service: given.service, rollout: canary.rollout, policy: aPolicy() };
  const verdict = await inside(anActivity(), () => rig.activities.followRollout(following));
  expect(verdict.outcome).toBe('pass');
  expect(await rig.world.service('scaled')).toMatchObject({ desiredCount: 2, runningCount: 2 });
});

test('somebody else who deploys at a pause ends the canary with a fail that names theirs', async () => {
  const given = await aShiftedService(rig, 'overtaken');
  const canary = await startCanary(rig, given);
  const before = await canary.pause();
  const theirs = await rig.world.define('overtaken', await rig.world.push('overtaken', goodApp('theirs')));

  await rig.world.update('overtaken', { taskDefinition: theirs });

  const { serviceDeploymentArn } = await rig.world.rollout('overtaken');
  expect(await canary.awaitPause(before)).toEqual({
    kind: 'ended',
    verdict: {
      outcome: 'fail',
      reasons: [
        `Somebody else's deployment ${serviceDeploymentArn} of ${theirs} replaced the rollout of overtaken.`,
      ],
    },
  });
  await canary.release(before);
  expect((await rig.world.rollout('overtaken')).status).toBe('IN_PROGRESS');
});

test("when nobody acts on a pause ECS goes back by itself, and that is told as the dead man's switch", async () => {
  const given = await aShiftedService(rig, 'forgotten');
  const deadMan = { stepMinutes: 3, lastMinutes: 3 };
  const canary = await startCanary(rig, given, { policy: aPolicy({ canary: aCanary({ deadMan }) }) });

  // How soon it is looked at decides whether the pause itself is seen.
  const first = await canary.awaitPause();
  const end = first.kind === 'paused' ? await canary.awaitPause(first.pause) : first;

  expect(end).toMatchObject({
    kind: 'ended',
    verdict: {
      outcome: 'fail',
      reasons: [
        expect.stringMatching(
          /^Nobody acted on the pause of forgotten until 20\S+Z, so ECS put the old version back by itself \(the dead man's switch\)\.$/,
        ),
        expect.stringContaining('ROLLBACK_'),
      ],
    },
  });
});

test('an alarm of the policy ends the canary and is named', async () => {
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
  const given = await aShiftedService(rig, 'alarmed');
  const canary = await startCanary(rig, given, { policy: aCanaryPolicy({ alarms: ['errors'] }) });
  const before = await canary.pause();

  await cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName: 'errors', StateValue: 'ALARM', StateReason: 'too many' }),
  );

  expect(await canary.awaitPause(before)).toMatchObject({
    kind: 'ended',
    verdict: {
      outcome: 'fail',
      reasons: ['ECS took alarmed back because of its alarms: errors.', expect.stringContaining('ROLLBACK_')],
    },
  });
});

test('tasks that die on the way to the first pause end the canary while ECS still tries', async () => {
  const given = await aShiftedService(rig, 'dying');
  const canary = await startCanary(rig, given, {
    app: dyingApp,
    policy: aCanaryPolicy({ allowedTaskDeaths: 0 }),
  });

  expect(await canary.awaitPause()).toMatchObject({
    kind: 'ended',
    verdict: {
      outcome: 'fail',
      reasons: [expect.stringMatching(/died after they had started/), expect.stringMatching(/exit code 3/)],
    },
  });
  await rig.world.update('dying', { desiredCount: 0 });
});

test('a canary that reaches no pause in its time is a fail', async () => {
  const given = await aShiftedService(rig, 'slow');
  const canary = await startCanary(rig, given, {
    app: sickApp,
    policy: aCanaryPolicy({ timeoutSeconds: 0.1 }),
  });

  expect(await canary.awaitPause()).toMatchObject({
    kind: 'ended',
    verdict: { outcome: 'fail', reasons: [expect.stringContaining('did not reach a pause within 0.1 s')] },
  });
  await rig.world.update('slow', { desiredCount: 0 });
});

test('ten rollouts that are followed at once cost one DescribeServices and one DescribeServiceDeployments a poll', async () => {
  const polls = { DescribeServicesCommand: 0, DescribeServiceDeploymentsCommand: 0 };
  const isPoll = (name: unknown): name is keyof typeof polls => typeof name === 'string' && name in polls;
  const enough = new AbortController();
  const aws = createAwsClients({ endpoint: rig.world.sandbox.url, credentials });
  aws.clientsFor(target).ecs.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (isPoll(commandName)) polls[commandName] += 1;
        if (Math.min(...Object.values(polls)) === 5) enough.abort();
        return next(args);
      },
    { step: 'initialize' },
  );
  const interval = 200;
  const deps = { reader: createEcsReader(aws, interval) };
  const taskDefinition = await rig.world.define('many', await rig.world.push('many', goodApp('many')));
  await rig.disturb({ fault: 'taskNeverStarts', tasks: { family: 'many' } });
  const names = Array.from({ length: 10 }, (_, i) => `many-${i}`);
  const waiting = await Promise.all(
    names.map(async (name) => {
      await rig.world.create(name, { taskDefinition });
      const { serviceDeploymentArn = '' } = await rig.world.rollout(name);
      const rollout = { service: name, taskDefinition, desiredCount: 1, serviceDeploymentArn };
      return { service: aService(name), rollout };
    }),
  );

  const policy = aCanaryPolicy({ timeoutSeconds: 60 });
  const begun = performance.now();
  const following = waiting.map((canary) => {
    const activity = anActivity();
    enough.signal.addEventListener('abort', () => activity.cancel());
    return inside(activity, () => awaitPause(deps, { ...canary, target, policy }));
  });
  const ends = await Promise.allSettled(following);

  const most = Math.ceil((performance.now() - begun) / interval) + 1;
  expect(ends).toEqual(names.map(() => ({ status: 'rejected', reason: expect.any(CancelledFailure) })));
  expect(polls.DescribeServicesCommand).toBeLessThanOrEqual(most);
  expect(polls.DescribeServiceDeploymentsCommand).toBeLessThanOrEqual(most);
  aws.destroy();
  await Promise.all(names.map((name) => rig.world.update(name, { desiredCount: 0 })));
  await rig.mend();
});

describe('ECS that throttles', () => {
  afterEach(() => rig.mend());

  test('now and then does not end the wait for a pause', async () => {
    const given = await aShiftedService(rig, 'throttled');
    const canary = await startCanary(rig, given);
    // The SDK's own attempts are three.
    await rig.disturb({ fault: 'throttle', service: 'ecs', action: 'DescribeServiceDeployments', times: 7 });

    expect(await canary.pause()).toMatchObject({ weight: 0 });

    expect(await rig.struck()).toEqual([7]);
  });

  test('a release of a pause leaves it to be repeated', async () => {
    const given = await aShiftedService(rig, 'throttled-release');
    const canary = await startCanary(rig, given);
    const before = await canary.pause();
    await rig.disturb({ fault: 'throttle', service: 'ecs', action: 'ContinueServiceDeployment', times: 3 });
    const activities = createCanaryActivities(rig.deps);
    const input = { target, service: given.service, rollout: canary.rollout, pause: before, lock: aLock };
    const release = () => inside(anActivity(), () => activities.continueRollout(input));

    await expect(release()).rejects.toMatchObject({ type: 'AwsThrottled', nonRetryable: false });
    await release();

    expect(await canary.pause(before)).toMatchObject({ weight: 50 });
  });
});

test('cancelled, waiting stops at once and leaves the pause alone', async () => {
  const given = await aShiftedService(rig, 'cancelled');
  const canary = await startCanary(rig, given);
  const before = await canary.pause();
  const activity = anActivity();
  activity.once('heartbeat', () => activity.cancel());
  const deps = { reader: createEcsReader(rig.aws, 3_600_000) };
  const { rollout, policy } = canary;
  const input = { target, service: given.service, rollout, policy, after: before.hookId };

  await expect(inside(activity, () => awaitPause(deps, input))).rejects.toBeInstanceOf(CancelledFailure);

  const paused = await until(
    () => rig.world.rollout('cancelled'),
    ({ status }) => status === 'IN_PROGRESS',
  );
  expect(paused.lifecycleHookDetails).toMatchObject([{ hookId: before.hookId, status: 'AWAITING_ACTION' }]);
});
