import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { PipelineReport } from '../../src/domain/report.ts';
import type { PipelineStatus, RunStatus } from '../../src/domain/status.ts';
import { COMMIT, OTHER_COMMIT, TWO_GROUPS } from './world.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

function aPlatform({ world }: Scene): void {
  world.policy('development');
  world.policy('staging');
  world.policy('production', { approval: TWO_GROUPS });
}

describe('a release that is good', () => {
  test('passes every environment in order, each as a child of its own type, started by who started the pipeline', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.policy('canada');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await handle.signal('approve', { by: 'bob' });
      await handle.signal('approve', { by: 'carol' });
      const report: PipelineReport = await handle.result();
      expect(report).toMatchObject({
        outcome: 'Completed',
        deployed: ['development', 'staging', 'production', 'canada'],
      });
      expect(report.summary).toContain('development, staging, production, canada');
      const types = await Promise.all(
        report.deployed.map(async (name) => (await scene.child(name, '1.4.0').describe()).type),
      );
      expect(types).toEqual([
        'deployToDevelopment',
        'deployToStaging',
        'deployToProduction',
        'deployToEnvironment',
      ]);
      const began = scene.world.notices.filter(({ kind }) => kind === 'started');
      expect(began.map(({ environment }) => environment)).toEqual(report.deployed);
      expect(began.every(({ text }) => text.startsWith('starter deploys'))).toBe(true);
      const status: PipelineStatus = await handle.query('status');
      expect(status.environments.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
    });
  });

  test('goes no further than `through`', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const handle = await scene.start('deploymentPipeline', {
        ...RELEASE,
        through: 'staging',
        startedBy: 'ada',
      });
      expect(await handle.result()).toMatchObject({ deployed: ['development', 'staging'] });
      expect(scene.world.notices[0]?.text).toContain('ada deploys 1.4.0 to development');
    });
  });
});

describe('before any environment is touched', () => {
  test('bad input fails at once', async () => {
    await stage.play(async (scene) => {
      const failure = await scene.failure(
        await scene.start('deploymentPipeline', { ...RELEASE, through: 'Prod!' }),
      );
      expect(failure).toMatchObject({ type: 'InvalidInput' });
      expect(failure.message).toContain('through');
      expect(scene.world.calls).toEqual([]);
    });
  });

  test('an environment that the platform does not have is InvalidInput, with those it has', async () => {
    await stage.play(async (scene) => {
      scene.world.when('loadPipelinePolicy', () => {
        throw ApplicationFailure.nonRetryable('no environment prod; there are staging', 'InvalidInput');
      });
      const failure = await scene.failure(
        await scene.start('deploymentPipeline', { ...RELEASE, through: 'prod' }),
      );
      expect(failure).toMatchObject({ type: 'InvalidInput' });
      expect(failure.message).toContain('there are staging');
    });
  });

  test('a release without images is ReleaseNotBuilt', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.when('findManifest', () => ({
        kind: 'not built',
        missing: ['web'],
        detail: 'no image of web.',
      }));
      const failure = await scene.failure(await scene.start('deploymentPipeline', RELEASE));
      expect(failure.type).toBe('ReleaseNotBuilt');
      expect(failure.message).toBe('no image of web. Nothing was changed.');
      expect(failure.report).toMatchObject({ outcome: 'ReleaseNotBuilt', deployed: [] });
      expect(scene.world.calls).toEqual(['loadPipelinePolicy', 'findStarter', 'findManifest']);
    });
  });

  test('a registry that cannot be read is PreflightFailed', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.when('findManifest', () => {
        throw ApplicationFailure.nonRetryable('the registry refuses', 'AccessDenied');
      });
      const failure = await scene.failure(await scene.start('deploymentPipeline', RELEASE));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('the registry refuses');
      expect(failure.report).toMatchObject({ outcome: 'PreflightFailed', deployed: [] });
    });
  });

  test('a cancellation is Aborted', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const find = scene.world.holdUp('findManifest');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await find.reached;
      await handle.cancel();
      await scene.stopping(handle);
      find.go();
      expect(await scene.failure(handle)).toMatchObject({ type: 'Aborted' });
      expect(scene.world.writes).toEqual([]);
    });
  });
});

describe("a child's failure", () => {
  test('becomes the own outcome of the pipeline, within 4 KB, and says which environments stay', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.when('followRollout', (_input, call) =>
        call === 1 ? undefined : { outcome: 'fail', reasons: ['3 of 3 tasks failed: ', 'é'.repeat(9000)] },
      );
      const handle = await scene.start('deploymentPipeline', RELEASE);
      const failure = await scene.failure(handle);
      const child = await scene.failure(scene.child('staging', '1.4.0'));
      expect(failure.type).toBe('RolledBack');
      expect(failure.message).toBe(`${child.message} development stays on 1.4.0.`);
      expect(failure.report).toMatchObject({
        outcome: 'RolledBack',
        deployed: ['development'],
        failed: { environment: 'staging', report: { outcome: 'RolledBack', environment: 'staging' } },
      });
      const { report } = (failure.report as unknown as PipelineReport).failed ?? {};
      expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThanOrEqual(4096);
      const status: PipelineStatus = await handle.query('status');
      expect(status.environments.map(({ state }) => state)).toEqual(['done', 'failed', 'pending']);
      expect(status.outcome).toBe('RolledBack');
    });
  });

  test('to read its policy is told as such, not as a run that was lost', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.when('loadEnvironmentPolicy', () => {
        throw ApplicationFailure.nonRetryable('slipway.yaml is not valid', 'InvalidInput');
      });
      const failure = await scene.failure(await scene.start('deploymentPipeline', RELEASE));
      expect(failure.type).toBe('InvalidInput');
      expect(failure.message).toContain('slipway.yaml is not valid');
    });
  });

  test('to start, because its id is in use, says what runs', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const rollout = scene.world.holdUp('startRollout');
      const first = await scene.start(
        'deployToDevelopment',
        { ...RELEASE, commitHash: OTHER_COMMIT },
        'deploy.development.1.4.0',
      );
      await rollout.reached;
      const failure = await scene.failure(await scene.start('deploymentPipeline', RELEASE));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain(first.workflowId);
      rollout.go();
      expect(await first.result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});

describe('what people say to the pipeline', () => {
  test('reaches the child that asks, and children that ask for none do not eat early approvals', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const policy = scene.world.holdUp('loadPipelinePolicy');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await policy.reached;
      await handle.signal('approve', { by: 'bob' });
      policy.go();
      const asking = scene.child('production', '1.4.0');
      const asked = await scene.until<RunStatus>(asking, 'status', ({ waiting }) => waiting !== undefined);
      expect(asked.approvals?.missing).toMatchObject([{ group: 'qa', count: 1 }]);
      const development: RunStatus = await scene.child('development', '1.4.0').query('status');
      expect(development.ignored).toEqual([]);
      await handle.signal('approve', { by: 'carol' });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('as an update is refused, naming the run to ask', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const policy = scene.world.holdUp('loadPipelinePolicy');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await policy.reached;
      const tooEarly = handle.executeUpdate('approve', { args: [{ by: 'bob' }] });
      await expect(tooEarly).rejects.toThrow(WorkflowUpdateFailedError);
      policy.go();
      const asking = scene.child('production', '1.4.0');
      await scene.until<RunStatus>(asking, 'status', ({ waiting }) => waiting !== undefined);
      for (const update of ['approve', 'reject']) {
        const refused = await handle
          .executeUpdate(update, { args: [{ by: 'bob' }] })
          .catch((e: unknown) => e);
        expect(refused).toMatchObject({
          cause: { message: `ask ${asking.workflowId}: it counts the approvals` },
        });
      }
      await handle.signal('reject', { by: 'carol', reason: 'not today' });
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Rejected');
      expect(failure.message).toContain('development and staging stay on 1.4.0');
    });
  });

  test.each(['abort', 'cancel'])('by %s stops the child, which puts everything back', async (how) => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const rollout = scene.world.holdUp('startRollout');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await rollout.reached;
      await (how === 'abort' ? handle.signal('abort', { by: 'al', reason: 'wrong one' }) : handle.cancel());
      await scene.stopping(scene.child('development', '1.4.0'));
      rollout.go();
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Aborted');
      if (how === 'abort') expect(failure.message).toContain('al: wrong one');
      expect(failure.report).toMatchObject({ failed: { report: { outcome: 'Aborted' } } });
      expect(scene.world.writes).toContain('restoreService');
    });
  });

  test('of a decision reaches the child of a pipeline that was cancelled', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      scene.world.when('restoreService', () => {
        throw ApplicationFailure.nonRetryable('access denied', 'AccessDenied');
      });
      const rollout = scene.world.holdUp('startRollout');
      const handle = await scene.start('deploymentPipeline', RELEASE);
      await rollout.reached;
      await handle.cancel();
      const child = scene.child('development', '1.4.0');
      await scene.stopping(child);
      rollout.go();
      await scene.until<RunStatus>(child, 'status', ({ waiting }) => waiting !== undefined);
      await handle.signal('decide', { by: 'al', action: 'continue' });
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.report).toMatchObject({ failed: { environment: 'development' } });
    });
  });

  test('however malformed is recorded by the child and wedges neither', async () => {
    await stage.play(async (scene) => {
      aPlatform(scene);
      const handle = await scene.start('deploymentPipeline', RELEASE);
      for (const payload of [null, 'yes', [], 7, { by: 3 }, { __proto__: null, by: '' }]) {
        await handle.signal('approve', payload);
      }
      await handle.signal('approve');
      const asking = scene.child('production', '1.4.0');
      const asked = await scene.until<RunStatus>(asking, 'status', ({ ignored }) => ignored.length === 7);
      expect(asked.approvals?.judged).toEqual([]);
      await handle.signal('approve', { by: 'bob' });
      await handle.signal('approve', { by: 'carol' });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});
