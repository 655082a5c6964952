import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { DeploymentReport } from '../../src/domain/report.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { COMMIT, OTHER_COMMIT, TWO_GROUPS } from './world.ts';
import { Stage } from './stage.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

describe('a release that is good', () => {
  test('goes live step by step and is in the ledger', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const handle = await scene.start('deployToStaging', RELEASE);
      const report: DeploymentReport = await handle.result();
      expect(report).toMatchObject({ outcome: 'Completed', environment: 'staging', startedBy: 'starter' });
      expect(scene.world.writes).toEqual([
        'promoteImages',
        'writeSettings',
        'applyTerraform',
        'registerTaskDefinition',
        'startRollout',
        'writeStatus',
      ]);
      const status: EnvironmentStatus = await scene.environment('staging').query('status');
      expect(status.current?.manifest.version).toBe('1.4.0');
      expect(status.holder).toBeUndefined();
    });
  });

  test('through deployToEnvironment reaches an environment of any name', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('sandbox-eu');
      const handle = await scene.start('deployToEnvironment', { ...RELEASE, environment: 'sandbox-eu' });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed', environment: 'sandbox-eu' });
    });
  });
});

describe('bad input', () => {
  test.each([
    [undefined, 'input'],
    [{ versionTag: 'v1.4.0', commitHash: COMMIT }, 'versionTag'],
    [{ versionTag: '1.4', commitHash: COMMIT }, 'versionTag'],
    [{ versionTag: '1.4.0', commitHash: 'abc1234' }, 'commitHash'],
    [{ versionTag: '1.4.0', commitHash: COMMIT, enviroment: 'x' }, 'enviroment'],
  ])('%j fails at once and names %s', async (input, field) => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const failure = await scene.failure(await scene.start('deployToStaging', input));
      expect(failure.type).toBe('InvalidInput');
      expect(failure.message).toContain(field);
      expect(scene.world.calls).toEqual([]);
    });
  });

  test('an unknown workflow type fails with the list of those there are', async () => {
    await stage.play(async (scene) => {
      const failure = await scene.failure(await scene.start('deployToProd', RELEASE));
      expect(failure.type).toBe('UnknownWorkflowType');
      expect(failure.message).toContain('deployToProduction');
    });
  });
});

describe('a checklist that does not pass', () => {
  test('reports every failing check, not the first, and changes nothing', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('checkIdentity', () => ({ name: 'AWS account', passed: false, detail: 'is 999' }));
      scene.world.when('checkScans', () => [{ name: 'scan web', passed: false, detail: '1 CRITICAL' }]);
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('is 999');
      expect(failure.message).toContain('1 CRITICAL');
      expect(scene.world.writes).toEqual([]);
    });
  });

  test('a release without images is ReleaseNotBuilt', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('findManifest', () => ({
        kind: 'not built',
        missing: ['web'],
        detail: 'no image of web',
      }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure).toMatchObject({ type: 'ReleaseNotBuilt' });
      expect(scene.world.writes).toEqual([]);
    });
  });

  test('a version that the ledger knows with another commit is refused', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await scene.start('deployToStaging', RELEASE)).result();
      const failure = await scene.failure(
        await scene.start('deployToStaging', { ...RELEASE, commitHash: OTHER_COMMIT }),
      );
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain(COMMIT);
    });
  });
});

describe('a failure after the first change', () => {
  test('takes every step back, the last first, and is RolledBack', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.3.0' })).result();
      scene.world.calls.length = 0;
      scene.world.when('followRollout', () => ({
        outcome: 'fail',
        reasons: ['3 of 3 tasks failed to start'],
      }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('RolledBack');
      expect(failure.message).toContain('3 of 3 tasks failed to start');
      expect(failure.message).toContain('1.3.0 serves');
      expect(scene.world.writes.slice(-4)).toEqual([
        'restoreService',
        'restoreTerraform',
        'deleteSettings',
        'withdrawPromotion',
      ]);
      const status: EnvironmentStatus = await scene.environment('staging').query('status');
      expect(status.current?.manifest.version).toBe('1.3.0');
      expect(status.history[0]).toMatchObject({ outcome: 'RolledBack', manifest: { version: '1.4.0' } });
      expect(status.dirty).toBeUndefined();
    });
  });

  test('takes back a step whose answer never came', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('applyTerraform', () => {
        throw ApplicationFailure.nonRetryable('the backend is gone', 'TerraformFailed');
      });
      scene.world.when('restoreTerraform', () => undefined);
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.type).toBe('RolledBack');
      expect(failure.report['undone']).toMatchObject([
        { step: 'terraform', outcome: 'left' },
        { step: 'settings', outcome: 'undone' },
        { step: 'images', outcome: 'undone' },
      ]);
    });
  });

  test('of a first deployment says that nothing serves', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
      expect(failure.message).toContain('desired count 0');
    });
  });

  test.each(['tests', 'versions', 'metrics', 'window'])(
    'in the verification (%s) rolls back',
    async (part) => {
      await stage.play(async (scene) => {
        scene.world.policy('staging', {
          verification: {
            metrics: { windowSeconds: 60 },
            tests: [{ name: 'smoke', command: ['true'], timeoutSeconds: 5, environment: {} }],
            soakSeconds: 10,
          },
        });
        const bad = { service: 'web', metric: 'errorRate' as const, outcome: 'fail' as const, reason: '5 %' };
        if (part === 'tests')
          scene.world.when('runTests', () => ({
            suite: 'smoke',
            passed: false,
            duration: 1,
            detail: 'exit 1',
            log: '',
          }));
        if (part === 'versions')
          scene.world.when('checkServedVersions', () => [
            { name: 'version', passed: false, detail: 'serves 1.3.0' },
          ]);
        if (part === 'metrics') scene.world.when('judgeMetrics', () => [bad]);
        if (part === 'window') scene.world.when('watchWindow', () => ({ checks: [], metrics: [bad] }));
        const failure = await scene.failure(await scene.start('deployToStaging', RELEASE));
        expect(failure.type).toBe('RolledBack');
        expect(scene.world.writes).toContain('restoreService');
      });
    },
  );

  test('whose undo keeps failing keeps the lock, pages, and asks; an answer ends it as incomplete and dirty', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      scene.world.when('followRollout', () => ({ outcome: 'fail', reasons: ['dead'] }));
      scene.world.when('restoreService', () => {
        throw ApplicationFailure.nonRetryable('access denied', 'AccessDenied');
      });
      const handle = await scene.start('deployToStaging', RELEASE);
      const asked = await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      expect(asked.waiting?.what).toContain('access denied');
      const held: EnvironmentStatus = await scene.environment('staging').query('status');
      expect(held.holder?.workflowId).toBe(handle.workflowId);
      expect(scene.world.notices.at(-1)?.kind).toBe('page');
      await handle.signal('decide', { by: 'alice', action: 'rollback' });
      await handle.signal('decide', { by: 'alice', action: 'continue', reason: 'done by hand' });
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('RollbackIncomplete');
      expect(failure.report['undone']).toHaveLength(4);
      const status: EnvironmentStatus = await scene.environment('staging').query('status');
      expect(status.dirty?.version).toBe('1.4.0');
      const next = await scene.failure(
        await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.5.0' }),
      );
      expect(next).toMatchObject({ type: 'PreflightFailed' });
      expect(next.message).toContain('slipway rollback staging 1.4.0');
    });
  });
});

describe('approvals', () => {
  const gate = { approval: TWO_GROUPS };

  test('are waited for, N of M by group, and what does not count is recorded with the reason', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', gate);
      const handle = await scene.start('deployToProduction', RELEASE);
      await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      await handle.signal('approve');
      await handle.signal('approve', 'yes');
      await handle.signal('approve', { by: 'mallory' });
      await handle.signal('approve', { by: 'bob' });
      await handle.signal('approve', { by: 'bob' });
      const counted = await scene.until<RunStatus>(handle, 'status', (s) => s.approvals?.judged.length === 3);
      expect(counted.approvals?.missing).toMatchObject([{ group: 'qa', count: 1 }]);
      expect(counted.ignored.map(({ signal }) => signal)).toEqual(['approve', 'approve']);
      const tally = await handle.executeUpdate('approve', { args: [{ by: 'carol' }] });
      expect(tally).toMatchObject({ satisfied: true });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('that come before there is evidence count once there is', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', gate);
      scene.world.when('findCommit', async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return undefined;
      });
      const handle = await scene.start('deployToProduction', RELEASE);
      await handle.signal('approve', { by: 'bob' });
      await handle.signal('approve', { by: 'carol' });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('no longer count when the plan under the lock is another one, and are asked for again', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', gate);
      scene.world.when('planSettings', (_input, call) =>
        call === 1
          ? undefined
          : [{ key: 'MODEL', parameter: '/notes/MODEL', value: `sha256:${'2'.repeat(64)}` }],
      );
      const handle = await scene.start('deployToProduction', RELEASE);
      await handle.signal('approve', { by: 'bob' });
      await handle.signal('approve', { by: 'carol' });
      const asked = await scene.until<RunStatus>(
        handle,
        'status',
        ({ phase, waiting }) => phase === 'approval again' && !!waiting,
      );
      expect(asked.approvals?.judged.map(({ counts }) => counts)).toEqual([false, false]);
      expect(asked.steps.at(-1)?.detail).toContain('setting MODEL');
      expect(scene.world.writes).toEqual([]);
      await handle.signal('approve', { by: 'alice' });
      await handle.signal('approve', { by: 'carol' });
      await handle.signal('approve', { by: 'bob' });
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('expire', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', { approval: { ...TWO_GROUPS, remindEverySeconds: 24 * 3600 } });
      const handle = await scene.start('deployToProduction', RELEASE);
      await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      await scene.sleep('8 days');
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Expired');
      expect(scene.world.notices.filter(({ kind }) => kind === 'reminder').length).toBeGreaterThanOrEqual(5);
    });
  });

  test('a rejection ends the run and nothing was changed', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production', gate);
      const handle = await scene.start('deployToProduction', RELEASE);
      await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
      await handle.signal('reject', { by: 'carol', reason: 'not on a Friday' });
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Rejected');
      expect(failure.message).toContain('not on a Friday');
      expect(scene.world.writes).toEqual([]);
    });
  });
});

describe('stopping', () => {
  test.each(['abort', 'cancel'])('by %s in the middle takes everything back and is Aborted', async (how) => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      let reached: () => void;
      const rolling = new Promise<void>((resolve) => (reached = resolve));
      let go: () => void;
      const stopped = new Promise<void>((resolve) => (go = resolve));
      scene.world.when('startRollout', async () => {
        reached();
        await stopped;
        return undefined;
      });
      const handle = await scene.start('deployToStaging', RELEASE);
      await rolling;
      await (how === 'abort'
        ? handle.signal('abort', { by: 'alice', reason: 'wrong release' })
        : handle.cancel());
      await scene.until<RunStatus>(handle, 'status', () => true);
      go!();
      const failure = await scene.failure(handle);
      expect(failure.type).toBe('Aborted');
      expect(scene.world.writes.slice(-3)).toEqual(['restoreService', 'deleteSettings', 'withdrawPromotion']);
      const status: EnvironmentStatus = await scene.environment('staging').query('status');
      expect(status.holder).toBeUndefined();
    });
  });

  test('by termination after the first change leaves the environment dirty, and the next run says what to do', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const handle = await scene.start('deployToStaging', RELEASE);
      scene.world.when('judgeMetrics', async () => {
        await handle.terminate('gone');
        return undefined;
      });
      await handle.result().catch(() => undefined);
      const failure = await scene.failure(
        await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.5.0' }),
      );
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('dirty');
      expect(failure.message).toContain('slipway env override staging');
    });
  });
});

test('two runs for one environment queue: the second begins when the first is done', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    const first = await scene.start('deployToStaging', RELEASE);
    const second = await scene.start('deployToStaging', { ...RELEASE, versionTag: '1.5.0' });
    await Promise.all([first.result(), second.result()]);
    const status: EnvironmentStatus = await scene.environment('staging').query('status');
    expect(status.history).toHaveLength(2);
    const order = scene.world.writes;
    expect(order.indexOf('writeStatus')).toBeLessThan(order.lastIndexOf('promoteImages'));
  });
});

test('hold is recorded as without effect where there is no canary, and 600 signals do not wedge a run', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('production', { approval: TWO_GROUPS });
    const handle = await scene.start('deployToProduction', RELEASE);
    await scene.until<RunStatus>(handle, 'status', ({ waiting }) => waiting !== undefined);
    await handle.signal('approve', { by: 'bob' });
    await handle.signal('approve', { by: 'carol', evidence: 'zz' });
    await handle.signal('hold', { by: 'alice' });
    const status = await scene.until<RunStatus>(handle, 'status', ({ ignored }) => ignored.length === 2);
    expect(status.ignored.map(({ reason }) => reason).join()).toContain('without a canary');
    await Promise.all(Array.from({ length: 600 }, () => handle.signal('decide', null)));
    await handle.signal('abort', { by: 'alice', reason: 'beyond what is kept' });
    await handle.cancel();
    const failure = await scene.failure(handle);
    expect(failure.type).toBe('Aborted');
    expect((failure.report['ignored'] as unknown[]).length).toBeLessThanOrEqual(500);
  });
}, 60_000);
