import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lastLine } from '../../../src/activities/process/output.ts';
import { redact } from '../../../src/activities/process/redact.ts';
import { runProcess } from '../../../src/activities/process/run.ts';
import { TestSupervisor, eventually, temporaryDirectories } from './support.ts';

const newDirectory = temporaryDirectories();

async function lastLineOf(content: string): Promise<string> {
  const path = join(await newDirectory(), 'stdout');
  await writeFile(path, content);
  return lastLine(path);
}

test('the last line is the last that is not blank, whole', async () => {
  const long = 'x'.repeat(5000);
  expect(await lastLineOf(`first\n${long}\n\n  \n`)).toBe(long);
  expect(await lastLineOf('only')).toBe('only');
  expect(await lastLineOf('')).toBe('');
  expect(await lastLine(join(await newDirectory(), 'none'))).toBe('');
});

test('a line whose beginning is out of sight is passed over', async () => {
  expect(await lastLineOf('x'.repeat(20_000))).toBe('');
  expect(await lastLineOf(`${'x'.repeat(20_000)}\nlast`)).toBe('last');
});

test('a secret that a heartbeat would cut is masked before it is cut', async () => {
  const secret = 'a-secret-that-is-told-late';
  const line = `${'x'.repeat(290)} ${secret} and more`;
  const supervisor = new TestSupervisor();
  const directory = await newDirectory();
  await writeFile(join(directory, 'on'), '');
  const ended = runProcess(
    {
      directory: join(directory, 'process'),
      command: ['sh', '-c', `echo '${line}'; while [ -e on ]; do sleep 0.02; done`],
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '' },
    },
    { supervisor, grace: 1000, interrupt: 'command', describe: (text) => redact(text, [secret]) },
  );
  await eventually(() => supervisor.lines.some((text) => text !== ''));
  await rm(join(directory, 'on'));
  await ended;
  const told = supervisor.lines.filter((text) => text.startsWith('xxx'));
  expect(told).not.toEqual([]);
  for (const text of told) {
    expect(text.length).toBeLessThanOrEqual(300);
    expect(text).toMatch(/x \*\*\* and/);
  }
});
