import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Project } from './aProject.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const installations = async () =>
  (await readFile(join(project.root, 'npm-calls'), 'utf8')).split('\n').length - 1;
const script = (source: string, ...args: string[]) => ['--for', 'none', '--', 'node', '-e', source, ...args];

describe('what is missing', () => {
  test('is named all at once, with how to get it, and nothing is changed', async () => {
    const before = await project.entries();

    const result = await project.start(['--for', 'test', '--', 'node', '-v']);

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/npm 10 .*\n.+\n.*git 2\.20.*\n.+\n.*Terraform 1\.4.*\n.+\n.*Python 3\.10/);
    expect(result.stdout).toBe('');
    expect(await project.entries()).toEqual(before);
  });

  test('is what this purpose needs, no more', async () => {
    await project.installNpm();

    const result = await project.start(['--for', 'worker', '--', 'node', '-v']);

    expect(result.stderr).toContain('- git 2.20');
    expect(result.stderr).not.toMatch(/npm 10|Terraform|Python/);
  });

  test('includes what is there but too old', async () => {
    await project.installNpm();
    await project.install('git', `console.log('git version 2.47.1')`);
    await project.install('terraform', `console.log('Terraform v1.3.9')`);

    const result = await project.start(['--for', 'demo', '--', 'node', '-v']);

    expect(result.stderr).toContain('- Terraform 1.4 or newer');
    expect(result.stderr).not.toContain('- git');
  });
});

test('an unknown purpose is answered with the known ones', async () => {
  const result = await project.start(['--for', 'fun', '--', 'node', '-v']);

  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain('demo|test|bench|check|worker|sandbox|none');
});

describe('the command', () => {
  beforeEach(() => project.installNpm());

  test('gets its arguments, its input and the project’s Node, and its exit code is the set-up’s', async () => {
    const source = `process.stdin.pipe(process.stdout); console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 7`;

    const result = await project.start(script(source, '--', 'two words', '--for', '$HOME'), {
      input: 'said',
    });

    expect(result.exitCode).toBe(7);
    expect(result.stdout).toContain(JSON.stringify(['two words', '--for', '$HOME']));
    expect(result.stdout).toContain('said');
  });

  test('finds the project’s programs first', async () => {
    const result = await project.start(script('console.log(process.env.PATH)'));

    expect(result.stdout).toBe(
      ['node_modules/.bin', '.tools/bin', 'machine'].map((folder) => join(project.root, folder)).join(':'),
    );
  });

  test('is told a signal, and may end in its own way', async () => {
    const source = `process.on('SIGTERM', () => process.exit(3)); console.log('ready'); setInterval(() => {}, 1000)`;
    const running = project.start(script(source));
    running.stdout.once('data', () => running.kill('SIGTERM'));

    expect(await running).toMatchObject({ exitCode: 3 });
  });

  test('that a signal ended makes the set-up end by that signal', async () => {
    const result = await project.start(script(`process.kill(process.pid, 'SIGKILL')`));

    expect(result.signal).toBe('SIGKILL');
  });

  test('that does not exist is named', async () => {
    const result = await project.start(['--for', 'none', '--', 'no-such-command']);

    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Command not found: no-such-command'),
    });
  });
});

describe('the npm packages', () => {
  test('are installed once, and again when the lock file changes', async () => {
    await project.installNpm();

    await project.start(script(''));
    await project.start(script(''));
    expect(await installations()).toBe(1);

    await writeFile(join(project.root, 'package-lock.json'), '{"changed": true}');
    await project.start(script(''));
    expect(await installations()).toBe(2);
  });

  test('are installed once by two set-ups at a time', async () => {
    await project.installNpm({ delayMs: 500 });

    const results = await Promise.all([project.start(script('')), project.start(script(''))]);

    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(await installations()).toBe(1);
  });

  test('that could not be installed are reported with a remedy, and tried again', async () => {
    await project.installNpm({ exitCode: 1 });
    const offline = await project.start(script(''));
    await project.installNpm();
    const online = await project.start(script(''));

    expect(offline).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('npm config set registry'),
    });
    expect(online.exitCode).toBe(0);
    expect(await installations()).toBe(2);
  });

  test('are installed again after a set-up that was killed, once its npm has ended', async () => {
    await project.installNpm({ delayMs: 1_000 });
    const killed = project.start(script(''));
    killed.stderr.once('data', () => killed.kill('SIGKILL'));
    await killed;

    const next = await project.start(script(''));

    expect(next.exitCode).toBe(0);
    expect(await project.entries()).toContain('node_modules');
  });
});
