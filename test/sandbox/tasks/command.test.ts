import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { commandOf } from '../../../sandbox/tasks/command.ts';
import type { ImageProcess } from '../../../sandbox/tasks/images.ts';

let rootfs: string;
const host = dirname(process.execPath);
beforeAll(async () => {
  rootfs = await mkdtemp(join(tmpdir(), 'rootfs-'));
  for (const [path, executable] of [
    ['app/main.js', false],
    ['usr/local/bin/start', true],
    ['opt/tool/run', true],
  ] as const) {
    await mkdir(dirname(join(rootfs, path)), { recursive: true });
    await writeFile(join(rootfs, path), '#!/bin/sh\n');
    if (executable) await chmod(join(rootfs, path), 0o755);
  }
});
afterAll(() => rm(rootfs, { recursive: true, force: true }));

const image = (process: ImageProcess): Parameters<typeof commandOf>[1] => ({
  digest: 'sha256:0',
  rootfs,
  process,
});
const inImage = (path: string): string => join(rootfs, path);

test('a program that the image lacks is the machine’s own; paths in the image are mapped', () => {
  const command = commandOf(
    {},
    image({ Entrypoint: ['node'], Cmd: ['/app/main.js', '--port', '/not/there'] }),
    host,
  );
  expect(command).toEqual({
    argv: [join(host, 'node'), inImage('app/main.js'), '--port', '/not/there'],
    cwd: `${rootfs}/`,
  });
});

test('a program by an absolute path that only its base image would have is looked up by its name', () => {
  const command = commandOf({}, image({ Entrypoint: ['/usr/local/bin/node', '/app/main.js'] }), host);
  expect(command.argv[0]).toBe(join(host, 'node'));
});

test('the image’s own program comes first, by its PATH', () => {
  expect(commandOf({}, image({ Cmd: ['start'] }), host).argv).toEqual([inImage('usr/local/bin/start')]);
  const env = ['PATH=/opt/tool'];
  expect(commandOf({}, image({ Cmd: ['run'], Env: env }), host).argv).toEqual([inImage('opt/tool/run')]);
});

test('the definition’s command replaces the image’s; its entry point drops it', () => {
  const process = { Entrypoint: ['start'], Cmd: ['a'] };
  expect(commandOf({ command: ['b'] }, image(process), host).argv.slice(1)).toEqual(['b']);
  expect(commandOf({ entryPoint: ['/opt/tool/run'] }, image(process), host).argv).toEqual([
    inImage('opt/tool/run'),
  ]);
});

test('the working directory is in the image, however it is written', () => {
  expect(commandOf({ workingDirectory: '../../app' }, image({ Cmd: ['start'] }), host).cwd).toBe(
    inImage('app'),
  );
});

test.each([
  ['nothing to run', {}, {}, 'No command specified'],
  [
    'an unknown program',
    {},
    { Cmd: ['no-such-program'] },
    'exec: "no-such-program": executable file not found in $PATH',
  ],
  ['a file that is no program', {}, { Cmd: ['/app/main.js'] }, 'executable file not found'],
  ['a working directory that is not there', { workingDirectory: '/none' }, { Cmd: ['start'] }, '/none'],
])('%s is CannotStartContainerError', (_, container, process, message) => {
  const start = (): unknown => commandOf(container, image(process), host);
  expect(start).toThrow('CannotStartContainerError');
  expect(start).toThrow(message);
});
