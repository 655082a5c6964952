import { readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { createTestActivities } from '../../../src/activities/tests/activities.ts';
import type { TestResult } from '../../../src/activities/tests/types.ts';
import type { TestSuite } from '../../../src/domain/policy.ts';
import { identityOf } from '../../../src/activities/process/identity.ts';
import { eventually, temporaryDirectories } from '../process/support.ts';
import { TestRepository } from '../source/support.ts';

const newDirectory = temporaryDirectories();
const TARGET = {
  platform: 'writing',
  environment: 'staging',
  account: '000000000000',
  region: 'eu-west-1',
  cluster: 'writing-staging',
};

async function aSuite(script: string, suite: Partial<TestSuite> = {}) {
  const base = await newDirectory();
  const repository = new TestRepository(join(base, 'upstream'));
  const dataDirectory = join(base, 'data');
  const environment = { ...process.env, AWS_SECRET_ACCESS_KEY: 'not-for-tests' };
  const source = createSourceRepository({ repository: repository.directory, dataDirectory, environment });
  const activities = createTestActivities({ source, dataDirectory, environment, grace: 2_000 });
  const commit = repository.commit({ 'tests/smoke.sh': script });
  const declared = {
    name: 'smoke',
    command: ['sh', 'tests/smoke.sh'],
    timeoutSeconds: 60,
    environment: {},
    ...suite,
  };
  const input = {
    target: TARGET,
    release: { version: '1.4.0', commit },
    suite: declared,
    outputs: { editor_url: 'http://editor' },
  };
  const run = (activity = new MockActivityEnvironment()) =>
    activity.run<[], TestResult, () => Promise<TestResult>>(() => activities.runTests(input));
  return { base, dataDirectory, commit, run };
}

test('passes with the declared environment, its placeholders filled, and nothing else but PATH, HOME and LANG', async () => {
  const environment = { URL: '${output:editor_url}/x', WANTED: '${version} ${commit} ${environment}' };
  const { run, commit } = await aSuite('env; pwd; ls', { environment });
  const { passed, detail, log, duration } = await run();
  expect({ passed, detail }).toMatchObject({
    passed: true,
    detail: expect.stringMatching(/^smoke passed\.\n/),
  });
  const output = await readFile(log, 'utf8');
  expect(output).toContain('URL=http://editor/x\n');
  expect(output).toContain(`WANTED=1.4.0 ${commit} staging\n`);
  expect(output).toMatch(/^tests$/m);
  expect(output).not.toMatch(/AWS_|not-for-tests|npm_|JEST/);
  expect(output).not.toContain(`HOME=${process.env['HOME']}\n`);
  expect(duration).toBeGreaterThan(0);
});

test('fails with the exit code and the last lines, and keeps the whole output for its owner alone', async () => {
  const script =
    'i=0; while [ $i -lt 400 ]; do echo "line $i"; i=$((i+1)); done; echo expected 2, found 3 >&2; exit 3';
  const { run } = await aSuite(script);
  const { passed, detail, log } = await run();
  expect(passed).toBe(false);
  expect(detail).toMatch(/^smoke failed: exit code 3\.\n/);
  expect(detail).toMatch(/line 399\n--- stderr ---\nexpected 2, found 3$/);
  expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(2048);
  expect(await readFile(log, 'utf8')).toContain('line 0\n');
  expect((await stat(log)).mode & 0o077).toBe(0);
});

test('masks secrets of the declared environment in what leaves the host', async () => {
  const { run } = await aSuite('echo "using $API_TOKEN"; exit 1', {
    environment: { API_TOKEN: 'tok-123456' },
  });
  const { detail } = await run();
  expect(detail).toContain('using ***');
  expect(detail).not.toContain('tok-123456');
});

test('is stopped at its timeout with all that it started', async () => {
  const { run, base } = await aSuite(`sleep 60 & echo $! > "$PIDFILE"; wait`, {
    timeoutSeconds: 1,
    environment: { PIDFILE: '/dev/null' },
  });
  const { passed, detail } = await run();
  expect(passed).toBe(false);
  expect(detail).toContain('it ran longer than 1 s');
  expect(await readdir(join(base, 'data', 'tests', 'writing', 'staging'))).toEqual([]);
});

test('a cancelled run ends the suite and its children', async () => {
  const pidFile = join(await newDirectory(), 'pid');
  const script = `sleep 60 & echo $! > "$PIDFILE.new"; mv "$PIDFILE.new" "$PIDFILE"; wait`;
  const { run } = await aSuite(script, { environment: { PIDFILE: pidFile } });
  const activity = new MockActivityEnvironment();
  const running = run(activity);
  const pid = Number(await eventually(() => readFile(pidFile, 'utf8').catch(() => undefined)));
  activity.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  await eventually(() => identityOf(pid) === undefined);
});

test('a suite outlives its worker, and the retry takes its verdict', async () => {
  const base = await newDirectory();
  const script = `echo ran >> "$BASE/ran"; while [ ! -e "$BASE/go" ]; do sleep 0.02; done; exit 5`;
  const { run } = await aSuite(script, { environment: { BASE: base } });
  const first = new MockActivityEnvironment({ attempt: 1 });
  const running = run(first);
  await eventually(() => readFile(join(base, 'ran')).catch(() => undefined));
  first.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  const retry = run(new MockActivityEnvironment({ attempt: 2 }));
  await writeFile(join(base, 'go'), '');
  expect(await retry).toMatchObject({ passed: false, detail: 'smoke failed: exit code 5.' });
  expect(await readFile(join(base, 'ran'), 'utf8')).toBe('ran\n');
});

test('an unknown placeholder is an error that names it and those that exist', async () => {
  const { run } = await aSuite('true', { command: ['sh', '-c', 'echo ${output:edtior_url}'] });
  await expect(run()).rejects.toMatchObject({
    type: 'UnknownPlaceholder',
    nonRetryable: true,
    message: expect.stringMatching(/\$\{output:edtior_url\}.*Known: .*\$\{output:editor_url\}/),
  });
});

test('a command that is not there fails the suite and says so', async () => {
  const { run } = await aSuite('true', { command: ['no-such-runner'] });
  expect(await run()).toMatchObject({
    passed: false,
    detail: expect.stringContaining('not found on the worker'),
  });
});

test('old logs go when a new one comes', async () => {
  const { run, dataDirectory } = await aSuite('true');
  const { log } = await run();
  const old = join(dataDirectory, 'logs', 'old.log');
  await writeFile(old, '');
  await utimes(old, new Date(0), new Date(0));
  await run(new MockActivityEnvironment({ activityId: '2' }));
  expect(await readdir(join(dataDirectory, 'logs'))).toHaveLength(2);
  expect((await stat(log)).isFile()).toBe(true);
});
