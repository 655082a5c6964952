import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { DeploymentPlan } from '../../src/contract.ts';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { COMMIT, TWO_GROUPS } from './world.ts';
import { Stage } from './stage.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };
const INPUT = { ...RELEASE, environment: 'production' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

test('a plan is what the deployment then asks approval for, and changes nothing', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production', { approval: TWO_GROUPS });
    const plan: DeploymentPlan = await (await scene.start('planDeployment', INPUT)).result();
    expect(plan.terraform).toContain('~ terraform_data.a');
    expect(plan.checks.length).toBeGreaterThan(5);
    expect(plan.checks.every(({ passed }) => passed)).toBe(true);
    expect(scene.world.writes).toEqual([]);
    expect(scene.world.calls).not.toContain('requestLock');
    expect(scene.world.notices).toEqual([]);
    const deployment = await scene.start('deployToProduction', RELEASE);
    const asked = await scene.until<RunStatus>(deployment, 'status', ({ waiting }) => waiting !== undefined);
    expect(asked.evidence).toBe(plan.digest);
    const { checks: _checks, ...proposal } = plan;
    expect(await deployment.query('evidence')).toEqual(proposal);
    expect(asked.waiting?.terraform).toBe(plan.terraform);
    const notice = scene.world.notices.find(({ kind }) => kind === 'waiting');
    expect(notice?.markdown).toBe(plan.terraformMarkdown);
  });
});

test('a plan of what would not be deployed fails with every check, and changes nothing', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production');
    scene.world.when('checkIdentity', () => ({ name: 'AWS account', passed: false, detail: 'is 999' }));
    scene.world.when('checkScans', () => {
      throw ApplicationFailure.nonRetryable('the scanner is off', 'AccessDenied');
    });
    const failure = await scene.failure(await scene.start('planDeployment', INPUT));
    expect(failure.type).toBe('PreflightFailed');
    expect(failure.message).toContain('is 999');
    expect(failure.message).toContain('the scanner is off');
    expect(failure.message).toContain('Nothing was changed.');
    expect(scene.world.writes).toEqual([]);
  });
});

test('a plan that Terraform guards refuse fails with what they refuse', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production');
    scene.world.when('planTerraform', () => ({
      changeSet: { changes: [], digest: 'sha256:0', counts: { create: 0, update: 0, replace: 0, delete: 1 } },
      rendering: '',
      refusals: [{ name: 'terraform: nothing is destroyed', passed: false, detail: 'would take db away' }],
    }));
    const failure = await scene.failure(await scene.start('planDeployment', INPUT));
    expect(failure.type).toBe('PreflightFailed');
    expect(failure.message).toContain('would take db away');
  });
});

test('a plan for an environment that another run holds is made all the same', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production');
    const rollout = scene.world.holdUp('startRollout');
    const deployment = await scene.start('deployToProduction', RELEASE);
    await rollout.reached;
    const plan: DeploymentPlan = await (await scene.start('planDeployment', INPUT)).result();
    expect(plan.checks.find(({ name }) => name === 'environment')?.detail).toContain(deployment.workflowId);
    const status: EnvironmentStatus = await scene.environment('production').query('status');
    expect(status.holder?.workflowId).toBe(deployment.workflowId);
    rollout.go();
    await deployment.result();
  });
});

test('bad input and an unknown environment fail as InvalidInput', async () => {
  await stage.play(async (scene) => {
    for (const input of [undefined, RELEASE, { ...INPUT, environment: 'Production' }, INPUT]) {
      const failure = await scene.failure(await scene.start('planDeployment', input));
      expect(failure.type).toBe('InvalidInput');
      expect(failure.message).toContain(
        input === INPUT ? 'no environment production' : 'The input is not valid',
      );
    }
  });
});
