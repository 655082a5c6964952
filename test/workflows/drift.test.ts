import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { DeploymentPlan, DriftReport } from '../../src/contract.ts';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import type { Drift } from '../../src/domain/terraform/drift.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';
import { COMMIT, OTHER_COMMIT, TWO_GROUPS } from './world.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };
const BY_HAND: Drift = {
  resources: [{ address: 'aws_sns_topic.a', kind: 'changed', attributes: ['tags.owner'] }],
  omitted: 0,
};
const NONE: Drift = { resources: [], omitted: 0 };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

/** Plans find `drifts` in order, and the last one from then on. */
async function planned(scene: Scene, ...drifts: Drift[]): Promise<void> {
  const plan = await scene.world.usual('planTerraform');
  scene.world.when('planTerraform', (_input, call) => ({
    ...plan,
    drift: drifts[call - 1] ?? drifts.at(-1),
  }));
}

describe('what others changed', () => {
  test('is in the evidence, and whoever is asked to approve is told', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', { approval: TWO_GROUPS });
      await planned(scene, BY_HAND);
      const plan: DeploymentPlan = await (
        await scene.start('planDeployment', { ...RELEASE, environment: 'production' })
      ).result();
      expect(plan.evidence.drift).toEqual(BY_HAND);
      expect(plan.terraformMarkdown).toBe('`~ terraform_data.a`');
      const run = await scene.start('deployToProduction', RELEASE);
      await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'approve');
      const asked = scene.world.notices.find(({ kind }) => kind === 'waiting');
      expect(asked?.text).toContain('Changed outside of Terraform: aws_sns_topic.a (changed: tags.owner).');
    });
  });

  test('is not in the evidence where nothing was changed', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const run = await scene.start('deployToStaging', RELEASE);
      const { infrastructure }: DeploymentReport = await run.result();
      expect(infrastructure).toMatchObject({ counts: { update: 1 }, omitted: 0 });
      expect(infrastructure).not.toHaveProperty('drift');
      expect(await run.query('evidence')).not.toHaveProperty('evidence.drift');
    });
  });

  test('after an approval needs another one, which is told why', async () => {
    await stage.play(async (scene) => {
      const approval = { ...TWO_GROUPS, required: { qa: 1 } };
      scene.world.policy('production', { approval });
      await planned(scene, NONE, BY_HAND);
      const run = await scene.start('deployToProduction', RELEASE);
      const waits = ({ waiting }: RunStatus) => waiting?.signal === 'approve';
      await scene.until<RunStatus>(run, 'status', waits);
      await run.signal('approve', { by: 'carol' });
      await scene.until<RunStatus>(
        run,
        'status',
        ({ phase, ...status }) => phase === 'approval again' && waits({ phase, ...status }),
      );
      const again = scene.world.notices.findLast(({ kind }) => kind === 'waiting');
      expect(again?.text).toContain('drift of aws_sns_topic.a: none -> changed: tags.owner');
      await run.signal('approve', { by: 'carol' });
      const report: DeploymentReport = await run.result();
      expect(report.infrastructure?.drift).toEqual(BY_HAND);
    });
  });
});

describe('detectDrift', () => {
  test('answers what others changed of the release that serves, and changes nothing', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await scene.start('deployToStaging', { ...RELEASE, commitHash: OTHER_COMMIT })).result();
      scene.world.calls.length = 0;
      let looked: unknown;
      scene.world.when('detectDrift', ({ release }) => {
        looked = release;
        return BY_HAND;
      });
      const run = await scene.start('detectDrift', { environment: 'staging' });
      const report: DriftReport = await run.result();
      const release = { version: '1.4.0', commit: OTHER_COMMIT };
      expect(report).toEqual({
        platform: scene.world.platform,
        environment: 'staging',
        release,
        drift: BY_HAND,
      });
      expect(looked).toEqual(release);
      expect(scene.world.writes).toEqual([]);
      const { searchAttributes } = await run.describe();
      expect(searchAttributes).toMatchObject({
        SlipwayEnvironment: ['staging'],
        SlipwayVersion: ['1.4.0'],
        SlipwayOutcome: ['Drifted'],
      });
    });
  });

  test('says which run holds the environment: it may be the one that changes', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await scene.start('deployToStaging', RELEASE)).result();
      const rollout = scene.world.holdUp('startRollout');
      const other = await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.5.0' });
      await rollout.reached;
      const run = await scene.start('detectDrift', { environment: 'staging' });
      expect(await run.result()).toMatchObject({
        release: { version: '1.4.0' },
        drift: NONE,
        heldBy: other.workflowId,
      });
      rollout.go();
      await other.result();
    });
  });

  test('fails clearly where there is nothing to compare with', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const failure = await scene.failure(await scene.start('detectDrift', { environment: 'staging' }));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toBe(
        'The ledger of staging has no release to compare with. Nothing was changed.',
      );
      const { terraform: _none, ...without } = scene.world.policies['staging'] ?? {};
      scene.world.when('loadEnvironmentPolicy', () => without);
      await (await scene.start('deployToStaging', RELEASE)).result();
      const none = await scene.failure(await scene.start('detectDrift', { environment: 'staging' }));
      expect(none.message).toContain('staging has no Terraform in the platform file.');
      scene.world.when('loadEnvironmentPolicy', () => undefined);
      const unplanned = await scene.failure(await scene.start('detectDrift', { environment: 'staging' }));
      expect(unplanned.message).toContain('no Terraform of 1.4.0 to compare with');
    });
  });

  test('fails with the reason of a plan that cannot be made, or an account that is not the one', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await scene.start('deployToStaging', RELEASE)).result();
      scene.world.when('detectDrift', () => {
        throw ApplicationFailure.nonRetryable('the backend is gone', 'TerraformFailed');
      });
      const failure = await scene.failure(await scene.start('detectDrift', { environment: 'staging' }));
      expect(failure).toMatchObject({ type: 'PreflightFailed' });
      expect(failure.message).toContain('the backend is gone');
      scene.world.when('checkIdentity', () => ({ name: 'AWS account', passed: false, detail: 'is 999' }));
      const wrong = await scene.failure(await scene.start('detectDrift', { environment: 'staging' }));
      expect(wrong.message).toContain('is 999');
    });
  });

  test.each([undefined, {}, { environment: 'No' }, { environment: 'staging', by: 'me' }])(
    'takes no input like %j',
    async (input) => {
      await stage.play(async (scene) => {
        scene.world.policy('staging');
        const failure = await scene.failure(await scene.start('detectDrift', input));
        expect(failure.type).toBe('InvalidInput');
        expect(scene.world.calls).toEqual([]);
      });
    },
  );
});
