import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { aTerraform, asCancelled, failureOf, inActivity, lastHeartbeat } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();
const WEB = 'resource "terraform_data" "web" {}\nresource "terraform_data" "api" {}';

/** An apply of what was not approved, and the heartbeat that the next attempt would be given. */
async function refusedApply(t: Fixture) {
  const { changeSet: approved } = await t.plan(t.release(WEB));
  const other = { ...t.release(`${WEB}\nresource "terraform_data" "extra" {}`), approved };
  const first = inActivity('apply', 1);
  const heartbeat = lastHeartbeat(first);
  const failure = await failureOf(t.apply(other, first));
  return { other, failure, heartbeat };
}

describe('a failure of an apply that never started says so', () => {
  test('when the plan is not the approved one', async () => {
    const t = aTerraform(await newDirectory());
    const { failure } = await refusedApply(t);
    expect(failure).toMatchObject({
      type: 'ChangeSetDiffers',
      nonRetryable: true,
      details: [{ started: false, environment: 'production', differences: [expect.any(String)] }],
    });
  });

  test('when destroying is refused', async () => {
    const t = aTerraform(await newDirectory());
    await t.restore(t.release(WEB));
    const failure = await failureOf(t.apply(t.release('')));
    expect(failure).toMatchObject({ type: 'DestroyRefused', details: [{ started: false }] });
  });

  test('when the lock is lost', async () => {
    const assertHolder = () => Promise.reject(ApplicationFailure.nonRetryable('taken', 'LockLost'));
    const t = aTerraform(await newDirectory(), { assertHolder });
    const failure = await failureOf(t.apply(t.release(WEB)));
    expect(failure).toMatchObject({
      type: 'LockLost',
      nonRetryable: true,
      details: [{ started: false }],
    });
  });

  test('when terraform fails to plan', async () => {
    const t = aTerraform(await newDirectory());
    const { changeSet: approved } = await t.plan(t.release(WEB));
    const failure = await failureOf(t.apply({ ...t.release('variable "size" {}'), approved }));
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      details: [{ started: false, reason: 'MissingVariable', phase: 'plan' }],
    });
  });

  test('when it is no failure of a known type', async () => {
    const assertHolder = () => Promise.reject(new TypeError('no such lock'));
    const t = aTerraform(await newDirectory(), { assertHolder });
    const failure = await failureOf(t.apply(t.release(WEB)));
    expect(failure).toMatchObject({
      type: 'TypeError',
      message: 'no such lock',
      nonRetryable: false,
      details: [{ started: false }],
    });
  });

  test('when the run is cancelled while it plans', async () => {
    const activity = inActivity();
    const t = aTerraform(await newDirectory(), {
      assertHolder: () => {
        activity.cancel('CANCELLED', asCancelled);
        return Promise.reject(new CancelledFailure('CANCELLED'));
      },
    });
    const failure: unknown = await t.apply(t.release(WEB), activity).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure).toMatchObject({ details: [{ started: false }] });
  });

  test('in a later attempt, when the earlier ones left word that they began none', async () => {
    const t = aTerraform(await newDirectory());
    const { other, heartbeat } = await refusedApply(t);
    const failure = await failureOf(t.apply(other, inActivity('apply', 2, heartbeat())));
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers', details: [{ started: false }] });
  });
});

describe('a failure of an apply that may have started does not say that it never did', () => {
  const differs = { type: 'ChangeSetDiffers', details: [expect.not.objectContaining({ started: false })] };

  test('in a later attempt, when the earlier ones left no word', async () => {
    const t = aTerraform(await newDirectory());
    const { other } = await refusedApply(t);
    const second = inActivity('apply', 2);
    const heartbeat = lastHeartbeat(second);
    expect(await failureOf(t.apply(other, second))).toMatchObject(differs);
    expect(await failureOf(t.apply(other, inActivity('apply', 3, heartbeat())))).toMatchObject(differs);
  });

  test('when it resumes an apply that was interrupted', async () => {
    const t = aTerraform(await newDirectory());
    const { other } = await refusedApply(t);
    expect(await failureOf(t.apply({ ...other, resuming: true }))).toMatchObject(differs);
  });

  test('when terraform itself failed, and in the attempt after it', async () => {
    const t = aTerraform(await newDirectory());
    const failing = t.release(
      `resource "terraform_data" "bad" {
        provisioner "local-exec" { command = "exit 3" }
      }`,
    );
    const first = inActivity('apply', 1);
    const heartbeat = lastHeartbeat(first);
    const failure = await failureOf(t.apply(failing, first));
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      details: [expect.not.objectContaining({ started: false })],
    });
    const { changeSet: approved } = await t.plan(t.release(''));
    const later = { ...t.release(WEB), approved };
    expect(heartbeat()).toMatchObject({ apply: 'ended' });
    const again = await failureOf(t.apply(later, inActivity('apply', 2, heartbeat())));
    expect(again.details?.[0]).not.toHaveProperty('started');
  });
});

describe('a host lost in an apply', () => {
  /** An apply whose host went away when `api` was made, and `web` not yet. */
  async function lostHost(t: Fixture) {
    const input = t.release(`
      resource "terraform_data" "api" {}
      resource "terraform_data" "web" {
        input = terraform_data.api.id
        provisioner "local-exec" { command = "touch ${t.base}/ran; while [ -e ${t.base}/on ]; do sleep 0.05; done" }
      }`);
    const { changeSet: approved } = await t.plan(input);
    return { ...input, approved };
  }

  test("stops another host's retry, which names what may exist", async () => {
    const t = aTerraform(await newDirectory());
    const input = await lostHost(t);
    await t.restore(t.release('resource "terraform_data" "api" {}'));
    const began = {
      doing: 'terraform apply',
      apply: 'begun',
      created: ['terraform_data.api', 'terraform_data.web'],
    };
    const second = inActivity('apply', 2, began);
    const heartbeat = lastHeartbeat(second);
    const expected = {
      type: 'ApplyInterrupted',
      nonRetryable: true,
      details: [{ environment: 'production', suspects: ['terraform_data.web'] }],
    };
    expect(await failureOf(t.apply(input, second))).toMatchObject(expected);
    // The retry may be lost too: whoever comes next must hear of it.
    expect(await failureOf(t.apply(input, inActivity('apply', 3, heartbeat())))).toMatchObject(expected);
  });

  test('is known from every heartbeat while terraform applies', async () => {
    const t = aTerraform(await newDirectory());
    await writeFile(join(t.base, 'on'), '');
    const input = await lostHost(t);
    const activity = inActivity('apply', 1);
    const beats: unknown[] = [];
    activity.on('heartbeat', (details: unknown) => beats.push(details));
    const applying = t.apply(input, activity);
    const applies = (beat: unknown) => JSON.stringify(beat).includes('terraform apply: ');
    await eventually(() => beats.some(applies));
    await rm(join(t.base, 'on'));
    await applying;
    const created = ['terraform_data.api', 'terraform_data.web'];
    expect(beats[0]).toMatchObject({ apply: 'not begun' });
    for (const beat of beats.filter(applies)) expect(beat).toMatchObject({ apply: 'begun', created });
    expect(beats.findLast((beat) => JSON.stringify(beat).includes('has ended'))).toMatchObject({
      apply: 'ended',
    });
  });

  test('does not stop the retry of an apply that ended by itself', async () => {
    const t = aTerraform(await newDirectory());
    const input = await lostHost(t);
    const first = inActivity('apply', 1);
    const heartbeat = lastHeartbeat(first);
    await t.apply(input, first);
    expect(heartbeat()).toMatchObject({ apply: 'ended' });
    const second = inActivity('apply', 2, heartbeat());
    expect(await t.apply(input, second)).toMatchObject({ counts: { create: 0 } });
  });
});
