import { StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createCanaryActivities } from '../../../src/activities/canary/activities.ts';
import type { CanaryActivities } from '../../../src/activities/canary/types.ts';
import type { JudgePolicy } from '../../../src/domain/policy.ts';
import {
  aShiftingService,
  answer,
  canary,
  ended,
  hookOf,
  paused,
} from '../../sandbox/ecs/shifting-service.ts';
import { goodApp, until } from '../../sandbox/ecs/world.ts';
import { anActivity, aRig, aService, aTarget, inside } from '../ecs/aRollout.ts';
import type { Rig } from '../ecs/aRollout.ts';

type WatchInput = Parameters<CanaryActivities['watchCanary']>[0];

/** Fails one request in four, is slow in one of the others in three, and dies when it is asked to. */
const worseApp = `
  import { createServer } from 'node:http';
  let n = 0;
  createServer((request, response) => {
    if (request.url === '/health') return response.end('ok');
    if (request.url === '/die') setTimeout(() => process.exit(9), 10);
    const [bad, slow] = [++n % 4 === 0, n % 3 === 0];
    response.writeHead(bad ? 500 : 200);
    setTimeout(() => response.end(slow && !bad ? 'slow' : 'two'), slow && !bad ? 700 : 0);
  }).listen(Number(process.env.PORT), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));`;

const judge: JudgePolicy = {
  minimumRequests: 40,
  latency: { thresholdSeconds: 0.5, minimumShare: 0.2 },
};

let rig: Rig;
let activities: CanaryActivities;
beforeAll(async () => {
  rig = await aRig();
  const assertHolder = async () => undefined;
  activities = createCanaryActivities({ aws: rig.aws, assertHolder, pollMilliseconds: 30 });
});
afterAll(() => rig.close());

/** Deploys `app` on a service that goes by canary, up to the pause at 20 %. */
async function atTwentyPercent(name: string, app: string): Promise<WatchInput['shifting'][number]> {
  const { world } = rig;
  const taskDefinition = await world.define(name, await world.push(name, app));
  await world.update(name, { taskDefinition });
  const first = await answer(world, await paused(world, name), 'CONTINUE');
  const { serviceDeploymentArn = '', ...rollout } = await paused(world, name, first);
  return {
    service: aService(name),
    rollout: { service: name, taskDefinition, desiredCount: 1, serviceDeploymentArn },
    pause: { hookId: hookOf(rollout) ?? '', weight: 20, last: false, expiresAt: '2030-01-01T00:00:00.000Z' },
  };
}

const watch = (shifting: WatchInput['shifting'], since: Date, change: Partial<WatchInput> = {}) =>
  inside(anActivity(), () =>
    activities.watchCanary({
      target: aTarget(),
      shifting,
      judge,
      allowedTaskDeaths: 0,
      since: since.toISOString(),
      stepSeconds: 4,
      seconds: 0,
      ...change,
    }),
  );

/** What a step counts begins with the next whole second. */
async function nextSecond(): Promise<Date> {
  const since = new Date();
  const next = (Math.floor(since.getTime() / 1_000) + 1) * 1_000;
  await until(
    async () => Date.now(),
    (now) => now >= next,
  );
  return since;
}

/** Sends requests, and counts the bodies of the good answers and the statuses of the others. */
async function send(url: string, requests: number) {
  const counted: Record<string, number> = {};
  for (let i = 0; i < requests; i += 100) {
    const some = Array.from({ length: Math.min(100, requests - i) }, async () => {
      const response = await fetch(url);
      const body = await response.text();
      return response.ok ? body : String(response.status);
    });
    for (const who of await Promise.all(some)) counted[who] = (counted[who] ?? 0) + 1;
  }
  return counted;
}

test('what users of each version got is what is counted, whichever of its two groups the release is in', async () => {
  const { url } = await aShiftingService(rig.world, 'shop', canary, { desiredCount: 1 });
  for (const [old, release] of [
    ['one', worseApp],
    ['two', goodApp('three')],
  ] as const) {
    const shifting = await atTwentyPercent('shop', release);
    const since = await nextSecond();
    const got = await send(url, 300);
    const { looks } = await until(
      () => watch([shifting], since),
      ({ looks: [look] }) => look?.balancer.requests === 300,
    );

    const [look] = looks;
    const bad = got['500'] ?? 0;
    const slow = got['slow'] ?? 0;
    const worse = { requests: (got['two'] ?? 0) + slow + bad, bad };
    const sides = [look?.canary, look?.baseline];
    expect(sides).toMatchObject(
      old === 'one' ? [worse, { requests: got['one'], bad: 0 }] : [{ requests: got['three'], bad: 0 }, worse],
    );
    expect(bad).toBeGreaterThan(5);
    expect(slow).toBeGreaterThan(5);
    // A busy machine makes others slow too.
    expect(sides[old === 'one' ? 0 : 1]?.slow).toBeGreaterThanOrEqual(slow);
    const last = await answer(rig.world, await rig.world.rollout('shop'), 'CONTINUE');
    await answer(rig.world, await paused(rig.world, 'shop', last), 'CONTINUE');
    expect((await ended(rig.world, 'shop')).status).toBe('SUCCESSFUL');
  }
}, 60_000);

test('a canary that fails requests is caught while traffic goes on', async () => {
  const { url } = await aShiftingService(rig.world, 'editor', canary, { desiredCount: 1 });
  const shifting = await atTwentyPercent('editor', worseApp);
  const over = new AbortController();
  const traffic = (async () => {
    while (!over.signal.aborted) await send(url, 100);
  })();
  const strict = { ...judge, maximumErrorRateIncrease: 0.05 };

  const { looks, ended: gone } = await watch([shifting], new Date(), { judge: strict, seconds: 3_600 });
  over.abort();
  await traffic;

  expect(gone).toEqual([]);
  expect(looks.at(-1)?.canary.requests).toBeGreaterThanOrEqual(40);
  expect(looks.at(-1)?.baseline).toMatchObject({ bad: 0 });
}, 30_000);

test('a task that dies in the canary, and a rollout that is stopped from outside, end the watch', async () => {
  const { url } = await aShiftingService(rig.world, 'worker', canary, { desiredCount: 1 });
  const shifting = await atTwentyPercent('worker', worseApp);
  const watching = watch([shifting], new Date(), { seconds: 3_600 });
  await until(
    async () => (await fetch(`${url}/die`)).text(),
    (who) => who !== 'one',
  );

  expect((await watching).looks.at(-1)).toMatchObject({
    deaths: 1,
    stoppedReasons: [expect.stringContaining('exit code 9')],
  });

  const another = watch([shifting], new Date(), { seconds: 3_600, allowedTaskDeaths: 9 });
  const { serviceDeploymentArn } = shifting.rollout;
  await rig.world.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: 'ROLLBACK' }));
  const { ended: gone } = await another;
  expect(gone).toEqual([
    {
      service: 'worker',
      verdict: {
        outcome: 'fail',
        reasons: expect.arrayContaining([expect.stringMatching(/ECS ended the rollout of worker as/)]),
      },
    },
  ]);
}, 30_000);
