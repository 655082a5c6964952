import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { TerraformRestore } from '../../src/activities/terraform/types.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { GUARDS } from '../../src/domain/terraform/guards.ts';
import type { Failure, Scene } from './scene.ts';
import { Stage } from './stage.ts';
import { COMMIT, OTHER_COMMIT } from './world.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };
const BEFORE = { versionTag: '1.3.0', commitHash: OTHER_COMMIT };
const BACK = { environment: 'staging', failedVersion: '1.4.0', targetVersion: '1.3.0' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

function destroyRefused(...destroys: string[]): ApplicationFailure {
  const refusals = [{ name: GUARDS.destroy, passed: false, detail: `Refused: ${destroys.join(', ')}.` }];
  return ApplicationFailure.nonRetryable('Nothing was applied in staging.', 'DestroyRefused', {
    environment: 'staging',
    refusals,
    destroys,
  });
}

function interrupted(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('killed; suspect: aws_sqs_queue.jobs', 'ApplyInterrupted', {
    environment: 'staging',
    suspects: ['aws_sqs_queue.jobs'],
  });
}

/** Restores answer `answers` in order, and then well. @returns the addresses that each was let destroy */
function restores(scene: Scene, ...answers: ApplicationFailure[]): (readonly string[])[] {
  const consents: (readonly string[])[] = [];
  scene.world.when('restoreTerraform', ({ mayDestroy }: TerraformRestore, call) => {
    consents.push(mayDestroy ?? []);
    const failure = answers[call - 1];
    if (failure !== undefined) throw failure;
    return undefined;
  });
  return consents;
}

/** A deployment of 1.4.0, after 1.3.0, that must be taken back. */
async function aBadRelease(scene: Scene): Promise<WorkflowHandle> {
  scene.world.policy('staging');
  await (await scene.start('deployToStaging', BEFORE)).result();
  scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
  return await scene.start('deployToStaging', RELEASE);
}

/** A rollback from 1.4.0 to 1.3.0. */
async function aRollback(scene: Scene): Promise<WorkflowHandle> {
  scene.world.policy('staging');
  await (await scene.start('deployToStaging', BEFORE)).result();
  await (await scene.start('deployToStaging', RELEASE)).result();
  scene.world.calls.length = 0;
  return await scene.start('rollbackDeployment', BACK);
}

async function asked(scene: Scene, run: WorkflowHandle, about: string): Promise<RunStatus['waiting']> {
  const { waiting } = await scene.until<RunStatus>(
    run,
    'status',
    (status) => status.waiting?.what.includes(about) === true,
  );
  return waiting;
}

async function decide(run: WorkflowHandle, action: string): Promise<void> {
  await run.signal('decide', { by: 'bob', action });
}

function undoOfTerraform({ report }: Failure): unknown {
  const undone = report['undone'] as DeploymentReport['undone'];
  return undone.find(({ step }) => step === 'terraform');
}

async function environmentOf(scene: Scene): Promise<EnvironmentStatus> {
  return await scene.environment('staging').query('status');
}

describe('what going back would destroy', () => {
  test('is asked by address; agreed to, exactly that is destroyed', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, destroyRefused('aws_s3_bucket.logs', 'aws_db_instance.main'));
      const question = await asked(scene, run, 'aws_s3_bucket.logs, aws_db_instance.main');
      expect(question?.actions).toEqual(['rollback', 'retry', 'continue']);
      expect(question?.what).toContain('going back to the infrastructure of 1.3.0 would destroy 2 resources');
      await decide(run, 'rollback');
      const failure = await scene.failure(run);
      expect(failure.type).toBe('RolledBack');
      expect(consents).toEqual([[], ['aws_s3_bucket.logs', 'aws_db_instance.main']]);
      expect(undoOfTerraform(failure)).toMatchObject({
        outcome: 'undone',
        detail: expect.stringContaining('destroyed as bob agreed: aws_s3_bucket.logs, aws_db_instance.main'),
      });
    });
  });

  test('is asked again when the next plan would destroy others as well', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, destroyRefused('aws_a.one'), destroyRefused('aws_a.two'));
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'rollback');
      await asked(scene, run, 'aws_a.two');
      await decide(run, 'rollback');
      expect((await scene.failure(run)).type).toBe('RolledBack');
      expect(consents).toEqual([[], ['aws_a.one'], ['aws_a.one', 'aws_a.two']]);
    });
  });

  test('is planned again on retry, with no consent to anything', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, destroyRefused('aws_a.one'));
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'retry');
      expect((await scene.failure(run)).type).toBe('RolledBack');
      expect(consents).toEqual([[], []]);
    });
  });

  test('stays on continue: the rollback is incomplete and the environment dirty', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, destroyRefused('aws_a.one'));
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'continue');
      const failure = await scene.failure(run);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.message).toContain('Not taken back: terraform. The environment is dirty.');
      expect(undoOfTerraform(failure)).toMatchObject({
        outcome: 'not possible',
        detail: expect.stringContaining('left as it is by bob'),
      });
      expect(consents).toEqual([[]]);
      expect((await environmentOf(scene)).dirty).toBeDefined();
    });
  });

  test('in a rollback that was ordered is asked too, and ends it as completed when agreed to', async () => {
    await stage.play(async (scene) => {
      const run = await aRollback(scene);
      const consents = restores(scene, destroyRefused('aws_a.one'));
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'rollback');
      const report: DeploymentReport = await run.result();
      expect(report.outcome).toBe('Completed');
      expect(consents).toEqual([[], ['aws_a.one']]);
      const detail = report.steps.find(({ name }) => name === 'terraform')?.detail;
      expect(detail).toBe('the configuration of 1.3.0 applied; destroyed as bob agreed: aws_a.one');
    });
  });

  test('left in a rollback that was ordered, its services go back all the same, and it is incomplete', async () => {
    await stage.play(async (scene) => {
      const run = await aRollback(scene);
      restores(scene, destroyRefused('aws_a.one'));
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'continue');
      const failure = await scene.failure(run);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.message).toContain('1.3.0 serves and is verified; but the infrastructure was left');
      expect(failure.report['serving']).toMatchObject({ version: '1.3.0' });
      expect(scene.world.writes).toEqual(['restoreTerraform', 'restoreService']);
      expect(await environmentOf(scene)).toMatchObject({ dirty: { version: '1.4.0' } });
    });
  });

  test('in a rollback that is aborted instead of answered is left, and the lock given back', async () => {
    await stage.play(async (scene) => {
      const run = await aRollback(scene);
      restores(scene, destroyRefused('aws_a.one'));
      await asked(scene, run, 'aws_a.one');
      await run.signal('abort', { by: 'ada', reason: 'no' });
      expect((await scene.failure(run)).type).toBe('RollbackIncomplete');
      const status = await environmentOf(scene);
      expect(status.dirty).toBeDefined();
      expect(status.holder).toBeUndefined();
    });
  });
});

describe('an apply that is cut on the way back', () => {
  test('asks with its suspects, and goes on with retry', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, interrupted());
      const question = await asked(scene, run, 'aws_sqs_queue.jobs');
      expect(question?.actions).toEqual(['retry', 'continue']);
      await decide(run, 'retry');
      expect((await scene.failure(run)).type).toBe('RolledBack');
      expect(consents).toHaveLength(2);
    });
  });

  test('keeps what was agreed to before', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      const consents = restores(scene, destroyRefused('aws_a.one'), interrupted());
      await asked(scene, run, 'aws_a.one');
      await decide(run, 'rollback');
      await asked(scene, run, 'aws_sqs_queue.jobs');
      await decide(run, 'retry');
      expect((await scene.failure(run)).type).toBe('RolledBack');
      expect(consents).toEqual([[], ['aws_a.one'], ['aws_a.one']]);
    });
  });

  test('and left so has failed to be taken back', async () => {
    await stage.play(async (scene) => {
      const run = await aBadRelease(scene);
      restores(scene, interrupted());
      await asked(scene, run, 'aws_sqs_queue.jobs');
      await decide(run, 'continue');
      const failure = await scene.failure(run);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(undoOfTerraform(failure)).toMatchObject({ outcome: 'failed' });
    });
  });

  test('asks in a rollback that is being aborted too: what the state does not know is not forgotten', async () => {
    await stage.play(async (scene) => {
      const run = await aRollback(scene);
      restores(scene, interrupted());
      await asked(scene, run, 'aws_sqs_queue.jobs');
      await run.signal('abort', { by: 'ada', reason: 'no' });
      await decide(run, 'retry');
      const failure = await scene.failure(run);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.message).toContain('aborted by ada');
    });
  });
});

test('a way back that fails otherwise asks what to do about the undo', async () => {
  await stage.play(async (scene) => {
    const run = await aBadRelease(scene);
    restores(scene, ApplicationFailure.nonRetryable('no such provider', 'TerraformFailed'));
    const question = await asked(scene, run, 'no such provider');
    expect(question?.what).toContain("taking back 'terraform' keeps failing");
    await decide(run, 'retry');
    expect((await scene.failure(run)).type).toBe('RolledBack');
  });
});
