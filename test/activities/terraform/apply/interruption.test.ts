import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { parseIdentity } from '../../../../src/activities/process/identity.ts';
import {
  clearTerraformLeftovers,
  createTerraformActivities,
} from '../../../../src/activities/terraform/activities.ts';
import type { TerraformInput } from '../../../../src/activities/terraform/types.ts';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { LOCK, aTerraform, asCancelled, asShutdown, failureOf, inActivity } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();

/** An apply that notes each time it runs, then waits for the file `go`, then makes a second resource. */
function slow(t: Fixture): TerraformInput {
  return t.release(`
    resource "terraform_data" "slow" {
      provisioner "local-exec" {
        command = "echo ran >> ${t.base}/ran; while [ -d ${t.base} -a ! -e ${t.base}/go ]; do sleep 0.05; done"
      }
    }
    resource "terraform_data" "next" {
      input = terraform_data.slow.id
    }
    output "done" {
      value = "yes"
    }`);
}
const started = (t: Fixture) =>
  eventually(() => readFile(join(t.base, 'ran'), 'utf8').catch(() => undefined));
const letGo = (t: Fixture) => writeFile(join(t.base, 'go'), '');
const runs = async (t: Fixture) => (await readFile(join(t.base, 'ran'), 'utf8')).split('\n').length - 1;
const home = (t: Fixture) => join(t.dataDirectory, 'terraform', 'writing', 'production');
const filesOf = (t: Fixture) => readdir(home(t), { recursive: true });

/** A worker process that applies as activity `apply`, attempt 1; killed once terraform works, or once `hangsAt` is there. */
async function killedWorker(t: Fixture, input: TerraformInput, hangsAt?: string): Promise<void> {
  const { changeSet } = await t.plan(input);
  const url = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  const script = join(t.base, 'worker.mjs');
  await writeFile(
    script,
    `import { aTerraform, inActivity } from ${url('../worker.ts')};
     const t = aTerraform(${JSON.stringify({ upstream: t.repository.directory, dataDirectory: t.dataDirectory, hangsAt })});
     await inActivity('apply', 1).run(() => t.applyTerraform(${JSON.stringify({ ...input, approved: changeSet, lock: LOCK })}));`,
  );
  const worker = spawn('node', [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(worker, 'exit');
  try {
    await (hangsAt === undefined ? started(t) : eventually(() => readFile(hangsAt).catch(() => undefined)));
  } finally {
    worker.kill('SIGKILL');
    await ended;
  }
}

test('an apply outlives its killed worker, and the retry takes its result without a second one', async () => {
  const t = aTerraform(await newDirectory());
  const input = slow(t);
  const { changeSet } = await t.plan(input);
  await killedWorker(t, input);

  const retry = t.apply({ ...input, approved: changeSet }, inActivity('apply', 2));
  await letGo(t);
  expect(await retry).toEqual({ outputs: { done: 'yes' }, changed: true, counts: changeSet.counts });
  expect(await runs(t)).toBe(1);
  expect(await filesOf(t)).toEqual([]);
});

test('a plan file is gone when its apply has ended, though its worker is dead', async () => {
  const t = aTerraform(await newDirectory());
  await killedWorker(t, slow(t));
  const plans = async () => (await filesOf(t)).filter((name) => /\.tfplan$|show/.test(name));
  expect(await plans()).toHaveLength(1);
  await letGo(t);
  await eventually(async () => (await plans()).length === 0);

  await clearTerraformLeftovers(t.dataDirectory);
  const left = (await filesOf(t))
    .map((name) => name.replace(/^[0-9a-f]{24}\/?/, ''))
    .filter(Boolean)
    .toSorted();
  expect(left).toEqual([
    'apply',
    'apply/command',
    'apply/exit-code',
    'apply/stderr',
    'apply/stdout',
    'apply/wrapper',
    'kept.json',
    'owner',
  ]);
});

test('what a worker that was killed before it applied left is removed when the next one starts', async () => {
  const t = aTerraform(await newDirectory());
  await killedWorker(t, slow(t), join(t.base, 'hangs'));
  expect((await filesOf(t)).filter((name) => name.endsWith('.tfplan'))).toHaveLength(1);
  await clearTerraformLeftovers(t.dataDirectory);
  expect(await filesOf(t)).toEqual([]);
});

test('an apply that was killed itself stops the run and names what may exist', async () => {
  const t = aTerraform(await newDirectory());
  const input = slow(t);
  await killedWorker(t, input);
  const [wrapper = ''] = (await filesOf(t)).filter((name) => name.endsWith('apply/wrapper'));
  const identity = parseIdentity(await readFile(join(home(t), wrapper), 'utf8'));
  process.kill(-(identity?.pid ?? 0), 'SIGKILL');

  const failure = await failureOf(t.apply(input, inActivity('apply', 2)));
  expect(failure).toMatchObject({
    type: 'ApplyInterrupted',
    nonRetryable: true,
    // `next` was not begun.
    details: [{ suspects: ['terraform_data.slow'] }],
  });
  expect(failure.message).toContain('terraform apply in production was killed half-way.');
  // The local backend's lock goes with its process.
  expect(failure.message).toContain('The state is not locked.');
});

test('a cancelled run stops terraform by its own clean stop: the state is saved and unlocked', async () => {
  const t = aTerraform(await newDirectory());
  const input = slow(t);
  const activity = inActivity();
  const applying = t.apply(input, activity);
  await started(t);
  activity.cancel('CANCELLED', asCancelled);
  await expect(applying).rejects.toBeInstanceOf(CancelledFailure);
  // Older versions keep a place for what they did not begin.
  const state = JSON.parse(await readFile(t.state, 'utf8')) as { resources: { instances: object[] }[] };
  const made = state.resources.filter(({ instances }) => instances.length > 0);
  expect(made).toMatchObject([{ name: 'slow' }]);
  expect(await filesOf(t)).toEqual([]);
  await letGo(t);
  const allowed = { ...input, terraform: { ...input.terraform, allowDestroy: true } };
  expect(await t.apply(allowed)).toMatchObject({ changed: true });
});

test('a worker that shuts down leaves an apply running, and the next one takes it over', async () => {
  const t = aTerraform(await newDirectory());
  const input = slow(t);
  const { changeSet } = await t.plan(input);
  const activity = inActivity('apply', 1);
  const applying = t.apply({ ...input, approved: changeSet }, activity);
  await started(t);
  activity.cancel('WORKER_SHUTDOWN', asShutdown);
  await expect(applying).rejects.toBeInstanceOf(CancelledFailure);
  const retry = t.apply({ ...input, approved: changeSet }, inActivity('apply', 2));
  await letGo(t);
  expect(await retry).toMatchObject({ changed: true, outputs: { done: 'yes' } });
  expect(await runs(t)).toBe(1);
});

test('in a container the shutdown interrupts terraform while there is time', async () => {
  const t = aTerraform(await newDirectory());
  const activities = createTerraformActivities({ ...t.dependencies, onShutdown: 'interrupt' });
  const input = slow(t);
  const { changeSet } = await t.plan(input);
  const activity = inActivity('apply', 1);
  const applying = activity.run(() =>
    activities.applyTerraform({ ...input, approved: changeSet, lock: LOCK }),
  );
  await started(t);
  activity.cancel('WORKER_SHUTDOWN', asShutdown);
  await expect(applying).rejects.toBeInstanceOf(CancelledFailure);
  expect(await filesOf(t)).toEqual([]);
});

test('a restore first stops the apply that its lost run left behind', async () => {
  const t = aTerraform(await newDirectory());
  const before = t.release('output "done" {\n  value = "before"\n}', { allowDestroy: true }, '0.9.0');
  await t.apply(before);
  await killedWorker(t, slow(t));
  const restored = await t.restore(before);
  expect(restored.outputs).toEqual({ done: 'before' });
  expect(JSON.parse(await readFile(t.state, 'utf8'))).toMatchObject({ resources: [] });
});
