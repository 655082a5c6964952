import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import type { TerraformInput } from '../../../src/activities/terraform/types.ts';
import { installTrialProvider, trialHeader } from '../../terraform/trial-provider/install.ts';
import { startTrialServer } from '../../terraform/trial-provider/server.ts';
import { eventually, temporaryDirectories } from '../process/support.ts';
import { archiveProvider } from './provider-archive.ts';
import { TARGET, aTerraform, asCancelled, inActivity, perform } from './support.ts';
import type { Fixture } from './support.ts';

const newDirectory = temporaryDirectories();
const exists = (path: string) => readFile(path, 'utf8').catch(() => undefined);

/** The same configuration for another environment, with a state of its own. */
function inEnvironment(input: TerraformInput, environment: string, state: string): TerraformInput {
  return {
    ...input,
    target: { ...TARGET, environment },
    terraform: { ...input.terraform, backend: { path: state } },
  };
}

/** A resource that tells where terraform works, and is made when `file` goes away. */
const holding = (told: string, file: string) => `resource "terraform_data" "hold" {
  provisioner "local-exec" {
    command = "echo $TF_DATA_DIR $TF_PLUGIN_CACHE_DIR $PWD > ${told}; while [ -e ${file} ]; do sleep 0.05; done"
  }
}`;

test('two environments that are applied at the same time share no directory', async () => {
  const t = aTerraform(await newDirectory());
  await writeFile(join(t.base, 'on'), '');
  const apply = (environment: string) => {
    const told = join(t.base, environment);
    const input = t.release(holding(told, join(t.base, 'on')));
    return { told, applied: t.restore(inEnvironment(input, environment, `${told}.tfstate`)) };
  };
  const [one, other] = [apply('staging'), apply('production')];
  const [first, second] = await Promise.all(
    [one, other].map(({ told }) => eventually(async () => (await exists(told))?.trim().split(' '))),
  );
  await rm(join(t.base, 'on'));
  await Promise.all([one.applied, other.applied]);
  expect(first).toHaveLength(3);
  for (const directory of first ?? []) expect(second).not.toContain(directory);
});

describe('with one terraform at a time', () => {
  async function oneHeld() {
    const t = aTerraform(await newDirectory(), { concurrency: 1 });
    await writeFile(join(t.base, 'on'), '');
    const held = t.apply(t.release(holding(join(t.base, 'told'), join(t.base, 'on'))), inActivity('held'));
    await eventually(() => exists(join(t.base, 'told')));
    return { t, held, letGo: () => rm(join(t.base, 'on')) };
  }
  /** A plan in another environment, and what it says while it waits. */
  function aPlan(t: Fixture) {
    const activity = inActivity('waiting');
    const beats: unknown[] = [];
    activity.on('heartbeat', (beat: unknown) => beats.push(beat));
    const input = inEnvironment(t.release(''), 'staging', join(t.base, 'staging.tfstate'));
    const planned = perform(activity, () => t.activities.planTerraform(input));
    return { activity, beats, planned };
  }

  test('another environment waits with signs of life, and goes on then', async () => {
    const { t, held, letGo } = await oneHeld();
    const { beats, planned } = aPlan(t);
    await eventually(() => beats.length > 0);
    expect(beats).toEqual([expect.stringContaining('waiting: 1 other')]);
    expect(await readdir(join(t.dataDirectory, 'terraform', 'writing'))).toEqual(['production']);
    await letGo();
    await held;
    expect(await planned).toMatchObject({ changeSet: { counts: { create: 0 } } });
  });

  test('one that waits can be cancelled at once', async () => {
    const { t, held, letGo } = await oneHeld();
    const { activity, beats, planned } = aPlan(t);
    await eventually(() => beats.length > 0);
    activity.cancel('CANCELLED', asCancelled);
    await expect(planned).rejects.toThrow(CancelledFailure);
    expect(await exists(join(t.base, 'on'))).toBe('');
    await letGo();
    expect(await held).toMatchObject({ changed: true });
  });
});

describe('a provider that had to be unpacked', () => {
  const PACKAGE = join('sandbox.local', 'trial', 'trial', '1.0.0');

  async function withArchive() {
    const base = await newDirectory();
    await installTrialProvider(join(base, 'provider'));
    const launch = join(base, 'provider', 'launch');
    const archive = await archiveProvider(base, 'trial', 'trial', launch);
    const server = await startTrialServer();
    const t = aTerraform(base, {
      environment: { ...process.env, TF_CLI_CONFIG_FILE: archive.cliConfigFile },
    });
    t.repository.commit({ 'terraform/.terraform.lock.hcl': archive.lockFile });
    const input = t.release(`${trialHeader(server.address)}
      resource "trial_object" "x" {
        name = "x"
      }`);
    const store = join(t.dataDirectory, 'terraform', 'plugins', PACKAGE);
    const look = async () => {
      const [platform = ''] = await readdir(store);
      const [program = ''] = await readdir(join(store, platform));
      const { ino, ctimeMs, mode } = await stat(join(store, platform, program));
      return { ino, ctimeMs, executable: (mode & 0o111) !== 0 };
    };
    return { t, input, archive, server, look };
  }

  test('is kept, and never written again while others run it', async () => {
    const { t, input, archive, server, look } = await withArchive();
    try {
      await t.plan(input);
      const kept = await look();
      expect(kept).toMatchObject({ executable: true });

      // Without its archive it can come from nowhere else.
      await rename(archive.mirror, `${archive.mirror}.gone`);
      const environments = ['development', 'staging', 'production'];
      const applied = await Promise.all(
        environments.map((name) => t.restore(inEnvironment(input, name, join(t.base, `${name}.tfstate`)))),
      );
      expect(applied.map(({ changed }) => changed)).toEqual([true, true, true]);
      expect(server.created()).toEqual({ x: 3 });
      expect(await look()).toEqual(kept);
    } finally {
      await server.close();
    }
  });

  test('is unpacked again for those who come first at the same time, and kept once', async () => {
    const { t, input, server, look } = await withArchive();
    try {
      const environments = ['development', 'staging', 'production'];
      const plans = await Promise.all(
        environments.map((name) =>
          perform(inActivity(name), () =>
            t.activities.planTerraform(inEnvironment(input, name, join(t.base, `${name}.tfstate`))),
          ),
        ),
      );
      expect(plans.map(({ changeSet }) => changeSet.counts.create)).toEqual([1, 1, 1]);
      expect(await look()).toMatchObject({ executable: true });
    } finally {
      await server.close();
    }
  });

  test('that the worker has is no help against a lock file that knows another', async () => {
    const { t, input, server } = await withArchive();
    try {
      await t.plan(input);
      const zeros = 'h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
      const commit = t.repository.commit({
        'terraform/.terraform.lock.hcl': `provider "sandbox.local/trial/trial" {\n  version = "1.0.0"\n  hashes = ["${zeros}"]\n}\n`,
      });
      const other = { ...input, release: { ...input.release, commit } };
      await expect(t.plan(other)).rejects.toMatchObject({ details: [{ reason: 'LockFile' }] });
    } finally {
      await server.close();
    }
  });
});
