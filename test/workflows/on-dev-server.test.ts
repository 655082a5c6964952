import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { ENVIRONMENT_SIGNALS } from '../../src/contract.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { COMMIT, TWO_GROUPS } from './world.ts';
import { Stage } from './stage.ts';

/** What the time-skipping server does not do, or not as a real one does. */

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('dev');
}, 60_000);
afterAll(async () => {
  await stage.close();
});

async function firstRun(handle: WorkflowHandle): Promise<string> {
  return (await handle.describe()).runId;
}

test('terminating the pipeline has its child put everything back: nothing is left half-changed', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('development');
    scene.world.policy('staging');
    const rollout = scene.world.holdUp('startRollout');
    const pipeline = await scene.start('deploymentPipeline', RELEASE);
    await rollout.reached;
    const child = scene.child('development', '1.4.0');
    await pipeline.terminate('in the UI');
    await scene.stopping(child);
    rollout.go();
    const failure = await scene.failure(child);
    expect(failure.type).toBe('Aborted');
    expect(scene.world.writes).toContain('restoreService');
    const status: EnvironmentStatus = await scene.environment('development').query('status');
    expect(status.holder).toBeUndefined();
    expect(status.dirty).toBeUndefined();
    expect(status.history[0]).toMatchObject({ outcome: 'Aborted', manifest: { version: '1.4.0' } });
  });
});

test('cancelling the pipeline, as the UI does, is an abort of its child', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('development');
    const rollout = scene.world.holdUp('startRollout');
    const pipeline = await scene.start('deploymentPipeline', RELEASE);
    await rollout.reached;
    await pipeline.cancel();
    await scene.stopping(scene.child('development', '1.4.0'));
    rollout.go();
    const failure = await scene.failure(pipeline);
    expect(failure.type).toBe('Aborted');
    expect(failure.report).toMatchObject({
      failed: { environment: 'development', report: { outcome: 'Aborted' } },
    });
    expect(scene.world.writes).toContain('restoreService');
  });
});

test('a child that is terminated fails the pipeline as a rollback that is incomplete, and is named', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('development');
    const rollout = scene.world.holdUp('startRollout');
    const pipeline = await scene.start('deploymentPipeline', RELEASE);
    await rollout.reached;
    const child = scene.child('development', '1.4.0');
    await child.terminate('gone');
    rollout.go();
    const failure = await scene.failure(pipeline);
    expect(failure.type).toBe('RollbackIncomplete');
    expect(failure.message).toContain(child.workflowId);
  });
});

test('an environment that continues as new keeps its holder, its queue and what people said', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    const rollout = scene.world.holdUp('startRollout');
    const first = await scene.start('deployToStaging', RELEASE);
    await rollout.reached;
    const environment = scene.environment('staging');
    const run = await firstRun(environment);
    const second = await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.5.0' });
    await scene.until<EnvironmentStatus>(environment, 'status', ({ queue }) => queue.length === 1);
    const before: EnvironmentStatus = await environment.query('status');
    while ((await firstRun(environment)) === run) {
      for (let i = 0; i < 20; i++)
        await environment.signal(ENVIRONMENT_SIGNALS.withdrawRequest, `nobody/${i}`);
    }
    expect(await environment.query('status')).toEqual(before);
    rollout.go();
    expect(await first.result()).toMatchObject({ outcome: 'Completed' });
    expect(await second.result()).toMatchObject({ outcome: 'Completed' });
    const { history }: EnvironmentStatus = await environment.query('status');
    expect(history.map(({ manifest }) => manifest.version)).toEqual(['1.5.0', '1.4.0']);
  });
});

test('a run that was flooded still ends, with a report that its failure can hold', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production', { approval: TWO_GROUPS });
    const handle = await scene.start('deployToProduction', RELEASE);
    await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
    const comment = 'é'.repeat(2000);
    for (let i = 0; i < 30; i++) {
      await Promise.all(
        Array.from({ length: 20 }, () => handle.signal('approve', { by: 'mallory', comment })),
      );
    }
    await handle.cancel();
    const failure = await scene.failure(handle);
    expect(failure.type).toBe('Aborted');
    expect(Buffer.byteLength(JSON.stringify(failure.report))).toBeLessThanOrEqual(256 * 1024);
  });
}, 60_000);
