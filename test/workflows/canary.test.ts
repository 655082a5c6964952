import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import type { Activities } from '../../src/workflows/activities.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';
import { aCanary, aLook, aService, COMMIT } from './world.ts';

const NEXT = { versionTag: '1.4.0', commitHash: COMMIT };
const FIRST = { versionTag: '1.3.0', commitHash: 'c'.repeat(40) };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

type Policy = NonNullable<Parameters<Scene['world']['policy']>[1]>;

/** Production serves something, and has a policy by which 1.4.0 goes by canary. */
function live(scene: Scene, changes: Policy = {}): void {
  scene.world.policy('production', { rollout: aCanary(['web']), ...changes });
  for (const { name } of scene.world.policies['production']?.services ?? [])
    scene.world.taskDefinitionOf[`production/${name}`] = `arn:task-definition/${name}:1.3.0`;
}

/** As `live`, deployed by Slipway, so that the ledger knows it. */
async function deployed(scene: Scene): Promise<void> {
  scene.world.policy('production', { rollout: aCanary(['web']) });
  await (await scene.start('deployToProduction', FIRST)).result();
  scene.world.calls.length = 0;
}

async function deploy(scene: Scene): Promise<WorkflowHandle> {
  return await scene.start('deployToProduction', NEXT);
}

type WatchInput = Parameters<Activities['watchCanary']>[0];

/** Starts 1.4.0; `watch` answers for ECS and CloudWatch, and may send the run signals. */
async function steered(
  scene: Scene,
  watch: (input: WatchInput, call: number, run: WorkflowHandle) => unknown,
): Promise<WorkflowHandle> {
  const started = Promise.withResolvers<WorkflowHandle>();
  scene.world.when('watchCanary', async (input, call) => await watch(input, call, await started.promise));
  const run = await deploy(scene);
  started.resolve(run);
  return run;
}

/** Returns when the sampling has been told to stop. */
async function promote(scene: Scene, run: WorkflowHandle, reason: string): Promise<void> {
  await run.signal('promote', { by: 'alice', reason });
  await scene.stopping(run);
}

const bad = (weight: number) => ({ looks: [aLook('web', { bad: 300, weight })], ended: [] });
const nobody = () => ({ looks: [aLook('web', { requests: 3 })], ended: [] });

const CHAIN = {
  services: [aService('api'), aService('web', ['api'])],
  rollout: aCanary(['api', 'web']),
};

describe('a release that is good', () => {
  test('gets its traffic step by step, is verified while the old tasks are there, and then lets them go', async () => {
    await stage.play(async (scene) => {
      live(scene);
      let paused: unknown;
      scene.world.when('checkServiceStatus', (input) => void (paused = input.paused));
      const report: DeploymentReport = await (await deploy(scene)).result();
      expect(report.outcome).toBe('Completed');
      expect(scene.world.released).toEqual(['web from 0', 'web from 20', 'web from 100']);
      const order = ['awaitPause', 'continueRollout', 'watchCanary', 'checkServiceStatus', 'watchWindow'];
      expect(scene.world.calls.filter((call) => [...order, 'followRollout'].includes(call))).toEqual([
        'awaitPause',
        ...['continueRollout', 'awaitPause', 'watchCanary'],
        ...['continueRollout', 'awaitPause', 'watchCanary'],
        ...['checkServiceStatus', 'watchWindow'],
        ...['continueRollout', 'followRollout'],
      ]);
      expect(paused).toEqual([expect.objectContaining({ service: 'web' })]);
      expect(report.canary).toMatchObject([
        { service: 'web', weight: 20, verdict: 'pass', looks: 1 },
        { service: 'web', weight: 100, verdict: 'pass', looks: 1 },
      ]);
    });
  });

  test('runs the smoke suites before it has any traffic', async () => {
    await stage.play(async (scene) => {
      const suite = { name: 'smoke', command: ['true'], timeoutSeconds: 60, environment: {} };
      live(scene, { rollout: aCanary(['web'], { smoke: [suite] }) });
      let releasedBefore = -1;
      scene.world.when('runTests', () => void (releasedBefore = scene.world.released.length));
      await (await deploy(scene)).result();
      expect(releasedBefore).toBe(0);
    });
  });

  test('goes wave by wave; a wave stays at its last pause until all are verified', async () => {
    await stage.play(async (scene) => {
      live(scene, CHAIN);
      await (await deploy(scene)).result();
      expect(scene.world.released).toEqual([
        ...['api from 0', 'api from 20'],
        ...['web from 0', 'web from 20'],
        ...['api from 100', 'web from 100'],
      ]);
    });
  });

  test('shifts services of one wave together', async () => {
    await stage.play(async (scene) => {
      live(scene, {
        services: [aService('api'), aService('web')],
        rollout: aCanary(['api', 'web']),
      });
      await (await deploy(scene)).result();
      expect(scene.world.released.slice(0, 4)).toEqual([
        'api from 0',
        'web from 0',
        'api from 20',
        'web from 20',
      ]);
    });
  });

  test('rolls a service that does not go by canary, after those of its wave that do', async () => {
    await stage.play(async (scene) => {
      live(scene, { services: [aService('queue'), aService('web')] });
      const kinds: string[] = [];
      scene.world.when('startRollout', ({ service, by }) => void kinds.push(`${service.name} ${by}`));
      await (await deploy(scene)).result();
      expect(kinds).toEqual(['web canary', 'queue rolling']);
    });
  });

  test('a first deployment has nothing to compare with: it rolls, and a hold is told to be for nothing', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', { rollout: aCanary(['web']) });
      const followed = scene.world.holdUp('followRollout');
      const run = await deploy(scene);
      await followed.reached;
      await run.signal('hold', { by: 'alice' });
      followed.go();
      const report: DeploymentReport = await run.result();
      expect(scene.world.released).toEqual([]);
      expect(report.ignored).toMatchObject([{ signal: 'hold', by: 'alice' }]);
    });
  });
});

describe('a release that is bad', () => {
  test('is taken back at its first step, and the failure says what was seen', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('watchCanary', () => bad(20));
      const failure = await scene.failure(await deploy(scene));
      expect(failure.type).toBe('RolledBack');
      expect(failure.message).toContain('300 of 1000 requests');
      expect(scene.world.released).toEqual(['web from 0']);
      expect(scene.world.writes).toContain('restoreService');
      expect(failure.report['canary']).toMatchObject([{ service: 'web', weight: 20, verdict: 'fail' }]);
    });
  });

  test('in a later wave takes the earlier waves back too, the last first', async () => {
    await stage.play(async (scene) => {
      live(scene, CHAIN);
      scene.world.when('watchCanary', ({ shifting }) =>
        shifting.length > 1
          ? {
              looks: shifting.map(({ service }) =>
                aLook(service.name, service.name === 'web' ? { bad: 300 } : { weight: 100 }),
              ),
              ended: [],
            }
          : undefined,
      );
      const restored: string[] = [];
      scene.world.when('restoreService', ({ service }) => void restored.push(service.name));
      const failure = await scene.failure(await deploy(scene));
      expect(failure.type).toBe('RolledBack');
      expect(restored).toEqual(['web', 'api']);
    });
  });

  test('whose earlier wave goes bad while a later one shifts is taken back', async () => {
    await stage.play(async (scene) => {
      live(scene, CHAIN);
      scene.world.when('watchCanary', ({ shifting }) =>
        shifting.length > 1
          ? {
              looks: shifting.map(({ service }) =>
                aLook(service.name, { bad: service.name === 'api' ? 300 : 0, weight: 100 }),
              ),
              ended: [],
            }
          : undefined,
      );
      const failure = await scene.failure(await deploy(scene));
      expect(failure).toMatchObject({ type: 'RolledBack', message: expect.stringContaining('api') });
    });
  });

  test('that fails its verification at 100 % goes back without the old tasks having gone', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('checkServedVersions', () => [
        { name: 'version', passed: false, detail: 'serves 0.9' },
      ]);
      const failure = await scene.failure(await deploy(scene));
      expect(failure.type).toBe('RolledBack');
      expect(scene.world.released).toEqual(['web from 0', 'web from 20']);
    });
  });
});

describe('canaries that wait at 100 %', () => {
  const manualTest = { instructions: 'write a text', expiresAfterSeconds: 24 * 3600 };
  const metrics = { windowSeconds: 60 };

  test('are guarded while a person tests', async () => {
    await stage.play(async (scene) => {
      live(scene, { verification: { metrics, tests: [], soakSeconds: 0, manualTest } });
      scene.world.when('watchCanary', ({ guardsOnly }) => (guardsOnly === true ? bad(100) : undefined));
      const run = await deploy(scene);
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'recordManualTest');
      await scene.sleep('10 minutes');
      expect(await scene.failure(run)).toMatchObject({
        type: 'RolledBack',
        message: expect.stringContaining('300 of 1000'),
      });
    });
  });

  const unjudged = [
    {
      service: 'web',
      metric: 'errorRate',
      outcome: 'not judged',
      threshold: 0.01,
      reason: '3 requests seen, 100 are needed to judge',
    },
  ];

  test('do not pass on what could not be judged', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('watchWindow', () => ({ checks: [], metrics: unjudged }));
      const failure = await scene.failure(await deploy(scene));
      expect(failure).toMatchObject({
        type: 'RolledBack',
        message: expect.stringContaining('web errorRate: 3 requests seen'),
      });
      expect(scene.world.calls.filter((call) => call === 'watchWindow')).toHaveLength(2);
    });
  });

  test('are asked about when they could not be judged, by a policy that says so', async () => {
    await stage.play(async (scene) => {
      live(scene, { rollout: aCanary(['web'], { onInconclusive: 'ask' }) });
      scene.world.when('watchWindow', () => ({ checks: [], metrics: unjudged }));
      const run = await deploy(scene);
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'decide');
      await run.signal('decide', { by: 'alice', action: 'continue' });
      expect(await run.result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});

test('a service that runs the release already is waited for, not shifted', async () => {
  await stage.play(async (scene) => {
    live(scene);
    scene.world.when('startRollout', ({ service, taskDefinition }) => ({
      service: service.name,
      taskDefinition,
      desiredCount: 4,
    }));
    expect(await (await deploy(scene)).result()).toMatchObject({ outcome: 'Completed', canary: [] });
    expect(scene.world.calls).toContain('followRollout');
    expect(scene.world.calls).not.toContain('awaitPause');
  });
});

describe('what ECS does by itself', () => {
  const ended = { outcome: 'fail' as const, reasons: ['ECS ended the rollout as ROLLBACK_SUCCESSFUL'] };

  test.each(['awaitPause', 'watchCanary'] as const)(
    'a rollout that it ended (seen by %s) is rolled back to the end and reported',
    async (activity) => {
      await stage.play(async (scene) => {
        await deployed(scene);
        if (activity === 'awaitPause')
          scene.world.when('awaitPause', () => ({ kind: 'ended', verdict: ended }));
        else
          scene.world.when('watchCanary', () => ({ looks: [], ended: [{ service: 'web', verdict: ended }] }));
        const failure = await scene.failure(await deploy(scene));
        expect(failure.type).toBe('RolledBack');
        expect(failure.message).toContain('ROLLBACK_SUCCESSFUL');
        expect(scene.world.writes.slice(-4)).toEqual([
          'restoreService',
          'restoreTerraform',
          'deleteSettings',
          'withdrawPromotion',
        ]);
      });
    },
  );

  test('traffic at another weight than was asked for is taken back', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('awaitPause', ({ after }) =>
        after === undefined
          ? undefined
          : {
              kind: 'paused',
              pause: { hookId: 'web#1', weight: 50, last: false, expiresAt: '2099-01-01T00:00:00Z' },
            },
      );
      const failure = await scene.failure(await deploy(scene));
      expect(failure).toMatchObject({
        type: 'RolledBack',
        message: expect.stringContaining('50 %, where 20 % was due'),
      });
    });
  });
});

describe('a step that is inconclusive at its end', () => {
  test('is taken back, by a policy that says so', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('watchCanary', nobody);
      const failure = await scene.failure(await deploy(scene));
      expect(failure).toMatchObject({ type: 'RolledBack', message: expect.stringContaining('inconclusive') });
    });
  });

  test.each([
    ['continue', 'Completed', ['web from 0', 'web from 20', 'web from 100']],
    ['retry', 'Completed', ['web from 0', 'web from 20', 'web from 100']],
    ['rollback', 'RolledBack', ['web from 0']],
  ])('is asked about, by a policy that says so: %s', async (action, outcome, released) => {
    await stage.play(async (scene) => {
      live(scene, { rollout: aCanary(['web'], { onInconclusive: 'ask' }) });
      scene.world.when('watchCanary', (_, call) => (call === 1 ? nobody() : undefined));
      const run = await deploy(scene);
      const asked = await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting !== undefined);
      expect(asked.waiting?.what).toContain('3 requests');
      expect(Date.parse(asked.waiting?.until ?? '')).not.toBeNaN();
      await run.signal('decide', { by: 'alice', action });
      if (outcome === 'Completed') expect(await run.result()).toMatchObject({ outcome });
      else expect((await scene.failure(run)).type).toBe(outcome);
      expect(scene.world.released).toEqual(released);
    });
  });

  test('while nobody decides is looked at; ECS having gone back by itself ends the question', async () => {
    await stage.play(async (scene) => {
      live(scene, { rollout: aCanary(['web'], { onInconclusive: 'ask' }) });
      const verdict = { outcome: 'fail' as const, reasons: ['nobody acted on the pause in time'] };
      scene.world.when('watchCanary', (_, call) =>
        call < 4 ? nobody() : { looks: [], ended: [{ service: 'web', verdict }] },
      );
      const run = await deploy(scene);
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting !== undefined);
      await scene.sleep('2 hours');
      const failure = await scene.failure(run);
      expect(failure).toMatchObject({ type: 'RolledBack', message: expect.stringContaining('in time') });
    });
  });
});

describe('people, mid-canary', () => {
  test('hold it where it is, see when it goes back by itself, and resume it', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const watching = scene.world.holdUp('watchCanary');
      const run = await deploy(scene);
      await watching.reached;
      await run.signal('hold', { by: 'alice', reason: 'a look at the logs' });
      watching.go();
      const held = await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting !== undefined);
      expect(held.held).toMatchObject({ by: 'alice', reason: 'a look at the logs' });
      expect(held.paused).toMatchObject({ services: ['web'], weight: 20 });
      expect(held.waiting).toMatchObject({
        what: expect.stringContaining('held at 20 % by alice'),
        until: held.paused?.expiresAt,
      });
      expect(scene.world.released).toEqual(['web from 0']);
      await run.signal('resume', { by: 'bob' });
      expect(await run.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('a canary that is held is still guarded', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const run = await steered(scene, async (_, call, handle) => {
        if (call === 1) await handle.signal('hold', { by: 'alice' });
        return call < 4 ? undefined : bad(20);
      });
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting !== undefined);
      await scene.sleep('1 hour');
      const failure = await scene.failure(run);
      expect(failure).toMatchObject({ type: 'RolledBack', message: expect.stringContaining('300 of 1000') });
      // Looks while it is held are no steps of the canary.
      expect(failure.report['canary']).toMatchObject([{ weight: 20, verdict: 'pass' }]);
    });
  });

  test('promote it: of the rest of the waiting only as much is left as the guards need to see anything', async () => {
    await stage.play(async (scene) => {
      live(scene, { rollout: aCanary(['web'], { bakeSeconds: 7200 }) });
      const seen: [number, boolean | undefined][] = [];
      const run = await steered(scene, async ({ seconds, guardsOnly }, call, handle) => {
        seen.push([seconds, guardsOnly]);
        if (call === 1) await promote(scene, handle, 'an incident waits for it');
      });
      const report: DeploymentReport = await run.result();
      expect(seen.slice(1)).toEqual([
        [180, true],
        [180, true],
      ]);
      expect(report.canary).toMatchObject([{ verdict: 'skipped' }, { verdict: 'skipped' }]);
      expect(report.canary?.[0]?.reasons[0]).toContain('alice skipped the waiting: an incident');
    });
  });

  test('promote what is bad: the guards hold', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const run = await steered(scene, async ({ guardsOnly }, call, handle) => {
        if (call === 1) await promote(scene, handle, 'hurry');
        return guardsOnly === true ? bad(20) : undefined;
      });
      expect(await scene.failure(run)).toMatchObject({ type: 'RolledBack' });
    });
  });

  test('a promotion cuts the sampling short', async () => {
    await stage.play(async (scene) => {
      live(scene, { rollout: aCanary(['web'], { bakeSeconds: 7200 }) });
      const watching = scene.world.holdUp('watchCanary');
      const run = await deploy(scene);
      await watching.reached;
      await run.signal('promote', { by: 'alice', reason: 'seen enough' });
      await scene.stopping(run);
      watching.go();
      expect(await run.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('a hold right after a promotion takes it back: the step is watched to its end, and held', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const guarded: (boolean | undefined)[] = [];
      const run = await steered(scene, async ({ guardsOnly }, call, handle) => {
        guarded.push(guardsOnly);
        if (call === 1) await promote(scene, handle, 'hurry');
        if (call === 2) await handle.signal('hold', { by: 'bob' });
      });
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'resume');
      expect(guarded).toEqual([undefined, true, undefined]);
      expect(scene.world.released).toEqual(['web from 0']);
      await run.signal('resume', { by: 'bob' });
      expect(await run.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('a promotion of what nobody has seen yet, or of what has all its traffic, is told to be for nothing', async () => {
    await stage.play(async (scene) => {
      live(scene);
      scene.world.when('startRollout', async () => {
        await run.signal('promote', { by: 'alice', reason: 'early' });
      });
      scene.world.when('watchWindow', async () => {
        await run.signal('promote', { by: 'alice', reason: 'late' });
      });
      const run = await deploy(scene);
      const report: DeploymentReport = await run.result();
      expect(report.canary).toMatchObject([{ verdict: 'pass' }, { verdict: 'pass' }]);
      expect(report.ignored).toMatchObject([{ signal: 'promote' }, { signal: 'promote' }]);
    });
  });

  test('hold a step that is then inconclusive: nothing goes back, it is watched once more', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const run = await steered(scene, async (_, call, handle) => {
        if (call > 1) return undefined;
        await handle.signal('hold', { by: 'alice', reason: 'too little traffic yet' });
        return nobody();
      });
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'resume');
      await run.signal('resume', { by: 'alice' });
      const report: DeploymentReport = await run.result();
      expect(report.canary).toMatchObject([
        { weight: 20, verdict: 'inconclusive' },
        { weight: 20, verdict: 'pass' },
        { weight: 100, verdict: 'pass' },
      ]);
    });
  });

  test('abort it: all goes back', async () => {
    await stage.play(async (scene) => {
      live(scene);
      const watching = scene.world.holdUp('watchCanary');
      const run = await deploy(scene);
      await watching.reached;
      await run.signal('abort', { by: 'alice', reason: 'wrong release' });
      await scene.stopping(run);
      watching.go();
      expect(await scene.failure(run)).toMatchObject({ type: 'Aborted' });
      expect(scene.world.writes).toContain('restoreService');
    });
  });

  test('who is in no group of the policy steers nothing', async () => {
    await stage.play(async (scene) => {
      const groups = { managers: ['alice'] };
      live(scene, { signals: { groups, allowed: { hold: ['managers'], promote: ['managers'] } } });
      const watching = scene.world.holdUp('watchCanary');
      const run = await deploy(scene);
      await watching.reached;
      await run.signal('hold', { by: 'mallory' });
      await run.signal('promote', { by: 'mallory', reason: 'now' });
      await run.signal('resume', { by: 'alice' });
      watching.go();
      const report: DeploymentReport = await run.result();
      expect(report.ignored).toMatchObject([
        { signal: 'hold', by: 'mallory' },
        { signal: 'promote', by: 'mallory' },
        { signal: 'resume', by: 'alice', reason: 'nothing is held' },
      ]);
    });
  });
});
