import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { ENVIRONMENT_SIGNALS, INSPECT_UPDATE } from '../../src/contract.ts';
import type { EnvironmentStatus, Holder } from '../../src/domain/ledger.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { COMMIT } from './world.ts';
import type { Scene } from './scene.ts';
import { Stage } from './stage.ts';

const RELEASE = { versionTag: '1.4.0', commitHash: COMMIT };
const ADA = { by: 'ada', reason: 'because' };
const UNREADABLE = [
  undefined,
  null,
  7,
  'x',
  [],
  {},
  { by: 'ada' },
  { by: '', reason: 'because' },
  { by: 'ada', reason: 7 },
  { ...ADA, more: true },
  { requestId: 7 },
  { requestId: 'x', token: { epoch: 'one' } },
  JSON.parse('{"__proto__": {"by": "ada", "reason": "because"}}') as unknown,
];

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 60_000);
afterAll(async () => {
  await stage.close();
});

async function deploy(scene: Scene, versionTag = '1.4.0'): Promise<WorkflowHandle> {
  return await scene.start('deployToStaging', { ...RELEASE, versionTag });
}

async function inspect(scene: Scene): Promise<EnvironmentStatus> {
  return await scene.environment('staging').executeUpdate<EnvironmentStatus, []>(INSPECT_UPDATE);
}

describe('messages that cannot be read', () => {
  test('have no effect and wedge nothing', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await deploy(scene)).result();
      const environment = scene.environment('staging');
      const before: EnvironmentStatus = await environment.query('status');
      for (const signal of Object.values(ENVIRONMENT_SIGNALS)) {
        for (const message of UNREADABLE) await environment.signal(signal, message, message);
      }
      expect(await inspect(scene)).toEqual(before);
      expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test("a proof of the holder's with an undo record or a ledger record that cannot be read changes nothing", async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const rollout = scene.world.holdUp('startRollout');
      const handle = await deploy(scene);
      await rollout.reached;
      const environment = scene.environment('staging');
      const { requestId, token, workflowId }: Holder = await environment.query('holder');
      const proof = { requestId, token };
      await environment.signal(ENVIRONMENT_SIGNALS.recordUndo, proof, { version: 7 });
      for (const record of [
        'x',
        {},
        { manifest: {} },
        { outcome: 'Completed', manifest: { version: '1' } },
      ]) {
        const release = { ...proof, workflowId, record, current: true };
        await environment.signal(ENVIRONMENT_SIGNALS.releaseLock, release);
      }
      expect((await inspect(scene)).holder?.undo?.version).toBe('1.4.0');
      rollout.go();
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});

describe('the lock', () => {
  test('is not left with a run that does not exist', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await deploy(scene)).result();
      await scene.environment('staging').signal(ENVIRONMENT_SIGNALS.requestLock, {
        requestId: 'ghost/1',
        workflowId: `${scene.world.platform}.ghost`,
        firstExecutionRunId: 'ghost',
        purpose: 'haunt',
      });
      expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
      expect((await inspect(scene)).dirty).toBeUndefined();
    });
  });

  test('is free again when its holder, which has changed nothing yet, withdraws', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const plan = scene.world.holdUp('recordHolder');
      const first = await deploy(scene);
      await plan.reached;
      await first.signal('abort', ADA);
      const second = await deploy(scene, '1.5.0');
      expect(await scene.failure(first)).toMatchObject({ type: 'Aborted' });
      plan.go();
      expect(await second.result()).toMatchObject({ outcome: 'Completed' });
      const status = await inspect(scene);
      expect(status.holder).toBeUndefined();
      expect(status.dirty).toBeUndefined();
    });
  });

  test('stays with a holder that is looked for while the grant is still on its way', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const recording = scene.world.holdUp('recordHolder');
      const handle = await deploy(scene);
      await recording.reached;
      await inspect(scene);
      await inspect(scene);
      const rollout = scene.world.holdUp('startRollout');
      recording.go();
      await rollout.reached;
      expect((await inspect(scene)).holder?.workflowId).toBe(handle.workflowId);
      expect((await inspect(scene)).holder?.workflowId).toBe(handle.workflowId);
      rollout.go();
      const report: { summary: string } = await handle.result();
      expect(report.summary).not.toContain('the ledger did not take the record');
      expect((await inspect(scene)).current?.manifest.version).toBe('1.4.0');
    });
  });

  test('of a holder that is terminated is missed within minutes by who waits for it, and who is told that it is dirty', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging', {
        verification: {
          metrics: { windowSeconds: 60 },
          tests: [],
          soakSeconds: 0,
          manualTest: { instructions: 'look', expiresAfterSeconds: 24 * 3600 },
        },
      });
      const first = await deploy(scene);
      await scene.until<RunStatus>(first, 'status', ({ waiting }) => waiting !== undefined);
      const second = await deploy(scene, '1.5.0');
      const waits = ({ queue }: EnvironmentStatus) => queue.length === 1;
      await scene.until<EnvironmentStatus>(scene.environment('staging'), 'status', waits);
      await first.terminate('gone');
      await scene.sleep('2 minutes');
      const failure = await scene.failure(second);
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('dirty');
    });
  });
});

describe('a person', () => {
  test('freezes and unfreezes with a name and a reason; a rollback passes a freeze', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await deploy(scene, '1.3.0')).result();
      await (await deploy(scene)).result();
      const environment = scene.environment('staging');
      await environment.signal(ENVIRONMENT_SIGNALS.freeze, ADA);
      expect((await inspect(scene)).frozen).toMatchObject(ADA);
      const refused = await scene.failure(await deploy(scene, '1.5.0'));
      expect(refused.type).toBe('PreflightFailed');
      expect(refused.message).toContain('frozen by ada');
      const back = { environment: 'staging', failedVersion: '1.4.0', targetVersion: '1.3.0' };
      await (await scene.start('rollbackDeployment', back)).result();
      await environment.signal(ENVIRONMENT_SIGNALS.unfreeze, { by: 'ada' });
      expect((await inspect(scene)).frozen).toBeDefined();
      await environment.signal(ENVIRONMENT_SIGNALS.unfreeze, ADA);
      expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
    });
  });

  test('who freezes while a run waits for the lock has that run refused, and the holder go on', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const rollout = scene.world.holdUp('startRollout');
      const first = await deploy(scene);
      await rollout.reached;
      const second = await deploy(scene, '1.5.0');
      const environment = scene.environment('staging');
      await scene.until<EnvironmentStatus>(environment, 'status', ({ queue }) => queue.length === 1);
      await environment.signal(ENVIRONMENT_SIGNALS.freeze, ADA);
      rollout.go();
      expect(await first.result()).toMatchObject({ outcome: 'Completed' });
      expect((await scene.failure(second)).message).toContain('frozen by ada');
    });
  });

  test('declares a dirty environment right, and is kept with the reason', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const rollout = scene.world.holdUp('startRollout');
      const lost = await deploy(scene);
      await rollout.reached;
      await lost.terminate('gone');
      rollout.go();
      expect((await inspect(scene)).dirty).toMatchObject({ version: '1.4.0' });
      const environment = scene.environment('staging');
      await environment.signal(ENVIRONMENT_SIGNALS.overrideDirty, { by: 'ada' });
      expect((await inspect(scene)).dirty).toBeDefined();
      await environment.signal(ENVIRONMENT_SIGNALS.overrideDirty, ADA);
      const status = await inspect(scene);
      expect(status.dirty).toBeUndefined();
      expect(status.lastOverride).toMatchObject(ADA);
      expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});

describe('an environment that was terminated and is rebuilt', () => {
  test('finds its holder again, which ends as if nothing had happened; the next tokens are of a new epoch', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const rollout = scene.world.holdUp('startRollout');
      const handle = await deploy(scene);
      await rollout.reached;
      const before: Holder = await scene.environment('staging').query('holder');
      await scene.environment('staging').terminate('by mistake');
      const second = await deploy(scene, '1.5.0');
      const rebuilt = await scene.until<EnvironmentStatus>(
        scene.environment('staging'),
        'status',
        ({ holder, queue }) => holder !== undefined && queue.length === 1,
      );
      expect(rebuilt.holder).toEqual(before);
      const next = scene.world.holdUp('writeStatus');
      rollout.go();
      await next.reached;
      next.go();
      const last = scene.world.holdUp('writeStatus');
      expect(await handle.result()).toMatchObject({ outcome: 'Completed' });
      await last.reached;
      const after: Holder = await scene.environment('staging').query('holder');
      expect(after.token).toEqual({ epoch: before.token.epoch + 1, counter: 1 });
      last.go();
      expect(await second.result()).toMatchObject({ outcome: 'Completed' });
      const { history } = await inspect(scene);
      expect(history.map(({ manifest }) => manifest.version)).toEqual(['1.5.0', '1.4.0']);
    });
  });

  test('and whose holder is gone too is dirty, and takes nothing', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      const rollout = scene.world.holdUp('startRollout');
      const handle = await deploy(scene);
      await rollout.reached;
      await scene.environment('staging').terminate('by mistake');
      await handle.terminate('too');
      rollout.go();
      const failure = await scene.failure(await deploy(scene, '1.5.0'));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain(handle.workflowId);
      expect(failure.message).toContain('nobody knows what it had changed');
      expect(failure.message).toContain('slipway env override staging');
    });
  });

  test('while nobody held it is dirty all the same, until a person answers for it: its ledger is lost', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('staging');
      await (await deploy(scene)).result();
      await scene.environment('staging').terminate('by mistake');
      const failure = await scene.failure(await deploy(scene, '1.5.0'));
      expect(failure.type).toBe('PreflightFailed');
      expect(failure.message).toContain('its ledger is empty');
      await scene.environment('staging').signal(ENVIRONMENT_SIGNALS.overrideDirty, ADA);
      expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
    });
  });
});

test('a cancellation has no effect: ledger, freeze and dirt stay', async () => {
  await stage.play(async (scene) => {
    scene.world.policy('staging');
    await (await deploy(scene)).result();
    const environment = scene.environment('staging');
    await environment.signal(ENVIRONMENT_SIGNALS.freeze, ADA);
    await environment.cancel();
    expect(await inspect(scene)).toMatchObject({
      frozen: { by: 'ada' },
      current: { manifest: { version: '1.4.0' } },
    });
    await environment.signal(ENVIRONMENT_SIGNALS.unfreeze, ADA);
    expect(await (await deploy(scene, '1.5.0')).result()).toMatchObject({ outcome: 'Completed' });
  });
});
