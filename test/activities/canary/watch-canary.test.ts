import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createCanaryActivities } from '../../../src/activities/canary/activities.ts';
import type { CanaryActivities } from '../../../src/activities/canary/types.ts';
import { judgeCanary } from '../../../src/domain/canary-judge.ts';
import type { JudgePolicy } from '../../../src/domain/policy.ts';
import { anActivity, aService, aTarget, inside } from '../ecs/aRollout.ts';
import { aCloud } from './aCloud.ts';
import type { Cloud } from './aCloud.ts';

type WatchInput = Parameters<CanaryActivities['watchCanary']>[0];

const group = (name: string) => `arn:aws:elasticloadbalancing:x:y:targetgroup/${name}/1`;
const aDeployment = (service: string) => `arn:aws:ecs:x:y:service-deployment/${service}/1`;
/** When the tests began, in whole minutes: all that they say of the past is of one moment. */
const BEGUN = Math.floor(Date.now() / 60_000);
const minutesAgo = (minutes: number) => new Date((BEGUN - minutes) * 60_000);

const judge: JudgePolicy = {
  minimumRequests: 100,
  maximumErrorRate: 0.01,
  latency: { thresholdSeconds: 0.5, minimumShare: 0.9 },
};

/** A canary of `web`: the release in target group green, the old version in blue. */
const cloudOf = (change: Partial<Cloud> = {}): Cloud => ({
  deployments: [
    {
      serviceDeploymentArn: aDeployment('web'),
      status: 'IN_PROGRESS',
      createdAt: minutesAgo(20),
      sourceServiceRevisions: [{ arn: 'revision/old' }],
      targetServiceRevision: { arn: 'revision/new' },
    },
  ],
  revisions: [
    {
      serviceRevisionArn: 'revision/old',
      taskDefinition: 'web:1',
      loadBalancers: [{ targetGroupArn: group('green') }],
      resolvedConfiguration: { loadBalancers: [{ targetGroupArn: group('blue') }] },
    },
    {
      serviceRevisionArn: 'revision/new',
      taskDefinition: 'web:2',
      loadBalancers: [{ targetGroupArn: group('green') }],
      resolvedConfiguration: { loadBalancers: [{ targetGroupArn: group('green') }] },
    },
  ],
  stopped: [],
  metrics: { 'RequestCount green': [50, 100], 'RequestCount blue': [450, 900] },
  metricsFrom: minutesAgo(5),
  ...change,
});
const shifting = (...names: string[]): WatchInput['shifting'] =>
  names.map((name) => ({
    service: aService(name),
    rollout: {
      service: name,
      taskDefinition: `${name}:2`,
      desiredCount: 1,
      serviceDeploymentArn: aDeployment(name),
    },
    pause: { hookId: 'h', weight: 10, last: false, expiresAt: '2026-01-01T00:00:00.000Z' },
  }));
const watch = (
  { aws }: ReturnType<typeof aCloud>,
  change: Partial<WatchInput> = {},
  scheduled = Date.now(),
) =>
  inside(anActivity(scheduled), () =>
    createCanaryActivities({ aws, assertHolder: async () => undefined, pollMilliseconds: 10 }).watchCanary({
      target: aTarget(),
      shifting: shifting('web'),
      judge,
      allowedTaskDeaths: 0,
      since: minutesAgo(5).toISOString(),
      stepSeconds: 300,
      seconds: 0,
      ...change,
    }),
  );
const aDeath = (change: object = {}) => ({
  taskArn: 'arn:task/1',
  taskDefinitionArn: 'web:2',
  stopCode: 'EssentialContainerExited' as const,
  stoppedReason: 'Essential container in task exited',
  stoppedAt: new Date(),
  ...change,
});

describe('one look', () => {
  test('counts each version in the target group that its revision is really in', async () => {
    const cloud = aCloud(
      cloudOf({
        metrics: {
          'RequestCount green': [50, 100],
          'HTTPCode_Target_5XX_Count green': [1],
          'TargetConnectionErrorCount green': [0, 2],
          'PR(:0.5) TargetResponseTime green': [100, 90],
          'RequestCount blue': [450, 900],
          'HTTPCode_Target_5XX_Count blue': [4],
          'RequestCount balancer': [500, 1_000],
          'HTTPCode_ELB_5XX_Count balancer': [3],
        },
      }),
    );

    const { looks, ended } = await watch(cloud);

    expect(ended).toEqual([]);
    expect(looks).toEqual([
      {
        service: 'web',
        at: expect.any(String),
        canary: { requests: 150, bad: 3, slow: 10 },
        baseline: { requests: 1_350, bad: 4 },
        balancer: { requests: 1_500, bad: 3 },
        deaths: 0,
        stoppedReasons: [],
      },
    ]);
  });

  test('counts nothing of the period in which the step began', async () => {
    const cloud = aCloud(cloudOf({ metrics: { 'RequestCount green': [1_000, 1_000, 1_000, 10, 1] } }));
    const since = new Date(minutesAgo(3).getTime() + 1);

    const { looks } = await watch(cloud, { since: since.toISOString() });

    expect(looks[0]?.canary.requests).toBe(11);
  });

  test('asks CloudWatch once for all services, and for a shared load balancer once', async () => {
    const api = cloudOf();
    const also = {
      ...api.deployments[0],
      serviceDeploymentArn: aDeployment('api'),
      sourceServiceRevisions: [{ arn: 'revision/api-old' }],
      targetServiceRevision: { arn: 'revision/api-new' },
    };
    const cloud = aCloud({
      ...api,
      deployments: [...api.deployments, also],
      revisions: [
        ...api.revisions,
        {
          serviceRevisionArn: 'revision/api-old',
          resolvedConfiguration: { loadBalancers: [{ targetGroupArn: group('red') }] },
        },
        {
          serviceRevisionArn: 'revision/api-new',
          resolvedConfiguration: { loadBalancers: [{ targetGroupArn: group('yellow') }] },
        },
      ],
      metrics: { ...api.metrics, 'RequestCount red': [7], 'RequestCount yellow': [8] },
    });

    const { looks } = await watch(cloud, { shifting: shifting('web', 'api') });

    expect(looks.map(({ service, canary }) => [service, canary.requests])).toEqual([
      ['web', 150],
      ['api', 8],
    ]);
    const requests = cloud.asked.filter(({ command }) => command === 'GetMetricDataCommand');
    expect(requests).toHaveLength(1);
    // Four a target group, and two of the load balancer.
    expect(requests[0]?.input).toMatchObject({ MetricDataQueries: { length: 4 * 4 + 2 } });
  });

  test('a first canary after rolling updates finds the old version in the group that the service was given', async () => {
    const { revisions, ...rest } = cloudOf();
    const [old = {}, ...others] = revisions;
    const { resolvedConfiguration: _, ...unresolved } = old;
    const given = { ...unresolved, loadBalancers: [{ targetGroupArn: group('blue') }] };
    const { looks } = await watch(aCloud({ ...rest, revisions: [given, ...others] }));
    expect(looks[0]?.baseline.requests).toBe(1_350);
  });

  test('a group that both versions are in is not counted as the old one', async () => {
    const { revisions, ...rest } = cloudOf();
    const shared = revisions.map((each) => ({
      ...each,
      resolvedConfiguration: { loadBalancers: [{ targetGroupArn: group('green') }] },
    }));
    const { looks } = await watch(aCloud({ ...rest, revisions: shared }));
    expect(looks[0]).toMatchObject({ canary: { requests: 150 }, baseline: { requests: 0, bad: 0 } });
  });

  test('a release whose target group ECS does not tell has no requests, so that nothing passes', async () => {
    const { revisions, ...rest } = cloudOf();
    const { looks } = await watch(aCloud({ ...rest, revisions: revisions.slice(0, 1) }));
    expect(looks[0]?.canary).toEqual({ requests: 0, bad: 0 });
  });

  test("deaths are the release's since its rollout began", async () => {
    const stopped = [
      aDeath(),
      aDeath({ taskDefinitionArn: 'web:1' }),
      aDeath({ stoppedAt: minutesAgo(30) }),
      aDeath({ stopCode: 'UserInitiated' }),
    ];
    const { looks } = await watch(aCloud(cloudOf({ stopped })));
    expect(looks[0]?.deaths).toBe(1);
    expect(looks[0]?.stoppedReasons).toContain('2 tasks stopped: Essential container in task exited');
  });
});

describe('watching', () => {
  test('goes on while the release is good, and ends with the time', async () => {
    const cloud = aCloud(cloudOf());
    const started = Date.now();

    const { looks } = await watch(cloud, { seconds: 0.3, stepSeconds: 300 });

    expect(Date.now() - started).toBeGreaterThanOrEqual(300);
    // One at once, and the last: a period of CloudWatch's has not gone by.
    expect(looks).toHaveLength(2);
  });

  test('a later attempt goes on with the time of the first', async () => {
    const started = Date.now();
    const { looks } = await watch(aCloud(cloudOf()), { seconds: 3_600 }, started - 3_600_000);
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(looks).toHaveLength(1);
  });

  test('a look that AWS throttles is taken again, one that it refuses is not', async () => {
    const anError = (name: string) =>
      Object.assign(new Error(name), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
    const failing = (error: Error) => aCloud(cloudOf({ failures: { GetMetricDataCommand: [error] } }));

    const { looks } = await watch(failing(anError('ThrottlingException')));
    expect(looks).toHaveLength(1);

    await expect(watch(failing(anError('AccessDeniedException')))).rejects.toMatchObject({
      type: 'AccessDenied',
      nonRetryable: true,
    });
  });

  test('what the judge fails ends it at once', async () => {
    const metrics = { 'RequestCount green': [100], 'HTTPCode_Target_5XX_Count green': [2] };
    const { looks, ended } = await watch(aCloud(cloudOf({ metrics })), { seconds: 3_600 });
    expect(looks.at(-1)?.canary).toMatchObject({ requests: 100, bad: 2 });
    expect(ended).toEqual([]);
  });

  test('a task that dies is looked at right away and ends it, long before the period is over', async () => {
    const state = cloudOf();
    const cloud = aCloud(state);
    const watching = watch(cloud, { seconds: 3_600 });
    const firstLook = () => cloud.asked.some(({ command }) => command === 'GetMetricDataCommand');
    while (!firstLook()) await new Promise((resolve) => setTimeout(resolve, 5));
    state.stopped = [aDeath()];

    const { looks } = await watching;

    expect(looks.map(({ deaths }) => deaths)).toEqual([0, 1]);
  });

  test('a rollout that ECS takes back ends it at once, with why', async () => {
    const state = cloudOf();
    const [deployment = {}] = state.deployments;
    const gone = { ...deployment, status: 'ROLLBACK_IN_PROGRESS' as const, statusReason: 'alarm' };
    const { ended } = await watch(aCloud({ ...state, deployments: [gone] }), { seconds: 3_600 });
    expect(ended).toEqual([
      {
        service: 'web',
        verdict: {
          outcome: 'fail',
          reasons: ['ECS ended the rollout of web as ROLLBACK_IN_PROGRESS: alarm'],
        },
      },
    ]);
  });

  test("a rollout that went back because nobody acted in time says that it was the dead man's switch", async () => {
    const state = cloudOf();
    const [deployment = {}] = state.deployments;
    const expired = { hookId: 'h', targetType: 'PAUSE' as const, status: 'TIMED_OUT' as const };
    const gone = {
      ...deployment,
      status: 'ROLLBACK_SUCCESSFUL' as const,
      lifecycleHookDetails: [{ ...expired, expiresAt: minutesAgo(1) }],
    };
    const { ended } = await watch(aCloud({ ...state, deployments: [gone] }), { seconds: 3_600 });
    expect(ended[0]?.verdict.reasons[0]).toContain("the dead man's switch");
  });

  test('a rollout that somebody else let go on is no pass', async () => {
    const state = cloudOf();
    const [deployment = {}] = state.deployments;
    const done = { ...deployment, status: 'SUCCESSFUL' as const };
    const { ended } = await watch(aCloud({ ...state, deployments: [done] }), { seconds: 3_600 });
    expect(ended[0]?.verdict).toMatchObject({
      outcome: 'fail',
      reasons: [expect.stringContaining('Somebody else')],
    });
  });

  test("somebody else's deployment ends it, and is named", async () => {
    const state = cloudOf();
    const [deployment = {}] = state.deployments;
    const theirs = { ...deployment, serviceDeploymentArn: aDeployment('theirs'), createdAt: new Date() };
    const ours = { ...deployment, status: 'STOPPED' as const };
    const { ended } = await watch(aCloud({ ...state, deployments: [theirs, ours] }), { seconds: 3_600 });
    expect(ended[0]?.verdict.reasons[0]).toContain(`Somebody else's deployment ${aDeployment('theirs')}`);
  });

  test('looks at CloudWatch once a period, however often it asks ECS', async () => {
    const cloud = aCloud(cloudOf());
    const since = new Date(Date.now() - 2_000).toISOString();

    const { looks } = await watch(cloud, { seconds: 1.2, stepSeconds: 4, since });

    // At once, after a second, and the last.
    expect(looks.length).toBeGreaterThanOrEqual(2);
    expect(looks.length).toBeLessThanOrEqual(3);
    expect(cloud.asked.filter(({ command }) => command === 'GetMetricDataCommand')).toHaveLength(
      looks.length,
    );
  });

  test('a rollout without a service deployment is refused', async () => {
    const [web] = shifting('web');
    if (!web) throw new Error('none');
    const { serviceDeploymentArn: _, ...rollout } = web.rollout;
    await expect(watch(aCloud(cloudOf()), { shifting: [{ ...web, rollout }] })).rejects.toMatchObject({
      type: 'InvalidInput',
      nonRetryable: true,
    });
  });
});

describe('on the points that CloudWatch has, a minute each', () => {
  const TEN = Date.parse('2026-01-01T10:00:00Z');
  const after = (seconds: number) => new Date(TEN + seconds * 1000);
  afterEach(() => void jest.useRealTimers());

  /** The clock stands at so many seconds after ten; only what happens moves it on. */
  const standAt = (seconds: number) =>
    jest.useFakeTimers({
      now: after(seconds),
      doNotFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'performance',
      ],
    });
  /** A cloud in which each look at ECS takes `step` seconds. */
  const passing = (change: Partial<Cloud>, step: number) => {
    const state = cloudOf({ metricsFrom: after(0), ...change });
    const [deployment = {}] = state.deployments;
    return aCloud({
      ...state,
      get deployments() {
        jest.setSystemTime(Date.now() + step * 1000);
        return [{ ...deployment, createdAt: after(-600) }];
      },
    });
  };
  const step = { since: after(0).toISOString(), stepSeconds: 300 };
  const verdictOf = ({ looks }: Awaited<ReturnType<typeof watch>>, weight = 10) =>
    judgeCanary({ service: 'web', policy: judge, allowedTaskDeaths: 0, weight, looks }).outcome;

  test('each look sees the minutes that are over, and known by then', async () => {
    standAt(0);
    const metrics = {
      'RequestCount green': [100, 100, 100, 100, 100, 100],
      'PR(:0.5) TargetResponseTime green': [100, 100, 100, 100, 100, 100],
    };

    const watched = await watch(passing({ metrics, lateSeconds: 60 }, 20), { ...step, seconds: 300 });

    const seen = watched.looks.map(({ at, canary }) => [(Date.parse(at) - TEN) / 60_000, canary.requests]);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    expect(seen).toEqual(seen.map(([minutes = 0]) => [minutes, 100 * Math.max(0, Math.floor(minutes) - 1)]));
    expect(seen.at(-1)?.[0]).toBeGreaterThanOrEqual(5);
    expect(seen.at(-1)?.[1]).toBeGreaterThanOrEqual(400);
    expect(verdictOf(watched)).toBe('pass');
  });

  test('what is bad ends the watch when it comes to be known, before the next minute is', async () => {
    standAt(0);
    const metrics = {
      'RequestCount green': [100, 100, 100, 100],
      'HTTPCode_Target_5XX_Count green': [0, 50],
    };

    const watched = await watch(passing({ metrics, lateSeconds: 60 }, 20), { ...step, seconds: 3_600 });

    // The second minute, known a minute after its end.
    expect(watched.looks.at(-1)?.canary).toMatchObject({ requests: 200, bad: 50 });
    expect(Date.now()).toBeLessThan(after(240).getTime());
    expect(verdictOf(watched)).toBe('fail');
  });

  test.each([
    ['before a whole minute of it has begun', 50],
    ['before its first whole minute is over', 110],
    ['before its first whole minute is known', 150],
  ])(
    'a look at a step that began within a minute, %s, sees nothing, which is no pass',
    async (_when, now) => {
      standAt(now);
      const metrics = { 'RequestCount green': [1_000, 1_000], 'RequestCount blue': [1_000, 1_000] };
      const since = after(30).toISOString();

      const watched = await watch(passing({ metrics, lateSeconds: 60 }, 0), { stepSeconds: 300, since });

      expect(watched.looks[0]).toMatchObject({ canary: { requests: 0 }, baseline: { requests: 0 } });
      expect(verdictOf(watched)).toBe('inconclusive');
      expect(verdictOf(watched, 100)).toBe('inconclusive');
    },
  );

  test('a look at a step whose first whole minute is known sees that alone', async () => {
    standAt(180);
    const metrics = { 'RequestCount green': [1_000, 100], 'RequestCount blue': [9_000, 900] };
    const since = after(30).toISOString();
    const { looks } = await watch(passing({ metrics, lateSeconds: 60 }, 0), { stepSeconds: 300, since });
    expect(looks[0]).toMatchObject({ canary: { requests: 100 }, baseline: { requests: 900 } });
  });
});
