import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTerraformActivities } from '../../../../src/activities/terraform/activities.ts';
import type { TerraformDependencies } from '../../../../src/activities/terraform/dependencies.ts';
import type { TerraformInput, UnfinishedApply } from '../../../../src/activities/terraform/types.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { StateBackend } from '../../../terraform/state-backend.ts';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { aDeafTerraform, halfWay, kill, leftRunning, letGo, orphan, runs, slowOver } from '../cut.ts';
import type { Beat } from '../cut.ts';
import { LOCK, aTerraform, asCancelled, failureOf, inActivity } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();
let backend: StateBackend;
beforeEach(async () => {
  backend = await startStateBackend();
});
afterEach(async () => {
  await backend.close();
});

const SUSPECTS = ['terraform_data.quick', 'terraform_data.slow'];
const FOREIGN = {
  ID: 'foreign',
  Operation: 'OperationTypePlan',
  Who: 'ci@elsewhere',
  Created: '2026-01-01T00:00:00Z',
  Version: '1.11.4',
  Info: '',
  Path: '',
};

/** As somebody does by hand, with `terraform force-unlock`. */
const unlock = () => fetch(backend.lockAddress, { method: 'UNLOCK' });
const lockBy = (info: typeof FOREIGN) =>
  fetch(backend.lockAddress, { method: 'LOCK', body: JSON.stringify(info) });

describe("an apply's heartbeats", () => {
  test('say what is being made, what was made and which state lock is held', async () => {
    const t = aTerraform(await newDirectory());
    t.repository.commit({ 'terraform/inner/main.tf': 'resource "terraform_data" "inner" {}' });
    const inner = 'module "inner" {\n  source = "./inner"\n  depends_on = [terraform_data.slow]\n}';
    const { beat, applying } = await halfWay(t, slowOver(t, backend, inner));
    await eventually(() => beat().doing.includes('creating'));
    expect(beat()).toMatchObject({
      doing: expect.stringMatching(
        /^terraform apply: 1 of 4 done; creating terraform_data\.slow \(local-exec(, \d+ s)?\)$/,
      ),
      apply: 'begun',
      made: ['terraform_data.quick'],
      lock: { id: backend.lock()?.ID, operation: 'OperationTypeApply', who: backend.lock()?.Who },
    });
    await letGo(t);
    expect(await applying).toMatchObject({ changed: true });
    expect(backend.lock()).toBeUndefined();
  });
});

describe('an apply that was killed on its own host', () => {
  for (const victim of ['group', 'terraform'] as const) {
    test(`asks, with the suspects named and its own lock released (${victim})`, async () => {
      const t = aTerraform(await newDirectory());
      const { applying } = await halfWay(t, slowOver(t, backend));
      const id = backend.lock()?.ID;
      await kill(t, victim);
      const failure = await failureOf(applying);
      expect(failure).toMatchObject({
        type: 'ApplyInterrupted',
        nonRetryable: true,
        details: [{ suspects: SUSPECTS, stateLock: { id, released: true } }],
      });
      expect(failure.message).toContain(`The state lock ${id} (OperationTypeApply, `);
      expect(backend.lock()).toBeUndefined();
    });
  }

  test('asks the same in the retry of a worker that died with it', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    await leftRunning(t, input);
    const id = backend.lock()?.ID;
    await kill(t, 'group');
    // Without a heartbeat: what was recorded on the host is enough.
    const failure = await failureOf(t.apply(input, inActivity('apply', 2)));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ suspects: SUSPECTS, stateLock: { id, released: true } }],
    });
    expect(backend.lock()).toBeUndefined();
  });

  test('leaves a lock that is not its own, and says whose it is', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    await leftRunning(t, input);
    await kill(t, 'group');
    await unlock();
    await lockBy(FOREIGN);
    const failure = await failureOf(t.apply(input, inActivity('apply', 2)));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ stateLock: { id: 'foreign', released: false } }],
    });
    expect(failure.message).toContain('slipway terraform unlock --environment production --id foreign');
    expect(backend.lock()?.ID).toBe('foreign');
  });

  test('leaves even its own lock while something that it started still runs', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    await leftRunning(t, input);
    await kill(t, 'terraform');
    const retry = t.apply(input, inActivity('apply', 2));
    expect(await failureOf(retry)).toMatchObject({
      details: [{ stateLock: { id: backend.lock()?.ID, released: false } }],
    });
    await letGo(t);
  });
});

test('a cancelled apply that had to be killed says so, and asks', async () => {
  const base = await newDirectory();
  const t = aTerraform(base, { binary: await aDeafTerraform(base), grace: 300 });
  const { activity, applying } = await halfWay(t, slowOver(t, backend));
  activity.cancel('CANCELLED', asCancelled);
  const failure = await failureOf(applying);
  expect(failure).toMatchObject({
    type: 'ApplyInterrupted',
    nonRetryable: true,
    details: [{ suspects: SUSPECTS, stateLock: { released: true } }],
  });
  expect(failure.message).toContain('was asked to stop, and was killed when it had not after 0.3 s');
});

describe('an apply that another run left', () => {
  /** The way back to nothing, by an activity of its own. */
  const back = (t: Fixture, activityId: string, grace?: number) => {
    const activities =
      grace === undefined ? t.activities : createTerraformActivities({ ...t.dependencies, grace });
    const release = { ...slowOver(t, backend), lock: LOCK };
    const input = { ...release, terraform: { ...release.terraform, allowDestroy: true } };
    return inActivity(activityId).run(() => activities.restoreTerraform(input));
  };

  test('and that had to be killed is asked about before the way back is planned', async () => {
    const base = await newDirectory();
    const t = aTerraform(base, { binary: await aDeafTerraform(base) });
    await leftRunning(t, slowOver(t, backend));
    const failure = await failureOf(back(t, 'undo', 300));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ suspects: SUSPECTS, stateLock: { released: true } }],
    });
    await letGo(t);
  });

  test('and of whose death nobody heard is asked about, by one activity', async () => {
    const t = aTerraform(await newDirectory());
    await leftRunning(t, slowOver(t, backend));
    await kill(t, 'group');
    await orphan(t);
    const asked = { type: 'ApplyInterrupted', details: [{ suspects: SUSPECTS }] };
    expect(await failureOf(back(t, 'undo'))).toMatchObject(asked);
    expect(await failureOf(back(t, 'undo'))).toMatchObject(asked);
    await letGo(t);
    expect(await back(t, 'after a person looked')).toMatchObject({ changed: true });
  });
});

describe('an apply whose host is lost', () => {
  /** Another worker of the same repository, on another host. */
  async function elsewhere(t: Fixture, more: Partial<TerraformDependencies> = {}) {
    const dataDirectory = await newDirectory();
    const activities = createTerraformActivities({ ...t.dependencies, dataDirectory, ...more });
    return async (input: TerraformInput, last: Beat, activity = inActivity('apply', 2, last)) => {
      const { changeSet: approved } = await t.plan(input);
      return activity.run(() => activities.applyTerraform({ ...input, approved, lock: LOCK }));
    };
  }

  test('is waited for by its lock, and what is left of it is gone on with', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const { changeSet: approved } = await t.plan(input);
    const last = await leftRunning(t, { ...input, approved });
    const other = createTerraformActivities({ ...t.dependencies, dataDirectory: await newDirectory() });
    const activity = inActivity('apply', 2, last);
    const beats: Beat[] = [];
    activity.on('heartbeat', (beat: Beat) => beats.push(beat));
    const retry = activity.run(() => other.applyTerraform({ ...input, approved, lock: LOCK }));
    await eventually(() => beats.some(({ doing }) => doing.startsWith('waiting for the state lock')));
    await letGo(t);
    expect(await retry).toEqual({
      outputs: { done: 'yes' },
      changed: true,
      counts: { create: 0, update: 0, replace: 0, delete: 0 },
    });
    expect(await runs(t)).toBe(1);
    expect(beats.at(-1)).toMatchObject({ apply: 'ended' });
  });

  test('is asked about when its lock stays, which is left to a person', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const retry = await elsewhere(t, { lockWait: 500 });
    const last = await leftRunning(t, input);
    const id = backend.lock()?.ID;
    await kill(t, 'group');
    const failure = await failureOf(retry(input, last));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      nonRetryable: true,
      // What was begun is not known of another host.
      details: [
        {
          suspects: ['terraform_data.next', ...SUSPECTS],
          stateLock: { id, released: false },
        },
      ],
    });
    expect(failure.message).toContain(`it is the one that the apply held`);
    expect(backend.lock()?.ID).toBe(id);
  });

  test('is asked about when its lock was released by hand, as the state shows', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const retry = await elsewhere(t);
    const last = await leftRunning(t, input);
    await kill(t, 'group');
    await unlock();
    const failure = await failureOf(retry(input, last));
    expect(failure).toMatchObject({ type: 'ApplyInterrupted' });
    expect(failure.message).toContain('its lock is gone, but the state lacks what it made');
    expect(await runs(t)).toBe(1);
  });

  test('is asked about at once when its run is stopped while it is waited for', async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const retry = await elsewhere(t);
    const last = await leftRunning(t, input);
    const activity = inActivity('apply', 2, last);
    const waits = new Promise<void>((resolve) => {
      activity.on('heartbeat', ({ doing }: Beat) => doing.startsWith('waiting for the state') && resolve());
    });
    const waiting = retry(input, last, activity);
    await waits;
    activity.cancel('CANCELLED', asCancelled);
    expect(await failureOf(waiting)).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ stateLock: { released: false } }],
    });
    await letGo(t);
    await eventually(() => backend.lock() === undefined);
  });

  test("is waited for, or asked about, before another host plans its undo; its own host's needs no question", async () => {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const last = await leftRunning(t, input);
    const release = { ...input, terraform: { ...input.terraform, allowDestroy: true }, lock: LOCK };
    const undo = { ...release, unfinished: last as Beat & UnfinishedApply };
    const other = createTerraformActivities({
      ...t.dependencies,
      dataDirectory: await newDirectory(),
      lockWait: 500,
    });
    const failure = await failureOf(inActivity('undo').run(() => other.restoreTerraform(undo)));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ suspects: expect.arrayContaining(SUSPECTS), stateLock: { id: last.lock?.id } }],
    });
    // Of a lock that was not recorded another host could tell nothing.
    const { lock: _, ...lockless } = undo.unfinished;
    const here = inActivity('undo').run(() =>
      t.activities.restoreTerraform({ ...undo, unfinished: lockless }),
    );
    await letGo(t);
    expect(await here).toMatchObject({ outputs: { done: 'yes' } });
  });

  test('and of which the next attempt learns nothing is told with its failure, for the undo', async () => {
    const t = aTerraform(await newDirectory());
    const last = await leftRunning(t, slowOver(t, backend));
    const binary = join(await newDirectory(), 'none');
    const broken = createTerraformActivities({
      ...t.dependencies,
      dataDirectory: await newDirectory(),
      binary,
    });
    const input = slowOver(t, backend);
    const { changeSet: approved } = await t.plan(input);
    const next = inActivity('apply', 2, last);
    expect(
      await failureOf(next.run(() => broken.applyTerraform({ ...input, approved, lock: LOCK }))),
    ).toMatchObject({
      type: 'TerraformFailed',
      details: [{ reason: 'TerraformMissing', unfinished: { created: last.created, lock: last.lock } }],
    });
    await letGo(t);
    await eventually(() => backend.lock() === undefined);
  });
});
