import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import {
  formatIdentity,
  identityOf,
  isAlive,
  ownIdentity,
  parseIdentity,
} from '../../../src/activities/process/identity.ts';
import { groupIsGone, inspectProcess, runProcess, stopProcess } from '../../../src/activities/process/run.ts';
import type { RunOptions } from '../../../src/activities/process/run.ts';
import { processFiles } from '../../../src/activities/process/wrapper.ts';
import { TestSupervisor, eventually, temporaryDirectories } from './support.ts';

const newDirectory = temporaryDirectories();
const env = { PATH: process.env['PATH'] ?? '' };

function shell(directory: string, script: string, ...args: string[]) {
  return { directory, command: ['/bin/sh', '-c', script, 'sh', ...args], cwd: directory, env };
}
function options(supervisor = new TestSupervisor(), more: Partial<RunOptions> = {}): RunOptions {
  return { supervisor, grace: 5_000, interrupt: 'command', ...more };
}
const pidIn = async (path: string) =>
  Number((await readFile(path, 'utf8').catch(() => '')).trim()) || undefined;

describe('runProcess', () => {
  test('hands back the exit code, with the output in files that only their owner reads', async () => {
    const directory = await newDirectory();
    const end = await runProcess(shell(directory, 'echo out; echo err >&2; exit 7'), options());
    expect(end).toEqual({ kind: 'exited', code: 7, timedOut: false, stopped: false, killed: false });
    const files = processFiles(directory);
    expect(await readFile(files.stdout, 'utf8')).toBe('out\n');
    expect(await readFile(files.stderr, 'utf8')).toBe('err\n');
    expect((await stat(files.stdout)).mode & 0o777).toBe(0o600);
  });

  test('gives the command the declared environment only', async () => {
    const directory = await newDirectory();
    process.env['SLIPWAY_TEST_SECRET'] = 'leak';
    await runProcess({ directory, command: ['env'], cwd: directory, env: { ...env, A: 'b c' } }, options());
    delete process.env['SLIPWAY_TEST_SECRET'];
    const output = await readFile(processFiles(directory).stdout, 'utf8');
    expect(output).toContain('A=b c\n');
    expect(output).not.toMatch(/SLIPWAY_TEST_SECRET|INNER/);
  });

  test('runs once when it is started twice at the same time', async () => {
    const directory = await newDirectory();
    const start = shell(directory, 'echo ran >> ran; while [ ! -e go ]; do sleep 0.02; done; exit 3');
    const ends = [runProcess(start, options()), runProcess(start, options()), runProcess(start, options())];
    await eventually(async () => (await inspectProcess(directory)) === 'running');
    await writeFile(join(directory, 'go'), '');
    expect((await Promise.all(ends)).map((end) => end.kind === 'exited' && end.code)).toEqual([3, 3, 3]);
    expect(await readFile(join(directory, 'ran'), 'utf8')).toBe('ran\n');
  });

  test('outlives a killed worker, and the next attempt takes its exit code', async () => {
    const directory = await newDirectory();
    const script = 'echo ran >> ran; while [ ! -e go ]; do sleep 0.02; done; echo finished; exit 4';
    const start = shell(directory, script);
    const worker = join(directory, 'worker.mjs');
    const run = pathToFileURL(join(import.meta.dirname, '../../../src/activities/process/run.ts')).href;
    await writeFile(
      worker,
      `import { runProcess } from ${JSON.stringify(run)};
       const supervisor = { heartbeat() {}, signal: new AbortController().signal, mustStop: () => false, failure: () => new Error() };
       await runProcess(${JSON.stringify(start)}, { supervisor, grace: 1000, interrupt: 'command' });`,
    );
    const child = spawn('node', [worker], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await eventually(() => readFile(join(directory, 'ran'), 'utf8').catch(() => undefined));
    child.kill('SIGKILL');
    await ended;
    expect(await inspectProcess(directory)).toBe('running');

    const end = runProcess(start, options());
    await writeFile(join(directory, 'go'), '');
    expect(await end).toMatchObject({ kind: 'exited', code: 4 });
    expect(await readFile(join(directory, 'ran'), 'utf8')).toBe('ran\n');
    expect(await readFile(processFiles(directory).stdout, 'utf8')).toBe('finished\n');
  });

  test('says that a process is lost when it was killed from outside', async () => {
    const directory = await newDirectory();
    const end = runProcess(shell(directory, 'exec sleep 60'), options());
    const wrapper = await eventually(async () =>
      parseIdentity(await readFile(processFiles(directory).wrapper, 'utf8').catch(() => '')),
    );
    process.kill(-wrapper.pid, 'SIGKILL');
    expect(await end).toEqual({ kind: 'lost', timedOut: false, stopped: false, killed: false });
  });

  test('sends one SIGINT to the command alone when the run is cancelled', async () => {
    const directory = await newDirectory();
    const supervisor = new TestSupervisor();
    const script = `n=0; trap 'n=$((n+1))' INT; (trap 'echo child >> signals' INT; while [ ! -e done ]; do sleep 0.02; done) &
      echo ready > ready; while [ $n = 0 ]; do sleep 0.02; done; sleep 0.1; echo "got $n" >> signals; touch done; wait; exit 9`;
    const end = runProcess(shell(directory, script), options(supervisor));
    await eventually(() => readFile(join(directory, 'ready')).catch(() => undefined));
    supervisor.end({ stop: true });
    expect(await end).toEqual({ kind: 'exited', code: 9, timedOut: false, stopped: true, killed: false });
    expect(await readFile(join(directory, 'signals'), 'utf8')).toBe('got 1\n');
  });

  test('leaves the process running when only this attempt ends', async () => {
    const directory = await newDirectory();
    const supervisor = new TestSupervisor();
    const end = runProcess(shell(directory, 'while [ ! -e go ]; do sleep 0.02; done'), options(supervisor));
    await eventually(async () => (await inspectProcess(directory)) === 'running');
    supervisor.end({ stop: false });
    await expect(end).rejects.toThrow('attempt ended');
    expect(await inspectProcess(directory)).toBe('running');
    await writeFile(join(directory, 'go'), '');
    await eventually(async () => typeof (await inspectProcess(directory)) === 'object');
  });

  test('kills the whole group when SIGINT does not end it within the grace period', async () => {
    const directory = await newDirectory();
    const supervisor = new TestSupervisor();
    const script = `trap '' INT; sleep 60 & echo $! > child; while :; do sleep 0.05; done`;
    const end = runProcess(shell(directory, script), options(supervisor, { grace: 100 }));
    const child = await eventually(() => pidIn(join(directory, 'child')));
    const identity = identityOf(child);
    supervisor.end({ stop: true });
    expect(await end).toMatchObject({ kind: 'lost', stopped: true, killed: true });
    await eventually(() => identity && !isAlive(identity));
  });

  test('stops at its timeout, and takes what it started along', async () => {
    const directory = await newDirectory();
    const script = `sleep 60 & echo $! > child; wait`;
    const end = await runProcess(
      shell(directory, script),
      options(undefined, { timeout: 300, grace: 2_000, interrupt: 'group' }),
    );
    expect(end).toMatchObject({ kind: 'exited', timedOut: true, stopped: true });
    const child = await eventually(() => pidIn(join(directory, 'child')));
    await eventually(() => identityOf(child) === undefined);
  });

  test('heartbeats with the last line', async () => {
    const directory = await newDirectory();
    const supervisor = new TestSupervisor();
    const script = `echo one; printf 'two\\n\\n'; while [ ! -e go ]; do sleep 0.02; done`;
    const end = runProcess(
      shell(directory, script),
      options(supervisor, { describe: (line) => `<${line}>` }),
    );
    await eventually(() => supervisor.lines.includes('<two>'));
    await writeFile(join(directory, 'go'), '');
    await end;
  });

  test('removes the file that it was told to, though nobody watches it', async () => {
    const directory = await newDirectory();
    const secret = join(directory, 'plan');
    await writeFile(secret, 'secret');
    await runProcess({ ...shell(directory, 'cat "$1"', secret), removeAfterwards: secret }, options());
    expect(await readFile(processFiles(directory).stdout, 'utf8')).toBe('secret');
    await expect(stat(secret)).rejects.toThrow('ENOENT');
  });

  test('a command that does not exist is an exit code, a directory that does not exist an error', async () => {
    const directory = await newDirectory();
    const missing = { directory, command: ['no-such-command'], cwd: directory, env };
    expect(await runProcess(missing, options())).toMatchObject({ kind: 'exited', code: 127 });
    const elsewhere = { ...missing, directory: join(directory, 'other'), cwd: join(directory, 'none') };
    await expect(runProcess(elsewhere, options())).rejects.toThrow('ENOENT');
  });
});

test('a reused pid is not taken for the process that had it', async () => {
  const own = identityOf(process.pid);
  expect(own && isAlive(own)).toBe(true);
  expect(own && isAlive({ ...own, started: 'earlier' })).toBe(false);
});

describe('a process of another host or container', () => {
  const elsewhere = (pid: number) => formatIdentity({ ...ownIdentity(), pid, place: 'elsewhere' });

  test('is neither alive nor lost, and its group may live', async () => {
    const directory = await newDirectory();
    await writeFile(processFiles(directory).wrapper, elsewhere(2 ** 22 + 1));
    expect(await inspectProcess(directory)).toBe('elsewhere');
    expect(await groupIsGone(directory, 0)).toBe(false);
    await writeFile(processFiles(directory).exitCode, '3');
    expect(await inspectProcess(directory)).toEqual({ end: 'exited', code: 3 });
  });

  test('gets no signal, which would go to one of this place with the same number', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    const ended = once(other, 'exit');
    const directory = await newDirectory();
    const files = processFiles(directory);
    for (const file of [files.wrapper, files.command]) await writeFile(file, elsewhere(other.pid ?? 0));
    await stopProcess(directory, 0);
    await writeFile(files.exitCode, '0');
    await runProcess(shell(directory, 'exit 9'), options());
    expect(identityOf(other.pid ?? 0)).toBeDefined();
    other.kill('SIGKILL');
    await ended;
  });
});

test('a process whose files are removed under it is lost', async () => {
  const directory = join(await newDirectory(), 'removed');
  const supervisor = new TestSupervisor();
  const end = runProcess({ ...shell(directory, 'sleep 60'), cwd: '/' }, options(supervisor));
  const wrapper = await eventually(async () =>
    parseIdentity(await readFile(processFiles(directory).wrapper, 'utf8').catch(() => '')),
  );
  await eventually(() => supervisor.lines.length > 0);
  await rm(directory, { recursive: true });
  expect(await end).toMatchObject({ kind: 'lost', stopped: false, killed: false });
  process.kill(-wrapper.pid, 'SIGKILL');
});

test('stopProcess returns once the process is gone, and at once when there is none', async () => {
  const directory = await newDirectory();
  await stopProcess(directory, 1_000);
  const end = runProcess(shell(directory, 'exec sleep 60'), options());
  await eventually(() => readFile(processFiles(directory).command).catch(() => undefined));
  await stopProcess(directory, 5_000);
  expect(await inspectProcess(directory)).toEqual({ end: 'exited', code: 130 });
  await end;
});
