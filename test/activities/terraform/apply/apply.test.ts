import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createTerraformActivities } from '../../../../src/activities/terraform/activities.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { halfWay, letGo, slowOver } from '../cut.ts';
import { BINARY, LOCK, aTerraform, failureOf, inActivity, lastHeartbeat } from '../support.ts';

const newDirectory = temporaryDirectories();
const WEB = 'resource "terraform_data" "web" {}';

async function anExecutable(path: string, script: string): Promise<string> {
  await writeFile(path, script, { mode: 0o755 });
  return path;
}

test('a plan file that was changed after it was judged is not applied', async () => {
  const base = await newDirectory();
  const t = aTerraform(base);
  // What is shown is the approved plan; then another one is put in its place.
  const binary = await anExecutable(
    join(base, 'swapping'),
    `#!/bin/sh
     ${BINARY} "$@"; code=$?
     for file; do :; done
     [ "$1" != show ] || ${BINARY} plan -destroy -input=false -lock=false -out="$file" > /dev/null
     exit $code`,
  );
  const swapping = createTerraformActivities({ ...t.dependencies, binary });
  const release = t.release(WEB);
  await t.apply(release);
  const input = t.release(`${WEB}\nresource "terraform_data" "api" {}`);
  const { changeSet: approved } = await t.plan(input);
  const failure = await failureOf(
    inActivity().run(() => swapping.applyTerraform({ ...input, approved, lock: LOCK })),
  );
  expect(failure).toMatchObject({
    type: 'PlanRefused',
    nonRetryable: true,
    details: [{ reason: 'PlanTampered', environment: 'production', started: false }],
  });
  expect(failure.message).toContain('Nothing was applied in production');
  expect(await t.plan(release)).toMatchObject({ changeSet: { changes: [] } });
});

describe('an apply that failed half-way', () => {
  test('is planned again by its retry, which goes on with what is left of the approved', async () => {
    const base = await newDirectory();
    const t = aTerraform(base);
    const input = t.release(`
      resource "terraform_data" "web" { input = "${base}/mended" }
      resource "terraform_data" "bad" {
        lifecycle {
          precondition {
            condition     = fileexists(terraform_data.web.output)
            error_message = "It is not mended."
          }
        }
      }
      resource "terraform_data" "last" { input = terraform_data.bad.id }`);
    const { changeSet: approved } = await t.plan(input);
    const first = inActivity('apply', 1);
    const heartbeat = lastHeartbeat(first);
    const failure = await failureOf(t.apply({ ...input, approved }, first));
    expect(failure).toMatchObject({ type: 'TerraformFailed', details: [{ phase: 'apply' }] });
    expect(heartbeat()).toMatchObject({ apply: 'ended' });
    await writeFile(join(base, 'mended'), '');
    expect(await t.apply({ ...input, approved }, inActivity('apply', 2, heartbeat()))).toMatchObject({
      changed: true,
      counts: { create: 2, replace: 0, delete: 0 },
    });
  });

  test('does not replace by its retry what it made and failed to set up: nobody approved that', async () => {
    const base = await newDirectory();
    const t = aTerraform(base);
    const input = t.release(`
      ${WEB}
      resource "terraform_data" "bad" {
        provisioner "local-exec" { command = "exit 3" }
      }`);
    const { changeSet: approved } = await t.plan(input);
    expect(await failureOf(t.apply({ ...input, approved }))).toMatchObject({ type: 'TerraformFailed' });
    const allowed = { ...input, terraform: { ...input.terraform, allowDestroy: true }, approved };
    const failure = await failureOf(t.apply({ ...allowed, resuming: true }));
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers' });
    expect(failure.message).toContain('terraform_data.bad');
  });

  test('applies nothing beside what was approved', async () => {
    const t = aTerraform(await newDirectory());
    const all = `${WEB}\nresource "terraform_data" "api" {}`;
    const { changeSet: approved } = await t.plan(t.release(all));
    await t.apply(t.release(WEB));
    const more = t.release(`${all}\nresource "terraform_data" "extra" {}`);
    expect(await failureOf(t.apply({ ...more, approved, resuming: true }))).toMatchObject({
      type: 'ChangeSetDiffers',
      details: [{ differences: expect.arrayContaining([expect.stringContaining('terraform_data.extra')]) }],
    });
    expect(await t.apply({ ...t.release(all), approved, resuming: true })).toMatchObject({
      changed: true,
      counts: { create: 1 },
    });
  });
});

test('an attempt that finds the work done by an earlier one says that something was changed', async () => {
  const t = aTerraform(await newDirectory());
  const input = t.release(WEB);
  const { changeSet: approved } = await t.plan(input);
  const restore = { ...input, lock: LOCK };
  const first = inActivity('restore', 1);
  const heartbeat = lastHeartbeat(first);
  await first.run(() => t.activities.restoreTerraform(restore));
  const again = { ...restore, approved, resuming: true };
  const second = () => inActivity('restore', 2, heartbeat());
  expect(await second().run(() => t.activities.restoreTerraform(restore))).toMatchObject({ changed: true });
  expect(await second().run(() => t.activities.applyTerraform(again))).toMatchObject({ changed: true });
  expect(await inActivity('other').run(() => t.activities.restoreTerraform(restore))).toMatchObject({
    changed: false,
  });
});

test('a way back whose configuration keeps its state elsewhere is refused: it would find nothing to take back', async () => {
  const base = await newDirectory();
  const t = aTerraform(base);
  const before = t.release(WEB);
  const moved = t.release(`${WEB}\nresource "terraform_data" "new" {}`, {
    backend: { path: join(base, 'moved.tfstate') },
  });
  await t.apply(before);
  const { changeSet: failed } = await t.plan(moved);
  await t.apply(moved);
  for (const known of [{ failed }, { from: failed.origin }]) {
    const back = inActivity().run(() => t.activities.restoreTerraform({ ...before, lock: LOCK, ...known }));
    const failure = await failureOf(back);
    expect(failure).toMatchObject({ type: 'PlanRefused', nonRetryable: true });
    expect(failure.message).toContain('what is to be taken back is in backend local');
  }
});

test('a refused destruction names every address, and a person may agree to exactly these', async () => {
  const t = aTerraform(await newDirectory());
  await t.restore(t.release(`${WEB}\nresource "terraform_data" "api" {}`));
  const back = t.release('');
  const restore = (mayDestroy: readonly string[]) =>
    inActivity().run(() => t.activities.restoreTerraform({ ...back, lock: LOCK, mayDestroy }));
  const failure = await failureOf(restore(['terraform_data.web']));
  expect(failure).toMatchObject({
    type: 'DestroyRefused',
    nonRetryable: true,
    details: [
      {
        environment: 'production',
        destroys: ['terraform_data.api'],
        refusals: [{ passed: false, detail: expect.stringContaining('terraform_data.api') }],
      },
    ],
  });
  expect(await restore(['terraform_data.web', 'terraform_data.api'])).toMatchObject({ changed: true });
});

test("somebody else's short lock is waited for, and is no failure", async () => {
  const backend = await startStateBackend();
  try {
    const t = aTerraform(await newDirectory());
    const input = slowOver(t, backend);
    const { changeSet: approved } = await t.plan(input);
    const lock = {
      ID: 'foreign',
      Operation: 'state-mv',
      Who: 'ci',
      Created: '',
      Version: '',
      Info: '',
      Path: '',
    };
    await fetch(backend.lockAddress, { method: 'LOCK', body: JSON.stringify(lock) });
    await letGo(t);
    const applying = t.apply({ ...input, approved });
    await eventually(() => backend.requests.some(({ status }) => status === 423));
    await fetch(backend.lockAddress, { method: 'UNLOCK' });
    expect(await applying).toMatchObject({ changed: true });
  } finally {
    await backend.close();
  }
});

test('looking at the lock of an apply leaves the apply its own', async () => {
  const backend = await startStateBackend();
  try {
    const t = aTerraform(await newDirectory());
    const { applying } = await halfWay(t, slowOver(t, backend));
    await letGo(t);
    expect(await applying).toMatchObject({ changed: true });
    const held = backend.requests.filter(({ operation, status }) => operation === 'lock' && status === 200);
    // The plan's and the apply's: no look ever had it.
    expect(held).toHaveLength(2);
  } finally {
    await backend.close();
  }
});
