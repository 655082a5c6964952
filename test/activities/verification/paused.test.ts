import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createVerificationActivities } from '../../../src/activities/verification/activities.ts';
import type {
  VerificationActivities,
  VerificationInput,
} from '../../../src/activities/verification/types.ts';
import type { MetricPolicy } from '../../../src/domain/policy.ts';
import { aShiftingService, answer, canary, ended, paused } from '../../sandbox/ecs/shifting-service.ts';
import { CLUSTER, until } from '../../sandbox/ecs/world.ts';
import { neverStarting, stopOne } from './tasks.ts';
import { anActivity, aRig, aService, aTarget, credentials, inside } from '../ecs/aRollout.ts';
import type { Rig } from '../ecs/aRollout.ts';

let rig: Rig;
let activities: VerificationActivities;
let cloudwatch: CloudWatchClient;
beforeAll(async () => {
  rig = await aRig();
  activities = createVerificationActivities({ aws: rig.aws, pollMilliseconds: 30 });
  cloudwatch = new CloudWatchClient({ endpoint: rig.world.sandbox.url, region: 'eu-west-1', credentials });
});
afterAll(async () => {
  cloudwatch.destroy();
  await rig.close();
});

/** A service whose second version waits at the first of its pauses. */
async function deploying(name: string) {
  const { world } = rig;
  const { url, second } = await aShiftingService(world, name, canary, { desiredCount: 1 });
  await world.update(name, { taskDefinition: second });
  const rollout = await paused(world, name);
  const { serviceDeploymentArn = '' } = rollout;
  const input: VerificationInput = {
    target: aTarget(),
    services: [aService(name)],
    manifest: { version: '1.4.0', commit: 'c'.repeat(40), images: { [name]: await digestOf(second) } },
    taskDefinitions: { [name]: second },
    outputs: {},
    paused: [{ service: name, taskDefinition: second, desiredCount: 1, serviceDeploymentArn }],
  };
  return { input, url, rollout };
}

/** Goes on to the next pause. */
async function next(name: string, rollout: ServiceDeployment): Promise<ServiceDeployment> {
  return paused(rig.world, name, await answer(rig.world, rollout, 'CONTINUE'));
}

/** The same at 100 %, where the old tasks still run. */
async function atTheLastPause(name: string) {
  const { rollout, ...rest } = await deploying(name);
  return { ...rest, rollout: await next(name, await next(name, rollout)) };
}

async function digestOf(taskDefinition: string): Promise<string> {
  const task = await until(
    async () =>
      (await rig.world.tasks('RUNNING')).find(
        ({ taskDefinitionArn }) => taskDefinitionArn === taskDefinition,
      ),
    (found) => found?.containers?.[0]?.imageDigest !== undefined,
  );
  return task?.containers?.[0]?.imageDigest ?? '';
}

const check = async (input: VerificationInput) =>
  (await inside(anActivity(), () => activities.checkServiceStatus(input)))[0];
const send = (url: string, requests: number) =>
  Promise.all(Array.from({ length: requests }, () => fetch(url).then((response) => response.text())));

const metrics: MetricPolicy = {
  windowSeconds: 15,
  minimumRequests: 50,
  maximumErrorRate: 0.01,
  maximumCpu: 80,
  maximumMemory: 80,
};
const judge = (input: VerificationInput) =>
  inside(anActivity(), () =>
    activities.judgeMetrics({ ...input, metrics, since: new Date(Date.now() - 10_000).toISOString() }),
  );
const outcomes = async (input: VerificationInput) =>
  Object.fromEntries((await judge(input)).map(({ metric, outcome, value }) => [metric, [outcome, value]]));

/** Judges until CloudWatch has `requests` of them. */
const judged = (input: VerificationInput, requests: number) =>
  until(
    () => judge(input),
    (judgements) => judgements.some((each) => each.metric === 'errorRate' && each.requests === requests),
  );

test('only with all of the traffic on the right images does a paused service pass, its old tasks beside it', async () => {
  const { input, rollout } = await deploying('shop');
  const { paused: _, ...unpaused } = input;

  const some = await next('shop', rollout);
  expect(await check(input)).toMatchObject({
    passed: false,
    detail: 'the release has 20 % of the traffic, not all of it',
  });

  await next('shop', some);
  expect(await check(input)).toEqual({
    name: 'service shop',
    passed: true,
    detail: '1 of 1 tasks run shop:2 beside 1 of the old version, with all of the traffic',
  });
  expect((await check(unpaused))?.passed).toBe(false);
  const images = { shop: `sha256:${'0'.repeat(64)}` };
  expect(await check({ ...input, manifest: { ...input.manifest, images } })).toMatchObject({
    passed: false,
    detail: expect.stringMatching(/container web of task \w+ runs image sha256:\w+, not sha256:0000/),
  });
  const gone = (input.paused ?? []).map((each) => ({
    ...each,
    serviceDeploymentArn: `${each.serviceDeploymentArn}0`,
  }));
  expect((await check({ ...input, paused: gone }))?.passed).toBe(false);
}, 30_000);

test('a service that is scaled while it is paused passes, one that loses a task does not', async () => {
  const { input } = await atTheLastPause('scaled');
  const { taskDefinition = '' } = input.paused?.[0] ?? {};
  const start = await neverStarting(rig.world, 'scaled');
  await rig.world.update('scaled', { desiredCount: 2 });
  const starting = await until(
    () => check(input),
    (found) => found?.detail.includes('of 2 tasks') === true,
  );
  expect(starting).toMatchObject({
    passed: true,
    detail: expect.stringMatching(/^1 of 2 tasks run scaled:2 /),
  });

  await start();
  await until(
    () => check(input),
    (found) => found?.detail.startsWith('2 of 2 tasks run scaled:2 ') === true,
  );
  await neverStarting(rig.world, 'scaled');
  await stopOne(rig.world, taskDefinition);
  expect(await check(input)).toMatchObject({
    passed: false,
    detail: '1 of 2 tasks run scaled:2',
  });
}, 30_000);

test('a paused service that goes back ends the window, and is told apart from one that waits', async () => {
  const { input } = await atTheLastPause('editor');
  const window = {
    ...input,
    metrics,
    since: new Date().toISOString(),
    rolledOutSince: new Date().toISOString(),
  };
  const watch = (seconds: number) =>
    inside(anActivity(), () => activities.watchWindow({ ...window, allowedTaskDeaths: 0, seconds }));

  expect((await watch(0.2)).checks).toEqual([expect.objectContaining({ passed: true })]);

  const watching = watch(3_600);
  const [{ serviceDeploymentArn } = {}] = input.paused ?? [];
  await rig.world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: 'ROLLBACK' }));
  expect((await watching).checks).toContainEqual(
    expect.objectContaining({
      passed: false,
      detail: expect.stringMatching(/its canary no longer waits: ECS has it as (ROLLBACK|STOP)/),
    }),
  );
}, 30_000);

test("the release's requests are those of its own target group, while it is paused and when it has ended", async () => {
  const { input, url, rollout } = await atTheLastPause('reader');
  const { paused: _, ...unpaused } = input;
  await until(
    async () => Date.now() % 1000,
    (rest) => rest < 300,
  );
  await send(url, 60);

  const atPause = await judged(input, 60);
  expect(atPause.find(({ metric }) => metric === 'errorRate')).toMatchObject({ outcome: 'pass', value: 0 });

  await answer(rig.world, rollout, 'CONTINUE');
  await ended(rig.world, 'reader');
  await send(url, 40);
  const afterwards = await judged(unpaused, 100);
  expect(afterwards.find(({ metric }) => metric === 'errorRate')?.outcome).toBe('pass');
}, 40_000);

test("CPU and memory of a paused release are its own tasks', and not judged where there is only an average with the old ones", async () => {
  const { input } = await atTheLastPause('model');
  const ours = (await rig.world.tasks('RUNNING')).filter(({ group }) => group === 'service:model');
  expect(ours).toHaveLength(2);

  const without = (await judge(input)).find(({ metric }) => metric === 'cpu');
  expect(without).toMatchObject({ outcome: 'not judged', reason: expect.stringContaining('average') });

  const put = ours.flatMap(({ taskArn = '', taskDefinitionArn = '' }) => {
    const isNew = taskDefinitionArn === input.taskDefinitions['model'];
    const Dimensions = [
      { Name: 'ClusterName', Value: CLUSTER },
      { Name: 'ServiceName', Value: 'model' },
      { Name: 'TaskId', Value: taskArn.split('/').at(-1) },
    ];
    return [
      { MetricName: 'TaskCpuUtilization', Dimensions, Value: isNew ? 95 : 1 },
      { MetricName: 'TaskMemoryUtilization', Dimensions, Value: isNew ? 60 : 99 },
    ];
  });
  await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'ECS/ContainerInsights', MetricData: put }));

  expect(await outcomes(input)).toMatchObject({ cpu: ['fail', 95], memory: ['pass', 60] });
}, 30_000);
