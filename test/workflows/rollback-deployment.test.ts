import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { DeploymentReport } from '../../src/domain/report.ts';
import { COMMIT, OTHER_COMMIT } from './world.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';

const BACK = { environment: 'staging', failedVersion: '1.4.0', targetVersion: '1.3.0', reason: 'too slow' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

async function deploy(scene: Scene, versionTag: string, commitHash = COMMIT): Promise<void> {
  const deployed: DeploymentReport = await (
    await scene.start('deployToStaging', { versionTag, commitHash })
  ).result();
  expect(deployed.summary).toBe(`${versionTag} in staging is live and verified.`);
}

/** 1.3.0 and then 1.4.0 are live in staging. */
async function twoReleases(scene: Scene): Promise<void> {
  scene.world.policy('staging');
  await deploy(scene, '1.3.0', OTHER_COMMIT);
  await deploy(scene, '1.4.0');
  scene.world.calls.length = 0;
}

/** 1.4.0 serves, and a deployment of 1.5.0 was lost after its first change. */
async function aDirtyEnvironment(scene: Scene): Promise<void> {
  await twoReleases(scene);
  const rollout = scene.world.holdUp('judgeMetrics');
  const handle = await scene.start('deployToStaging', { versionTag: '1.5.0', commitHash: COMMIT });
  await rollout.reached;
  await handle.terminate('gone');
  rollout.go();
  scene.world.calls.length = 0;
}

async function statusOf(scene: Scene): Promise<EnvironmentStatus> {
  return await scene.environment('staging').query('status');
}

describe('a rollback', () => {
  test('goes back to a release of the ledger with all that it was made of', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const rollouts: string[] = [];
      scene.world.when('restoreService', ({ previous }) => void rollouts.push(previous.taskDefinition ?? ''));
      const restored: string[] = [];
      let planned: unknown;
      scene.world.when('restoreTerraform', ({ release, from }) => {
        planned = from;
        restored.push(release.commit);
      });
      const report: DeploymentReport = await (await scene.start('rollbackDeployment', BACK)).result();
      expect(report).toMatchObject({ outcome: 'Completed', release: { version: '1.3.0' } });
      expect(restored).toEqual([OTHER_COMMIT]);
      expect(planned).toMatchObject({ backend: 's3', workspace: 'default' });
      expect(rollouts).toEqual(['arn:task-definition/web:1.3.0']);
      expect(scene.world.writes).toEqual(['restoreTerraform', 'restoreService', 'writeStatus']);
      const status = await statusOf(scene);
      expect(status.current).toMatchObject({
        manifest: { version: '1.3.0', commit: OTHER_COMMIT },
        settings: ['/notes/1.3.0/MODEL'],
        reason: 'rolled back from 1.4.0: too slow',
      });
      expect(status.history).toHaveLength(3);
      expect(status.dirty).toBeUndefined();
    });
  });

  test('says what the release that is left had destroyed, which does not come back', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await deploy(scene, '1.3.0', OTHER_COMMIT);
      const usual = await scene.world.usual('planTerraform');
      const [change] = usual.changeSet.changes;
      const changes = [{ ...change, address: 'aws_db_instance.main', actions: ['delete'] }];
      scene.world.when('planTerraform', () => ({ ...usual, changeSet: { ...usual.changeSet, changes } }));
      await deploy(scene, '1.4.0');
      const report: DeploymentReport = await (await scene.start('rollbackDeployment', BACK)).result();
      const detail = report.steps.find(({ name }) => name === 'terraform')?.detail;
      expect(detail).toContain('did not come back: aws_db_instance.main was deleted');
      expect((await statusOf(scene)).current?.beyondRecall).toEqual([]);
    });
  });

  test('of the same Terraform configuration applies none', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await deploy(scene, '1.3.0');
      await deploy(scene, '1.4.0');
      scene.world.calls.length = 0;
      expect(await (await scene.start('rollbackDeployment', BACK)).result()).toMatchObject({
        outcome: 'Completed',
      });
      expect(scene.world.writes).toEqual(['restoreService', 'writeStatus']);
    });
  });

  test.each([
    ['a version that never was live', { targetVersion: '1.2.0' }, '1.2.0 was never live'],
    ['what runs already', { failedVersion: '1.3.0', targetVersion: '1.4.0' }, 'neither what runs'],
    ['away from what does not run', { failedVersion: '9.9.9' }, '1.4.0 runs'],
  ])('to %s is refused and changes nothing', async (_what, change, reason) => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const failure = await scene.failure(await scene.start('rollbackDeployment', { ...BACK, ...change }));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain(reason);
      expect(scene.world.writes).toEqual([]);
    });
  });

  test('with bad input fails at once', async () => {
    await stage.play(async (scene) => {
      for (const input of [null, { ...BACK, strategy: 'hope' }, { ...BACK, targetVersion: '1.4.0' }]) {
        const failure = await scene.failure(await scene.start('rollbackDeployment', input));
        expect(failure.type).toBe('InvalidInput');
      }
      expect(scene.world.calls).toEqual([]);
    });
  });

  test('whose images are gone is refused with every check that did not pass', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      scene.world.when('findManifest', () => ({
        kind: 'not built',
        missing: ['web'],
        detail: 'no image of web',
      }));
      scene.world.when('checkRequired', () => [{ name: 'secret', passed: false, detail: 'no api-key' }]);
      const failure = await scene.failure(await scene.start('rollbackDeployment', BACK));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('no image of web');
      expect(failure.message).toContain('no api-key');
      expect(scene.world.writes).toEqual([]);
    });
  });

  test('takes a dirty environment and cleans it', async () => {
    await stage.play(async (scene) => {
      await aDirtyEnvironment(scene);
      const back = { ...BACK, failedVersion: '1.5.0', targetVersion: '1.4.0' };
      const report: DeploymentReport = await (await scene.start('rollbackDeployment', back)).result();
      expect(report.outcome).toBe('Completed');
      expect(scene.world.writes).toContain('restoreTerraform');
      const status = await statusOf(scene);
      expect(status.dirty).toBeUndefined();
      expect(status.current?.manifest.version).toBe('1.4.0');
    });
  });

  test('goes ahead of the deployments that wait', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const rollout = scene.world.holdUp('startRollout');
      const bad = await scene.start('deployToStaging', { versionTag: '1.5.0', commitHash: COMMIT });
      await rollout.reached;
      const next = await scene.start('deployToStaging', { versionTag: '1.6.0', commitHash: COMMIT });
      const waiting = ({ queue }: EnvironmentStatus) => queue.length;
      await scene.until<EnvironmentStatus>(scene.environment('staging'), 'status', (s) => waiting(s) === 1);
      const back = await scene.start('rollbackDeployment', BACK);
      await scene.until<EnvironmentStatus>(scene.environment('staging'), 'status', (s) => waiting(s) === 2);
      expect((await statusOf(scene)).queue[0]?.workflowId).toBe(back.workflowId);
      await bad.signal('abort', { by: 'ada', reason: 'go back' });
      await scene.stopping(bad);
      rollout.go();
      expect(await scene.failure(bad)).toMatchObject({ type: 'Aborted' });
      expect(await back.result()).toMatchObject({ outcome: 'Completed' });
      await next.result();
      const { history } = await statusOf(scene);
      expect(history.map(({ manifest }) => manifest.version).slice(0, 3)).toEqual([
        '1.6.0',
        '1.3.0',
        '1.5.0',
      ]);
    });
  });

  test('is refused when, under the lock, something else runs than what it was to leave', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const rollout = scene.world.holdUp('startRollout');
      const good = await scene.start('deployToStaging', { versionTag: '1.5.0', commitHash: COMMIT });
      await rollout.reached;
      const back = await scene.start('rollbackDeployment', BACK);
      await scene.until<EnvironmentStatus>(
        scene.environment('staging'),
        'status',
        ({ queue }) => queue.length === 1,
      );
      rollout.go();
      expect(await good.result()).toMatchObject({ outcome: 'Completed' });
      const failure = await scene.failure(back);
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('1.5.0 runs');
      const status = await statusOf(scene);
      expect(status.current?.manifest.version).toBe('1.5.0');
      expect(status.holder).toBeUndefined();
      expect(status.dirty).toBeUndefined();
    });
  });
});

describe('a rollback that stops in the middle is incomplete and leaves the environment dirty', () => {
  test.each([
    [
      'because a service is not what it should be',
      'checkServiceStatus',
      [{ name: 'web', passed: false, detail: 'no capacity' }],
    ],
    [
      'because another version is served',
      'checkServedVersions',
      [{ name: 'web', passed: false, detail: 'no capacity' }],
    ],
  ] as const)('%s', async (_why, activity, answer) => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      scene.world.when(activity, () => answer);
      const failure = await scene.failure(await scene.start('rollbackDeployment', BACK));
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.message).toContain('no capacity');
      expect(failure.message).toContain('dirty');
      const status = await statusOf(scene);
      expect(status.dirty).toMatchObject({ version: '1.4.0', previousVersion: '1.3.0' });
      expect(status.holder).toBeUndefined();
    });
  });

  test('because an activity failed', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      scene.world.when('restoreService', () => {
        throw ApplicationFailure.nonRetryable('access denied', 'AccessDenied');
      });
      const failure = await scene.failure(await scene.start('rollbackDeployment', BACK));
      expect(failure.type).toBe('RollbackIncomplete');
      expect((await statusOf(scene)).dirty).toBeDefined();
      scene.world.when('restoreService', () => undefined);
      expect(await (await scene.start('rollbackDeployment', BACK)).result()).toMatchObject({
        outcome: 'Completed',
      });
      expect((await statusOf(scene)).dirty).toBeUndefined();
    });
  });

  test.each(['abort', 'cancel'])('by %s', async (how) => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const rollout = scene.world.holdUp('restoreService');
      const handle = await scene.start('rollbackDeployment', BACK);
      await rollout.reached;
      await (how === 'abort' ? handle.signal('abort', { by: 'ada', reason: 'no' }) : handle.cancel());
      await scene.stopping(handle);
      rollout.go();
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('RollbackIncomplete');
      expect((await statusOf(scene)).dirty).toMatchObject({ version: '1.4.0' });
    });
  });

  test('but one that is aborted while it waits for the lock has changed nothing', async () => {
    await stage.play(async (scene) => {
      await twoReleases(scene);
      const rollout = scene.world.holdUp('startRollout');
      const other = await scene.start('deployToStaging', { versionTag: '1.5.0', commitHash: COMMIT });
      await rollout.reached;
      const handle = await scene.start('rollbackDeployment', BACK);
      const environment = scene.environment('staging');
      await scene.until<EnvironmentStatus>(environment, 'status', ({ queue }) => queue.length === 1);
      await handle.signal('abort', { by: 'ada', reason: 'no need' });
      expect(await scene.failure(handle)).toMatchObject({ type: 'Aborted' });
      expect((await statusOf(scene)).queue).toEqual([]);
      rollout.go();
      expect(await other.result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});
