import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { Connection, Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { startSandbox } from '../../../sandbox/server.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { loadTools, serverExecutable } from '../../../scripts/tools.ts';
import { createAwsClients } from '../../../src/activities/aws.ts';
import type { AwsClients } from '../../../src/activities/aws.ts';
import { createEnvironmentActivities } from '../../../src/activities/environment/activities.ts';
import { createAssertHolder } from '../../../src/activities/environment/assert-holder.ts';
import type { EnvironmentActivities } from '../../../src/activities/environment/types.ts';
import { QUERIES, SEARCH_ATTRIBUTES, workflowId } from '../../../src/contract.ts';
import type { Holder, LockRequest } from '../../../src/domain/ledger.ts';
import { registerSearchAttributes } from '../../../src/search-attributes.ts';
import { until } from '../../sandbox/ecs/world.ts';
import { aTarget, credentials } from '../ecs/aRollout.ts';

const BUNDLER = fileURLToPath(new URL('../../../scripts/bundle.ts', import.meta.url));
const taskQueue = 'environments';

let server: TestWorkflowEnvironment;
let sandbox: Sandbox;
let stateDir: string;
let aws: AwsClients;
let activities: EnvironmentActivities;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  stateDir = await mkdtemp(join(tmpdir(), 'slipway-environment-'));
  const [bundle] = await Promise.all([
    execa('node', [BUNDLER]),
    startServer(),
    startSandbox({ stateDir }).then((started) => (sandbox = started)),
  ]);
  aws = createAwsClients({ endpoint: sandbox.url, credentials });
  activities = createEnvironmentActivities({
    client: server.client,
    aws,
    taskQueue,
    targetOf: (environment) => aTarget({ environment }),
  });
  worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: bundle.stdout },
    activities,
  });
  running = worker.run();
}, 60_000);

afterAll(async () => {
  worker.shutdown();
  await running;
  await server.teardown();
  aws.destroy();
  await sandbox.close();
  await rm(stateDir, { recursive: true, force: true });
});

async function startServer(): Promise<void> {
  const { temporalCli } = loadTools();
  server = await TestWorkflowEnvironment.createLocal({
    server: { executable: serverExecutable(temporalCli) },
  });
  await registerSearchAttributes(server.connection, 'default', Object.keys(SEARCH_ATTRIBUTES));
}

/** An environment of the test's own, named so that no other test's lock is in its way. */
const anEnvironment = () => ({ platform: 'notes', environment: `e${randomUUID().slice(0, 8)}` });

/** A request of a run that is there: the environment looks for the runs that it gives its lock to. */
async function aRequest(): Promise<LockRequest> {
  const handle = await server.client.workflow.start('environment', {
    workflowId: randomUUID(),
    taskQueue,
    args: [anEnvironment()],
  });
  return {
    requestId: randomUUID(),
    workflowId: handle.workflowId,
    firstExecutionRunId: handle.firstExecutionRunId,
    purpose: 'deploy 1.4.0',
  };
}

const holderOf = ({ platform, environment }: { platform: string; environment: string }) =>
  server.client.workflow
    .getHandle(workflowId.environment(platform, environment))
    .query<Holder | null>(QUERIES.holder);

/** Asks for the lock and waits until it is held. */
async function locked(where: { platform: string; environment: string }) {
  const request = await aRequest();
  await activities.requestLock({ ...where, request });
  const holder = await until(
    () => holderOf(where),
    (found) => found?.requestId === request.requestId,
  );
  if (!holder) throw new Error('not held');
  const environmentWorkflowId = workflowId.environment(where.platform, where.environment);
  return { request, proof: { environmentWorkflowId, requestId: request.requestId, token: holder.token } };
}

const parameterOf = async ({
  platform,
  environment,
}: {
  platform: string;
  environment: string;
}): Promise<unknown> => {
  const { ssm } = aws.clientsFor(aTarget());
  const { Parameter } = await ssm.send(
    new GetParameterCommand({ Name: `/${platform}/${environment}/slipway-lock` }),
  );
  return JSON.parse(Parameter?.Value ?? '');
};

describe('inspecting', () => {
  test('starts the environment where it does not run, and asks the one that does', async () => {
    const where = anEnvironment();

    const first = await activities.inspectEnvironment(where);
    const handle = server.client.workflow.getHandle(
      workflowId.environment(where.platform, where.environment),
    );
    const { runId } = await handle.describe();
    const second = await activities.inspectEnvironment(where);

    expect(first).toMatchObject({ ...where, queue: [], history: [] });
    expect(second).toEqual(first);
    expect((await handle.describe()).runId).toBe(runId);
  });
});

describe('the lock', () => {
  test('a request starts the environment and is granted; sent again it changes nothing', async () => {
    const where = anEnvironment();
    const { request, proof } = await locked(where);

    await activities.requestLock({ ...where, request });
    const status = await activities.inspectEnvironment(where);

    expect(status.holder).toMatchObject({ requestId: request.requestId, token: proof.token });
    expect(status.queue).toEqual([]);
  });

  test('its holder is kept in SSM, with the epoch', async () => {
    const where = anEnvironment();
    const { request, proof } = await locked(where);

    const { workflowId: id, firstExecutionRunId, requestId } = request;
    // The environment knows its holder before the parameter is written, and grants only after.
    const kept = await until(
      () => parameterOf(where),
      (found) => 'holder' in (found as object),
    );
    expect(kept).toEqual({
      epoch: proof.token.epoch,
      holder: { workflowId: id, firstExecutionRunId, requestId },
    });
  });
});

describe('asserting the holder', () => {
  const assertHolder: ReturnType<typeof createAssertHolder> = (proof) =>
    createAssertHolder({ client: server.client })(proof);

  test('the holder may write', async () => {
    const { proof } = await locked(anEnvironment());
    expect(await assertHolder(proof)).toBeUndefined();
  });

  test('another request, another token and no lock at all are lost for good', async () => {
    const { proof } = await locked(anEnvironment());
    const free = anEnvironment();
    await activities.inspectEnvironment(free);
    const lost = { type: 'LockLost', nonRetryable: true };

    await expect(assertHolder({ ...proof, requestId: 'other' })).rejects.toMatchObject(lost);
    const later = { ...proof.token, counter: proof.token.counter + 1 };
    await expect(assertHolder({ ...proof, token: later })).rejects.toMatchObject(lost);
    const environmentWorkflowId = workflowId.environment(free.platform, free.environment);
    await expect(assertHolder({ ...proof, environmentWorkflowId })).rejects.toMatchObject(lost);
  });

  test('an environment that is not there holds no lock', async () => {
    const { proof } = await locked(anEnvironment());
    const nowhere = { ...proof, environmentWorkflowId: 'notes.environment.nowhere' };
    await expect(assertHolder(nowhere)).rejects.toMatchObject({ type: 'LockLost', nonRetryable: true });
  });

  test('a server that does not answer may be asked again', async () => {
    const { proof } = await locked(anEnvironment());
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 200 });
    const unreachable = createAssertHolder({ client: new Client({ connection }) });

    const asked = connection.withDeadline(Date.now() + 1_000, () => unreachable(proof));

    await expect(asked).rejects.toMatchObject({ type: 'EnvironmentUnreachable', nonRetryable: false });
    await connection.close();
  });
});

describe('the epoch', () => {
  const holder = { workflowId: 'w', firstExecutionRunId: 'f', requestId: 'r' };

  test('grows from one, and tells the last holder', async () => {
    const where = anEnvironment();
    expect(await activities.raiseEpoch(where)).toEqual({ epoch: 1 });
    await activities.recordHolder({ ...where, epoch: 1, holder });
    expect(await activities.raiseEpoch(where)).toEqual({ epoch: 2, lastHolder: holder });
    await activities.recordHolder({ ...where, epoch: 2 });
    expect(await parameterOf(where)).toEqual({ epoch: 2 });
  });

  test('is written to no other account than the one that is meant', async () => {
    const where = anEnvironment();
    const elsewhere = createEnvironmentActivities({
      client: server.client,
      aws,
      taskQueue,
      targetOf: (environment) => aTarget({ environment, account: '999999999999' }),
    });
    const wrong = {
      type: 'WrongAccount',
      nonRetryable: true,
      message: expect.stringContaining(`${where.environment} is account 999999999999`),
    };

    await expect(elsewhere.raiseEpoch(where)).rejects.toMatchObject(wrong);
    await expect(elsewhere.recordHolder({ ...where, epoch: 1, holder })).rejects.toMatchObject(wrong);
    await expect(parameterOf(where)).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('an older environment may not write over a newer one', async () => {
    const where = anEnvironment();
    await activities.raiseEpoch(where);
    await activities.raiseEpoch(where);

    const older = activities.recordHolder({ ...where, epoch: 1, holder });

    await expect(older).rejects.toMatchObject({ type: 'EpochSuperseded', nonRetryable: true });
    expect(await parameterOf(where)).toEqual({ epoch: 2 });
  });

  test.each(['nonsense', '{"epoch":"1"}', '{"epoch":1,"holder":{"workflowId":"w"}}'])(
    'a parameter that holds %s is not written over',
    async (value) => {
      const where = anEnvironment();
      const name = `/${where.platform}/${where.environment}/slipway-lock`;
      await aws
        .clientsFor(aTarget())
        .ssm.send(new PutParameterCommand({ Name: name, Value: value, Type: 'String' }));

      await expect(activities.raiseEpoch(where)).rejects.toMatchObject({
        type: 'LockRecordUnreadable',
        nonRetryable: true,
      });
    },
  );
});

test('the starter is the identity that the run was started with', async () => {
  const client = new Client({ connection: server.connection, identity: 'alice@laptop' });
  const id = randomUUID();
  const { firstExecutionRunId: runId } = await client.workflow.start('environment', {
    workflowId: id,
    taskQueue,
    args: [anEnvironment()],
  });

  expect(await activities.findStarter({ workflowId: id, runId })).toBe('alice@laptop');
});
