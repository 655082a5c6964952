import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ListClustersCommand } from '@aws-sdk/client-ecs';
import { identify } from '../../sandbox/process-identity.ts';
import { runCommand, startCommand } from './command.ts';
import type { SandboxCommand } from './command.ts';
import { goodApp, until, World } from './ecs/world.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-command-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Says its process id, so that a test can tell one task's process from another's. */
const pidApp = goodApp('one')
  .replace(`'one');`, `String(process.pid));`)
  .replaceAll(`'one'`, `String(process.pid)`);

function worldOf({ url, child }: SandboxCommand, stateDir: string): Promise<World> {
  const sandbox = { url, port: Number(new URL(url).port), close: async () => void child.kill('SIGTERM') };
  return World.of(sandbox, stateDir);
}

async function pidAt(url: string): Promise<number> {
  const answered = await until(
    () =>
      fetch(url).then(
        (response) => (response.ok ? response.text() : ''),
        () => '',
      ),
    (text) => text !== '',
  );
  return Number(answered);
}

/** A zombie, which only waits for its parent to notice, doesn't run. */
const runs = (pid: number): boolean => identify(pid) !== undefined;

describe('a running service', () => {
  test('outlives a kill -9 of the sandbox, and ends with its graceful stop', async () => {
    const stateDir = join(directory, 'killed');
    const first = await startCommand(stateDir, '--speed', '50');
    const world = await worldOf(first, stateDir);
    const { targetGroupArn, url } = await world.balance('app');
    const taskDefinition = await world.define('app', await world.push('app', pidApp));
    await world.create('app', {
      taskDefinition,
      loadBalancers: [{ targetGroupArn, containerName: 'web', containerPort: 80 }],
    });
    await world.steady('app');
    const pid = await pidAt(url);

    await first.end('SIGKILL');
    expect(runs(pid)).toBe(true);
    const second = await startCommand(stateDir, '--speed', '50');
    const again = await worldOf(second, stateDir);

    expect(await pidAt(url)).toBe(pid);
    expect((await again.steady('app')).runningCount).toBe(1);
    expect(await again.tasks('STOPPED')).toEqual([]);

    expect(await second.end('SIGTERM')).toBe(0);
    expect(runs(pid)).toBe(false);

    const third = await startCommand(stateDir, '--speed', '50');
    const after = await worldOf(third, stateDir);
    const replacement = await pidAt(url);
    expect(replacement).not.toBe(pid);
    expect(await after.tasks('STOPPED')).toMatchObject([{ stopCode: 'TerminationNotice' }]);
    await third.end('SIGINT');
    expect(runs(replacement)).toBe(false);
  });
});

test('what was acknowledged before a kill -9 is there afterwards', async () => {
  const stateDir = join(directory, 'acknowledged');
  const first = await startCommand(stateDir);
  const world = await worldOf(first, stateDir);
  await first.end('SIGKILL');

  const second = await startCommand(stateDir);
  const again = await worldOf(second, stateDir);
  const { clusterArns } = await again.ecs.send(new ListClustersCommand({}));
  expect(clusterArns).toEqual(['arn:aws:ecs:eu-west-1:000000000000:cluster/rehearsal']);
  await second.end('SIGTERM');
  world.ecs.destroy();
});

test('the printed variables name the endpoint, the region and the registry', async () => {
  const command = await startCommand(join(directory, 'variables'), '--region', 'us-east-2');
  expect(command.variables).toMatchObject({
    AWS_ENDPOINT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    AWS_REGION: 'us-east-2',
    AWS_DEFAULT_REGION: 'us-east-2',
    SANDBOX_REGISTRY: command.url.replace('http://', ''),
  });
  await command.end('SIGTERM');
});

test('a port in use is said, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await until(async () => server.listening, Boolean);
  const { port } = server.address() as AddressInfo;

  const { code, stderr } = await runCommand('--port', String(port), '--state', join(directory, 'port'));

  server.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${port}`);
  expect(stderr).toContain('Choose another with --port');
});

test('a state directory that can’t be used is named', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  const { code, stderr } = await runCommand('--port', '0', '--state', file);
  expect(code).toBe(1);
  expect(stderr).toContain(`Can't use the state directory ${file}`);
});

test.each([
  [['--port', 'high'], '--port is high, but must be a number from 0 to 65535'],
  [['--speed', '0'], '--speed is 0, but must be a number above 0'],
  [['--account', '12'], '--account is 12, but must be 12 digits'],
  [['--tempo', '3'], '--tempo'],
])('%j is refused before anything starts', async (args, message) => {
  const { code, stderr } = await runCommand(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

describe('--faults', () => {
  test('its faults are in force from the first call', async () => {
    const file = join(directory, 'faults.json');
    await writeFile(file, JSON.stringify([{ fault: 'throttle', service: 'ecs', times: 1 }]));
    const command = await startCommand(join(directory, 'faulty'), '--faults', file);
    const asked = await fetch(command.url, {
      method: 'POST',
      headers: {
        'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListClusters',
        'content-type': 'application/x-amz-json-1.1',
      },
      body: '{}',
    });
    expect(await asked.json()).toEqual({ __type: 'ThrottlingException', message: 'Rate exceeded' });
    await command.end('SIGTERM');
  });

  test.each([
    ['nowhere', undefined, 'nowhere'],
    ['broken', '[{', 'broken'],
    ['single', '{"fault":"hang"}', 'must hold a JSON array'],
    ['unknown', '[{"fault":"explode"}]', `'fault' must be one of throttle`],
  ])('a file that is %s is refused before anything starts', async (name, content, message) => {
    const file = join(directory, name);
    if (content !== undefined) await writeFile(file, content);
    const stateDir = join(directory, `state-of-${name}`);
    const { code, stderr } = await runCommand('--port', '0', '--state', stateDir, '--faults', file);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    await expect(access(stateDir)).rejects.toThrow('ENOENT');
  });
});

test('--help lists every option', async () => {
  const { code, stdout } = await runCommand('--help');
  expect(code).toBe(0);
  for (const option of ['--port', '--state', '--account', '--region', '--speed', '--faults'])
    expect(stdout).toContain(option);
});
