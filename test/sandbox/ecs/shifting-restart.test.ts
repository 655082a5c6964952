import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCommand } from '../command.ts';
import type { SandboxCommand } from '../command.ts';
import { answer, answers, aShiftingService, canary, ended, hookOf, paused } from './shifting-service.ts';
import type { ShiftingService } from './shifting-service.ts';
import { until, World } from './world.ts';

let stateDir: string;
let command: SandboxCommand;
let world: World;
let service: ShiftingService;
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'sandbox-restart-'));
  await start();
  service = await aShiftingService(world, 'killed', canary, { desiredCount: 1 });
});
afterAll(async () => {
  world.disconnect();
  await command.end('SIGTERM');
  await rm(stateDir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  command = await startCommand(stateDir, '--speed', '50');
  const { url, child } = command;
  const sandbox = { url, port: Number(new URL(url).port), close: async () => void child.kill('SIGTERM') };
  world = await World.of(sandbox, stateDir);
}

/** Ends the sandbox as a power failure would, and starts it on what is left. */
async function killed(between?: () => Promise<unknown>): Promise<void> {
  world.disconnect();
  await command.end('SIGKILL');
  await between?.();
  await start();
}

test('a deployment goes on where it was when the sandbox is killed', async () => {
  const { name, second, rule, groups, url } = service;
  await world.update(name, { taskDefinition: second });
  await killed();
  const before = await paused(world, name);

  await killed();
  const same = await paused(world, name);
  expect(same.lifecycleHookDetails).toEqual(before.lifecycleHookDetails);
  await answer(world, same);
  await killed();
  const at20 = await paused(world, name, hookOf(same));
  expect(await world.weights(rule)).toEqual({ [groups[0]]: 80, [groups[1]]: 20 });

  await answer(world, at20);
  await answer(world, await paused(world, name, hookOf(at20)));
  await killed();
  expect(await ended(world, name)).toMatchObject({ status: 'SUCCESSFUL' });
  expect(await answers(url, 5)).toEqual({ two: 5 });
});

test('a rollback goes on, too', async () => {
  const { name, first, url } = service;
  await world.update(name, { taskDefinition: first });
  const before = await paused(world, name);
  await answer(world, before);
  const at20 = await paused(world, name, hookOf(before));

  await answer(world, at20, 'ROLLBACK');
  await killed();

  expect(await ended(world, name)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
  expect(await answers(url, 5)).toEqual({ two: 5 });
});

test('a pause that expires while no sandbox runs acts when one does', async () => {
  const { name, first } = service;
  // 4.8 s at this speed: time enough to see the pause before it expires.
  const timeoutConfiguration = { timeoutInMinutes: 4 };
  const lifecycleHooks = [{ ...canary.lifecycleHooks?.[0], timeoutConfiguration }];
  await world.update(name, { taskDefinition: first, deploymentConfiguration: { lifecycleHooks } });
  const { lifecycleHookDetails = [] } = await paused(world, name);
  const expiresAt = lifecycleHookDetails[0]?.expiresAt?.getTime() ?? 0;

  await killed(() =>
    until(
      async () => Date.now(),
      (now) => now > expiresAt,
    ),
  );

  expect(await ended(world, name)).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    lifecycleHookDetails: [{ status: 'TIMED_OUT' }],
  });
});
