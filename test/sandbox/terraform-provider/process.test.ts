import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ECS } from '@aws-sdk/client-ecs';
import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { aWorkspace } from './aWorkspace.ts';
import type { Workspace } from './aWorkspace.ts';

let workspace: Workspace;
let ecs: ECS;
beforeAll(async () => {
  workspace = await aWorkspace({ installed: true });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  ecs = new ECS({ endpoint: workspace.sandbox.url, region: 'eu-west-1', credentials });
});
afterAll(async () => {
  ecs.destroy();
  await workspace.close();
});

/** A service whose image is missing: its apply waits for a steady state that never comes. */
const waiting = (name: string): string => `
resource "aws_ecs_cluster" "main" {
  name = "${name}"
}
resource "aws_ecs_task_definition" "main" {
  family                = "${name}"
  network_mode          = "bridge"
  memory                = 128
  container_definitions = jsonencode([{ name = "it", image = "none:1", essential = true }])
}
resource "aws_ecs_service" "main" {
  name                  = "it"
  cluster               = aws_ecs_cluster.main.arn
  task_definition       = aws_ecs_task_definition.main.arn
  desired_count         = 1
  wait_for_steady_state = true
}`;

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited 20 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts an apply in a process group of its own, and lets it come to its wait. */
async function applyThatWaits(
  name: string,
): Promise<{ pid: number; provider: number; exited: Promise<number | null> }> {
  await workspace.write(waiting(name));
  const log = openSync(join(workspace.directory, `${name}.log`), 'w');
  const child = spawn('terraform', ['apply', '-auto-approve', '-no-color'], {
    cwd: workspace.directory,
    env: workspace.environment,
    detached: true,
    stdio: ['ignore', log, log],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  await until('the service to be created', async () => {
    const found = await ecs.describeServices({ cluster: name, services: ['it'] }).catch(() => undefined);
    return found?.services?.[0];
  });
  const pid = child.pid ?? 0;
  const provider = await until('the provider to run', async () => (await childrenOf(pid))[0]);
  return { pid, provider, exited };
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(parent) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

async function isGone(pid: number): Promise<true | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined || stat.includes(') Z ') ? true : undefined;
}

test('installed and started by Terraform, over TLS, the provider plans, applies and then has nothing to do', async () => {
  await workspace.write('resource "aws_ecs_cluster" "main" {\n name = "started"\n}');

  const planned = await workspace.plan();
  await workspace.apply();

  expect(planned.changes).toMatchObject([
    { address: 'aws_ecs_cluster.main', change: { actions: ['create'] } },
  ]);
  expect(await workspace.plan()).toEqual({ exitCode: 0, changes: [], drift: [] });
  const { clusters } = await ecs.describeClusters({ clusters: ['started'] });
  expect(clusters).toMatchObject([{ status: 'ACTIVE' }]);
});

test('without the endpoint of a sandbox the provider does nothing', async () => {
  const { exitCode, stderr } = await execa('terraform', ['plan', '-no-color'], {
    cwd: workspace.directory,
    env: { ...workspace.environment, AWS_ENDPOINT_URL: '' },
    reject: false,
  });

  expect(exitCode).toBe(1);
  expect(stderr).toContain('AWS_ENDPOINT_URL is not set');
});

test('an interrupt of the whole process group ends the wait; what was made is in the state, tainted', async () => {
  const { pid, provider, exited } = await applyThatWaits('interrupted');

  process.kill(-pid, 'SIGINT');

  expect(await exited).toBe(1);
  await until('the provider to end', () => isGone(provider));
  const { changes } = await workspace.plan();
  expect(changes).toMatchObject([
    { address: 'aws_ecs_service.main', change: { actions: ['delete', 'create'] } },
  ]);
  expect(await readFile(join(workspace.directory, 'interrupted.log'), 'utf8')).toContain('asked to stop');
});

test('a terraform that is killed takes its provider along', async () => {
  const { pid, provider, exited } = await applyThatWaits('killed');

  process.kill(pid, 'SIGKILL');
  await exited;

  await until('the provider to end', () => isGone(provider));
});

test('started by hand the provider says what it is', async () => {
  const main = join(import.meta.dirname, '../../../sandbox/terraform-provider/main.ts');
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [message, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);

  expect([code, message]).toEqual([1, expect.stringContaining('Terraform starts it, not you')]);
});
