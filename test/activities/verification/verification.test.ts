import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createVerificationActivities } from '../../../src/activities/verification/activities.ts';
import type {
  VerificationActivities,
  VerificationInput,
} from '../../../src/activities/verification/types.ts';
import type { MetricPolicy } from '../../../src/domain/policy.ts';
import { until } from '../../sandbox/ecs/world.ts';
import { anActivity, aRig, aService, aTarget, inside } from '../ecs/aRollout.ts';
import type { Rig } from '../ecs/aRollout.ts';
import { neverStarting, stopOne } from './tasks.ts';

/** Fails one request in `every`, and dies when it is asked to. */
const app = (every: number): string => `
  import { createServer } from 'node:http';
  let n = 0;
  createServer((request, response) => {
    if (request.url === '/health') return response.end('ok');
    if (request.url === '/die') setTimeout(() => process.exit(9), 10);
    response.writeHead(++n % ${every} === 0 ? 500 : 200).end('{"version": "1.4.0"}');
  }).listen(Number(process.env.PORT), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));`;

let rig: Rig;
let activities: VerificationActivities;
beforeAll(async () => {
  rig = await aRig();
  activities = createVerificationActivities({ aws: rig.aws, pollMilliseconds: 30 });
});
afterAll(() => rig.close());

/** A steady service behind a load balancer, and what to verify of it. */
async function deployed(name: string, { every = 1_000_000, balanced = true } = {}) {
  const { world } = rig;
  const image = await world.push(name, app(every));
  const taskDefinition = await world.define(name, image);
  const balancer = balanced ? await world.balance(name) : undefined;
  const loadBalancers = balancer
    ? [{ targetGroupArn: balancer.targetGroupArn, containerName: 'web', containerPort: 80 }]
    : [];
  await world.create(name, { taskDefinition, loadBalancers });
  await world.steady(name);
  const url = balancer?.url ?? '';
  const input: VerificationInput = {
    target: aTarget(),
    services: [aService(name, { url: '${output:url}' })],
    manifest: { version: '1.4.0', commit: 'c'.repeat(40), images: { [name]: image.split('@')[1] ?? '' } },
    taskDefinitions: { [name]: taskDefinition },
    outputs: { url },
  };
  return { input, url };
}

const metrics: MetricPolicy = {
  windowSeconds: 15,
  minimumRequests: 50,
  maximumErrorRate: 0.01,
  latency: { thresholdSeconds: 5, minimumShare: 0.95 },
  maximumCpu: 1_000,
  maximumMemory: 1_000,
};
const send = (url: string, requests: number) =>
  Promise.all(Array.from({ length: requests }, () => fetch(url).then((response) => response.text())));

/** Judges until the sandbox has counted `requests`, which it does within a moment. */
const judged = (input: VerificationInput, since: string, requests: number) =>
  until(
    () => inside(anActivity(), () => activities.judgeMetrics({ ...input, metrics, since })),
    (judgements) =>
      judgements.some((each) => each.metric === 'errorRate' && each.requests === requests) &&
      judgements.every(({ metric, value }) => value !== undefined || metric === 'latency'),
  );

describe('service status', () => {
  test('a steady service on the release passes', async () => {
    const { input } = await deployed('steady');
    expect(await inside(anActivity(), () => activities.checkServiceStatus(input))).toEqual([
      { name: 'service steady', passed: true, detail: '1 of 1 tasks run steady:1' },
    ]);
  });

  test('a service that is scaled passes, one that loses a task does not', async () => {
    const { input } = await deployed('grown');
    const check = async () => (await inside(anActivity(), () => activities.checkServiceStatus(input)))[0];
    const start = await neverStarting(rig.world, 'grown');
    await rig.world.update('grown', { desiredCount: 2 });
    expect(
      await until(check, (found) => found?.detail.startsWith('1 of 2 tasks run') === true),
    ).toMatchObject({
      passed: true,
    });

    await start();
    await until(check, (found) => found?.detail === '2 of 2 tasks run grown:1');
    await neverStarting(rig.world, 'grown');
    await stopOne(rig.world, input.taskDefinitions['grown'] ?? '');
    expect(await check()).toMatchObject({ passed: false });
  }, 30_000);

  test('another image, another task definition, no service: each fails with what was found', async () => {
    const { input } = await deployed('found');
    const check = async (change: Partial<VerificationInput>) =>
      (await inside(anActivity(), () => activities.checkServiceStatus({ ...input, ...change })))[0];
    const images = { found: `sha256:${'0'.repeat(64)}` };

    expect(await check({ manifest: { ...input.manifest, images } })).toMatchObject({
      passed: false,
      detail: expect.stringMatching(/container web of task \w+ runs image sha256:\w+, not sha256:0000/),
    });
    expect(
      await check({ taskDefinitions: { found: 'arn:aws:ecs:x:y:task-definition/found:9' } }),
    ).toMatchObject({
      passed: false,
      detail: expect.stringContaining("it runs found:1, not the release's found:9"),
    });
    expect(await check({ services: [aService('found', { ecsService: 'none' })] })).toMatchObject({
      passed: false,
      detail: 'there is no ECS service none',
    });
  });
});

describe('served versions', () => {
  /** A server that gives the answers in turn, the last for ever. */
  async function answering(...answers: [status: number, body: string][]) {
    let asked = 0;
    const server = createServer((_request, response) => {
      const [status, body] = answers[Math.min(asked++, answers.length - 1)] ?? [500, ''];
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const close = () => new Promise((resolve) => void server.close(resolve));
    return { url, close, asked: () => asked };
  }
  const input = (url?: string): VerificationInput => ({
    target: aTarget(),
    services: [aService('web', url ? { url } : {})],
    manifest: { version: '1.4.0', commit: 'c'.repeat(40), images: {} },
    taskDefinitions: {},
    outputs: {},
  });
  const check = (of: VerificationInput) => inside(anActivity(), () => activities.checkServedVersions(of));

  test.each<[string, [number, string][], boolean]>([
    ['JSON with the version', [[200, '{"version":"1.4.0","other":1}']], true],
    ['plain text with the version', [[200, '1.4.0\n']], true],
    ['another version', [[200, '{"version":"1.3.0"}']], false],
    [
      'an error, then the version',
      [
        [503, ''],
        [200, '1.4.0'],
      ],
      true,
    ],
    ['nothing but errors', [[503, 'no']], false],
  ])('%s', async (_what, answers, passed) => {
    const server = await answering(...answers);
    const [result] = await check(input(server.url));
    expect(result?.passed).toBe(passed);
    await server.close();
  });

  test('a wrong version is not asked for again', async () => {
    const server = await answering([200, '1.3.0'], [200, '1.4.0']);
    expect((await check(input(server.url)))[0]?.detail).toBe(`${server.url}version answers 1.3.0, not 1.4.0`);
    expect(server.asked()).toBe(1);
    await server.close();
  });

  test('no connection fails with why', async () => {
    const server = await answering();
    await server.close();
    expect((await check(input(server.url)))[0]).toMatchObject({
      passed: false,
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('an output that there is not fails, and a service without a URL is not asked', async () => {
    expect((await check(input('${output:url}')))[0]).toMatchObject({
      passed: false,
      detail: expect.stringContaining('output:url'),
    });
    expect(await check(input())).toEqual([]);
  });
});

describe('metrics', () => {
  test("a healthy service's real traffic passes", async () => {
    const { input, url } = await deployed('healthy');
    const since = new Date().toISOString();
    await send(url, 10);
    // The window starts at the first whole second after the release: traffic until then does not count.
    await until(
      async () => Date.now(),
      (now) => now >= Date.parse(since) + 1_000,
    );
    await send(url, 60);

    const result = await judged(input, since, 60);

    expect(result.map(({ metric, outcome }) => `${metric} ${outcome}`)).toEqual([
      'cpu pass',
      'memory pass',
      'errorRate pass',
      'latency pass',
    ]);
  }, 30_000);

  test('one request in ten that fails is found', async () => {
    const { input, url } = await deployed('failing', { every: 10 });
    const since = new Date(Date.now() - 1_000).toISOString();
    await until(
      async () => Date.now() % 1000,
      (rest) => rest < 300,
    );
    await send(url, 60);

    const result = await judged(input, since, 60);

    expect(result.find(({ metric }) => metric === 'errorRate')).toMatchObject({
      outcome: 'fail',
      value: 0.1,
      requests: 60,
    });
  }, 30_000);

  test('without traffic nothing of it is judged, and without a load balancer there is nothing to judge', async () => {
    const { input } = await deployed('quiet');
    const { input: unbalanced } = await deployed('worker', { balanced: false });
    const since = new Date().toISOString();
    const outcomes = async (of: VerificationInput) =>
      (await inside(anActivity(), () => activities.judgeMetrics({ ...of, metrics, since }))).map(
        ({ metric, outcome }) => `${metric} ${outcome}`,
      );

    expect(await outcomes(input)).toEqual(
      expect.arrayContaining(['errorRate not judged', 'latency not judged']),
    );
    expect((await outcomes(unbalanced)).filter((each) => !/^(cpu|memory) /.test(each))).toEqual([]);
  });
});

describe('watching', () => {
  const watch = (input: VerificationInput, change: { seconds: number; scheduled?: number }) =>
    inside(anActivity(change.scheduled), () =>
      activities.watchWindow({
        ...input,
        metrics,
        since: new Date().toISOString(),
        rolledOutSince: new Date().toISOString(),
        allowedTaskDeaths: 0,
        seconds: change.seconds,
      }),
    );

  test('a steady service passes when the window is over', async () => {
    const { input } = await deployed('watched');
    const started = Date.now();

    const { checks, metrics: judgements } = await watch(input, { seconds: 1 });

    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
    expect(checks).toEqual([expect.objectContaining({ name: 'service watched', passed: true })]);
    expect(judgements.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  });

  test('a look that AWS throttles is taken again', async () => {
    const { input } = await deployed('throttled');
    const body = JSON.stringify({ fault: 'throttle', service: 'ecs', action: 'DescribeServices', times: 4 });
    await fetch(`${rig.world.sandbox.url}/_sandbox/faults`, { method: 'POST', body });

    const { checks } = await watch(input, { seconds: 0 });

    expect(checks).toEqual([expect.objectContaining({ name: 'service throttled', passed: true })]);
  });

  test('a later attempt goes on with the same window', async () => {
    const { input } = await deployed('resumed');
    const started = Date.now();

    await watch(input, { seconds: 3_600, scheduled: Date.now() - 3_600_000 });

    expect(Date.now() - started).toBeLessThan(5_000);
  });

  test('a task that dies ends the watch at once', async () => {
    const { input, url } = await deployed('doomed');
    const watching = watch(input, { seconds: 3_600 });
    await fetch(`${url}/die`);

    const { checks } = await watching;

    expect(checks.filter(({ passed }) => !passed)).toContainEqual(
      expect.objectContaining({ passed: false, detail: expect.stringMatching(/exit code 9|tasks run/) }),
    );
  });

  test('a deployment by somebody else ends the watch', async () => {
    const { input } = await deployed('overtaken');
    const watching = watch(input, { seconds: 3_600 });
    await rig.world.update('overtaken', {
      taskDefinition: await rig.world.define('overtaken', await rig.world.push('overtaken', app(7))),
    });

    const { checks } = await watching;

    expect(checks).toContainEqual(
      expect.objectContaining({ passed: false, detail: expect.stringContaining('somebody else deployed') }),
    );
  });

  test('a breach of a metric ends the watch', async () => {
    const { input, url } = await deployed('breaching', { every: 3 });
    const over = new AbortController();
    const traffic = (async () => {
      while (!over.signal.aborted) await send(url, 20);
    })();

    const { metrics: judgements } = await watch(input, { seconds: 3_600 });
    over.abort();
    await traffic;

    expect(judgements).toContainEqual(expect.objectContaining({ metric: 'errorRate', outcome: 'fail' }));
  });
});
