import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { ENVIRONMENT_SIGNALS } from '../../src/contract.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import type { Scene } from './scene.ts';
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

describe('a run that is cancelled while its apply is lost half-way', () => {
  const LOST = { created: ['aws_db_instance.main'], replaced: [], made: [], host: 'host-a' };
  const BEAT = { doing: 'terraform apply', apply: 'begun', ...LOST };

  /** Cancels a run once `lose` has lost its apply. @returns how it ended, and what each way back was told */
  async function cancelledIn(scene: Scene, lose: (attempt: number, lost: () => void) => Promise<never>) {
    scene.world.policy('staging');
    await (await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.3.0' })).result();
    const told: unknown[] = [];
    scene.world.when('restoreTerraform', ({ unfinished }) => {
      told.push(unfinished);
      if (unfinished === undefined) return undefined;
      throw ApplicationFailure.nonRetryable('suspect: aws_db_instance.main', 'ApplyInterrupted');
    });
    const lost = new Promise<void>((resolve) => {
      scene.world.when('applyTerraform', () => lose(Context.current().info.attempt, resolve));
    });
    const run = await scene.start('deployToStaging', RELEASE);
    await lost;
    const pending = async () => (await run.describe()).raw.pendingActivities?.[0];
    while ((await pending())?.heartbeatDetails == null);
    await run.cancel();
    await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.what.includes('suspect') === true);
    await run.signal('decide', { by: 'ada', action: 'retry' });
    return { failure: await scene.failure(run), told };
  }

  test('asks before it goes back, when no heartbeat comes any more', async () => {
    await stage.play(async (scene) => {
      let end: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const { failure, told } = await cancelledIn(scene, async (attempt, lost) => {
        if (attempt === 1) {
          const details = [{ reason: 'StateLocked', started: false }];
          throw ApplicationFailure.create({ message: 'locked', type: 'TerraformFailed', details });
        }
        Context.current().heartbeat(BEAT);
        lost();
        await ended;
        throw new Error('nobody hears it');
      });
      end();
      expect(told).toEqual([LOST, undefined]);
      expect(failure.type).toBe('Aborted');
      expect(failure.message).toContain('the run was cancelled; the step then under way ended with');
    });
  }, 60_000);

  test('asks before it goes back, when no worker has taken the next attempt', async () => {
    await stage.play(async (scene) => {
      const { failure, told } = await cancelledIn(scene, async (_attempt, lost) => {
        Context.current().heartbeat(BEAT);
        lost();
        throw ApplicationFailure.create({ message: 'gone', nextRetryDelay: '1 hour' });
      });
      expect(told).toEqual([{ created: [], replaced: [], made: [], perhaps: true }, undefined]);
      expect(failure.type).toBe('Aborted');
    });
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
