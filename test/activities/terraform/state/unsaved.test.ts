import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clearTerraformLeftovers } from '../../../../src/activities/terraform/activities.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { StateBackend } from '../../../terraform/state-backend.ts';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { halfWay, leftRunning, letGo, orphan, runs, slowOver } from '../cut.ts';
import { aTerraform, asCancelled, failureOf, inActivity, perform } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();
let backend: StateBackend;
beforeEach(async () => {
  backend = await startStateBackend();
});
afterEach(async () => {
  await backend.close();
});

const home = (t: Fixture) => join(t.dataDirectory, 'terraform', 'errored');
const kept = async (t: Fixture) =>
  (await readdir(home(t))).filter((name) => name.endsWith('.tfstate')).map((name) => join(home(t), name));

/** An apply whose state the backend does not take. */
async function unsavedApply(t: Fixture) {
  const input = slowOver(t, backend);
  const { changeSet: approved } = await t.plan(input);
  const { applying } = await halfWay(t, { ...input, approved });
  backend.break('write', 'error');
  await letGo(t);
  const failure = await failureOf(applying);
  backend.break('write');
  return { input: { ...input, approved }, failure };
}

test('a state that could not be saved is kept for its owner alone, with a note, and asked about', async () => {
  const t = aTerraform(await newDirectory());
  const { input, failure } = await unsavedApply(t);
  const [file = ''] = await kept(t);
  expect(failure).toMatchObject({
    type: 'ApplyInterrupted',
    nonRetryable: true,
    details: [
      {
        environment: 'production',
        suspects: ['terraform_data.next', 'terraform_data.quick', 'terraform_data.slow'],
        erroredState: file,
      },
    ],
  });
  expect(failure.message).toContain(`slipway terraform recover --environment production --state ${file}`);
  expect(file).toMatch(/\/writing\.production\.\d{8}T\d{6}Z\.[0-9a-f]{12}\.tfstate$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ resources: expect.any(Array) });
  expect(JSON.parse(await readFile(file.replace('.tfstate', '.json'), 'utf8'))).toMatchObject({
    platform: 'writing',
    environment: 'production',
    commit: input.release.commit,
    version: '1.0.0',
    workflowId: 'test',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test('nothing is planned against the backend until it has the state that could not be saved', async () => {
  const t = aTerraform(await newDirectory());
  const { input } = await unsavedApply(t);
  const [file = ''] = await kept(t);
  for (const how of [{ resuming: true }, {}]) {
    const failure = await failureOf(t.apply({ ...input, ...how }));
    expect(failure).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ suspects: expect.arrayContaining(['terraform_data.slow']), erroredState: file }],
    });
  }
  const { activities } = t;
  const drift = () => perform(inActivity(), () => activities.detectDrift(input));
  for (const work of [() => t.plan(input), drift])
    expect(await failureOf(work())).toMatchObject({
      type: 'ApplyInterrupted',
      details: [{ erroredState: file }],
    });
  expect(await runs(t)).toBe(1);

  await fetch(backend.address, { method: 'POST', body: await readFile(file) });
  expect(await t.apply({ ...input, resuming: true })).toMatchObject({
    changed: false,
    outputs: { done: 'yes' },
  });
  expect(await runs(t)).toBe(1);
});

test('a run that was stopped hears of a state that could not be saved, too', async () => {
  const t = aTerraform(await newDirectory());
  const { activity, applying } = await halfWay(t, slowOver(t, backend));
  backend.break('write', 'error');
  activity.cancel('CANCELLED', asCancelled);
  expect(await failureOf(applying)).toMatchObject({
    type: 'ApplyInterrupted',
    details: [{ erroredState: (await kept(t))[0] }],
  });
});

test('a state that could not be saved outlasts its worker, and the retry names it', async () => {
  const t = aTerraform(await newDirectory());
  const input = slowOver(t, backend);
  await leftRunning(t, input);
  backend.break('write', 'error');
  await letGo(t);
  const files = () => readdir(t.dataDirectory, { recursive: true });
  await eventually(async () => (await files()).some((name) => name.endsWith('apply/exit-code')));
  backend.break('write');
  await orphan(t);
  await clearTerraformLeftovers(t.dataDirectory);
  expect((await files()).filter((name) => name.endsWith('/checkout'))).toEqual([]);

  const [file] = await kept(t);
  expect(file).toBeDefined();
  expect(await failureOf(t.apply(input, inActivity('apply', 2)))).toMatchObject({
    type: 'ApplyInterrupted',
    details: [{ erroredState: file }],
  });
  expect(await kept(t)).toEqual([file]);
  expect(await runs(t)).toBe(1);
});

test('a lock that the backend did not take back at first is released, and the failure says what is so', async () => {
  const t = aTerraform(await newDirectory());
  const { applying } = await halfWay(t, slowOver(t, backend));
  const refused = () =>
    backend.requests.some(({ operation, status }) => operation === 'unlock' && status === 500);
  backend.break('unlock', 'error');
  await letGo(t);
  await eventually(refused);
  backend.break('unlock');
  const failure = await failureOf(applying);
  expect(failure).toMatchObject({
    type: 'TerraformFailed',
    details: [{ reason: 'LockNotReleased', phase: 'apply' }],
  });
  expect(failure.message).toContain('what it applied is in the state');
  expect(backend.lock()).toBeUndefined();
  expect(backend.state()?.resources).toHaveLength(3);
});

test('a file of the repository is not taken for a state that could not be saved', async () => {
  const t = aTerraform(await newDirectory());
  t.repository.commit({ 'terraform/errored.tfstate': '{}' });
  const input = slowOver(t, backend);
  await letGo(t);
  expect(await t.apply(input)).toMatchObject({ changed: true });
  expect(await readdir(home(t)).catch(() => [])).toEqual([]);
});
