import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { loadTools, serverExecutable } from '../../../../scripts/tools.ts';
import { ApplyProgress } from '../../../../src/activities/terraform/apply/progress.ts';
import { eventually, temporaryDirectories } from '../../process/support.ts';
import { startStateBackend } from '../../../terraform/state-backend.ts';
import type { attempts, stopped } from '../attempts.workflow.ts';
import { aDeafTerraform, slowOver } from '../cut.ts';
import { LOCK, aTerraform } from '../support.ts';

const newDirectory = temporaryDirectories();
const ROOT = join(import.meta.dirname, '../../../..');
const BUNDLE = `
  import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
  const { code } = await bundleWorkflowCode({ workflowsPath: process.argv[1], logger: new DefaultLogger('ERROR') });
  process.stdout.write(code);`;

let server: TestWorkflowEnvironment;
let code: string;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { temporalCli } = loadTools();
  const workflows = join(import.meta.dirname, '../attempts.workflow.ts');
  const [bundled, started] = await Promise.all([
    execa('node', ['--input-type=module', '-e', BUNDLE, workflows], { cwd: ROOT }),
    TestWorkflowEnvironment.createLocal({ server: { executable: serverExecutable(temporalCli) } }),
  ]);
  code = bundled.stdout;
  server = started;
}, 60_000);

afterAll(async () => {
  await server.teardown();
});

/** Does `work` while a worker on a real server, which keeps heartbeats back for `throttle`, does `attempt`. */
async function withWorker<T>(
  attempt: () => Promise<unknown>,
  throttle: '1 minute' | '100 ms',
  work: (start: { taskQueue: string; workflowId: string }) => Promise<T>,
): Promise<T> {
  const taskQueue = randomUUID();
  const codePath = join(await newDirectory(), 'bundle.js');
  await writeFile(codePath, code);
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: { codePath },
    activities: { attempt },
    maxHeartbeatThrottleInterval: throttle,
    defaultHeartbeatThrottleInterval: throttle,
  });
  return worker.runUntil(() => work({ taskQueue, workflowId: randomUUID() }));
}

/** Runs `attempt` with heartbeats that are kept back for longer than the test takes. */
async function onServer(attempt: () => Promise<string>): Promise<string> {
  return withWorker(attempt, '1 minute', (start) =>
    server.client.workflow.execute<typeof attempts>('attempts', start),
  );
}

/** The details that the server has of a run's activity: what is left of it when its host is lost now. */
async function heartbeatOnServer(
  workflowId = Context.current().info.workflowExecution?.workflowId ?? '',
): Promise<string> {
  const { raw } = await server.client.workflow.getHandle(workflowId).describe();
  const [payload] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return Buffer.from(payload?.data ?? []).toString();
}

test('the next attempt knows that an apply was begun by a worker that said nothing any more', async () => {
  let second: () => void = () => undefined;
  const secondRuns = new Promise<void>((resolve) => (second = resolve));
  let noted = '';
  const result = await onServer(() =>
    ApplyProgress.during(async (progress) => {
      if (Context.current().info.attempt === 2) {
        second();
        return JSON.stringify(progress.unfinished?.created);
      }
      Context.current().heartbeat('planning');
      await eventually(async () => (await heartbeatOnServer()) !== '');
      await progress.begin({ created: ['terraform_data.web'], replaced: [] });
      noted = await heartbeatOnServer();
      // As a host that is lost: no sign of life, until the server gives the attempt up.
      await secondRuns;
      return 'nobody hears it';
    }),
  );
  expect(JSON.parse(noted)).toMatchObject({ apply: 'begun' });
  expect(result).toBe('["terraform_data.web"]');
}, 30_000);

test('an attempt that the server has given up begins no apply', async () => {
  let second: () => void = () => undefined;
  const secondRuns = new Promise<void>((resolve) => (second = resolve));
  let first: (how: unknown) => void = () => undefined;
  const firstEnded = new Promise<unknown>((resolve) => (first = resolve));
  const result = await onServer(() =>
    ApplyProgress.during(async (progress) => {
      Context.current().heartbeat('planning');
      if (Context.current().info.attempt === 2) {
        second();
        const how = await firstEnded;
        return `${how instanceof CancelledFailure} ${progress.notBegun}`;
      }
      await secondRuns;
      await progress.begin({ created: [], replaced: [] }).then(first, first);
      return 'begun';
    }),
  );
  expect(result).toBe('true true');
}, 30_000);

test('a run that is being stopped hears that its apply had to be killed, and does not take it for stopped', async () => {
  const backend = await startStateBackend();
  try {
    const base = await newDirectory();
    const t = aTerraform(base, { binary: await aDeafTerraform(base), grace: 200 });
    const input = slowOver(t, backend);
    const { changeSet: approved } = await t.plan(input);
    const attempt = () => t.activities.applyTerraform({ ...input, approved, lock: LOCK });
    const result = await withWorker(attempt, '100 ms', async (start) => {
      const run = await server.client.workflow.start<typeof stopped>('stopped', start);
      await eventually(async () => (await heartbeatOnServer(start.workflowId)).includes('"lock"'));
      await run.signal('stop');
      return run.result();
    });
    expect(result).toMatchObject({
      type: 'ApplyInterrupted',
      detail: {
        suspects: ['terraform_data.quick', 'terraform_data.slow'],
        stateLock: { operation: 'OperationTypeApply', released: true },
      },
    });
    expect(backend.lock()).toBeUndefined();
  } finally {
    await backend.close();
  }
}, 30_000);
