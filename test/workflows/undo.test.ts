import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { MigrationPolicy } from '../../src/domain/policy.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';
import { COMMIT } from './world.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };
const MIGRATION: MigrationPolicy = { service: 'web', command: ['up'], undo: ['down'], timeoutSeconds: 60 };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

/** An environment that serves 1.3.0. */
async function serving(scene: Scene, migration?: MigrationPolicy): Promise<void> {
  scene.world.policy('staging', migration && { migration });
  await (await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.3.0' })).result();
  scene.world.calls.length = 0;
}

describe('terraform is put back', () => {
  test('not when its apply never began: what somebody else applied stays', async () => {
    await stage.play(async (scene) => {
      await serving(scene);
      scene.world.when('applyTerraform', () => {
        throw ApplicationFailure.nonRetryable('the plan is another one', 'ChangeSetDiffers', {
          started: false,
        });
      });
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('RolledBack');
      expect(scene.world.writes).not.toContain('restoreTerraform');
    });
  });

  test('with what the failed release had created, which may be deleted', async () => {
    await stage.play(async (scene) => {
      await serving(scene);
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      let failed: unknown;
      scene.world.when('restoreTerraform', (input) => {
        ({ failed } = input as { failed?: unknown });
        return undefined;
      });
      await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failed).toMatchObject({ changes: [{ address: 'terraform_data.a' }] });
    });
  });

  test('and what the failed release destroyed is said not to come back', async () => {
    await stage.play(async (scene) => {
      await serving(scene);
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      const usual = await scene.world.usual('planTerraform');
      const { changeSet } = usual;
      const destroyed = Array.from({ length: 30 }, (_, i) => ({
        ...changeSet.changes[0],
        address: `aws_db_instance.main[${i}]`,
        actions: ['delete'],
      }));
      scene.world.when('planTerraform', () => ({
        ...usual,
        changeSet: { ...changeSet, changes: destroyed },
      }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('RolledBack');
      expect(failure.message).toContain('but not what was in the resources that it destroyed or replaced');
      const undone = failure.report['undone'] as DeploymentReport['undone'];
      const { beyondRecall = [] } = undone.find(({ step }) => step === 'terraform') ?? {};
      expect(beyondRecall).toHaveLength(21);
      expect(beyondRecall[0]).toContain('aws_db_instance.main[0] was deleted');
      expect(beyondRecall[20]).toBe('... and 10 more');
    });
  });

  test('of a first deployment is said to stay, not to be undone', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.message).toContain('Left in place: terraform. Nothing serves: desired count 0.');
    });
  });

  test('and an apply that was killed half-way asks, also when the run is being aborted', async () => {
    await stage.play(async (scene) => {
      await serving(scene);
      scene.world.when('applyTerraform', (_input, call) => {
        if (call > 2) return undefined;
        throw ApplicationFailure.nonRetryable('suspects: terraform_data.a', 'ApplyInterrupted', {
          suspects: [],
        });
      });
      const handle = await scene.start('deployToStaging', RELEASE);
      const asked = await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      expect(asked.waiting?.what).toContain('suspects: terraform_data.a');
      await handle.signal('abort', { by: 'ada', reason: 'no' });
      await handle.signal('decide', { by: 'ada', action: 'rollback' });
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Aborted');
      expect(scene.world.writes).toContain('restoreTerraform');
    });
  });
});

describe('a migration is taken back', () => {
  test('by its undo when it ran', async () => {
    await stage.play(async (scene) => {
      await serving(scene, MIGRATION);
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.report['undone']).toContainEqual(
        expect.objectContaining({ step: 'migration', outcome: 'undone' }),
      );
    });
  });

  test.each([MIGRATION, { service: 'web', command: ['up'], timeoutSeconds: 60 }])(
    'not when its task never started (%j)',
    async (migration) => {
      await stage.play(async (scene) => {
        await serving(scene, migration);
        scene.world.when('runMigration', (input) => {
          if (input.direction === 'undo') return { exitCode: 0, detail: 'it never ran', ran: false };
          throw ApplicationFailure.nonRetryable('no capacity', 'MigrationNotStarted');
        });
        const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
        expect(failure.type).toBe('RolledBack');
        expect(failure.report['undone']).toContainEqual(
          expect.objectContaining({ step: 'migration', outcome: 'nothing to undo' }),
        );
      });
    },
  );

  test('never silently when it is irreversible and ran: the environment is dirty', async () => {
    await stage.play(async (scene) => {
      await serving(scene, { service: 'web', command: ['up'], timeoutSeconds: 60 });
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.message).toContain('Not taken back: migration');
    });
  });

  test('and an undo that fails asks a person', async () => {
    await stage.play(async (scene) => {
      await serving(scene, MIGRATION);
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      scene.world.when('runMigration', ({ direction }) => ({
        exitCode: direction === 'undo' ? 1 : 0,
        detail: 'exit 1',
      }));
      const handle = await scene.start('deployToStaging', RELEASE);
      const asked = await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      expect(asked.waiting?.what).toContain("the migration's undo failed");
      await handle.signal('decide', { by: 'ada', action: 'continue' });
      expect((await scene.failure(handle)).type).toBe('RollbackIncomplete');
    });
  });
});

test('settings and tags that were there before the run stay when it is taken back', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    scene.world.when('existingSettings', ({ names }) => [...names]);
    scene.world.when('existingPromotions', ({ services }) => services.map(({ name }) => name));
    scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
    const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
    expect(failure.type).toBe('RolledBack');
    expect(scene.world.writes).not.toContain('deleteSettings');
    expect(scene.world.writes).not.toContain('withdrawPromotion');
  });
});

test('a release that is live and verified is not rolled back because its status parameter cannot be written', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    scene.world.when('writeStatus', () => {
      throw ApplicationFailure.nonRetryable('ssm:PutParameter is denied', 'AccessDenied');
    });
    const report: DeploymentReport = await (await scene.start('deployToStaging', RELEASE)).result();
    expect(report.outcome).toBe('Completed');
    expect(report.summary).toContain('the status parameter could not be written: ssm:PutParameter is denied');
    const status: EnvironmentStatus = await scene.environment('staging').query('status');
    expect(status.current?.manifest.version).toBe('1.4.0');
  });
});

test('a manual test recorded before it was asked for does not answer the question', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging', {
      verification: {
        metrics: { windowSeconds: 60 },
        tests: [],
        soakSeconds: 0,
        manualTest: { instructions: 'write a page', expiresAfterSeconds: 3600 },
      },
    });
    const { reached, go } = scene.world.holdUp('startRollout');
    const handle = await scene.start('deployToStaging', RELEASE);
    await reached;
    await handle.signal('recordManualTest', { by: 'carol', passed: true });
    go();
    const asked = await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
    expect(asked.ignored.map(({ signal }) => signal)).toEqual(['recordManualTest']);
    await handle.signal('recordManualTest', { by: 'carol', passed: true });
    expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
  });
});

test('messages of the lock that make no sense do not wedge a run', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    const { reached, go } = scene.world.holdUp('startRollout');
    const handle = await scene.start('deployToStaging', RELEASE);
    await reached;
    for (const signal of ['lockAnswer', 'lockReleased', 'holderPing']) {
      for (const message of [undefined, null, 7, 'x', {}, []]) await handle.signal(signal, message);
    }
    go();
    expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
  });
});
