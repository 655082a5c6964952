import { expect, test } from '@jest/globals';
import { terraform } from '../../../../src/activities/terraform/command/command.ts';
import type { Checkout } from '../../../../src/activities/terraform/command/command.ts';
import { consoleSupervisor } from '../../../../src/activities/process/console-supervisor.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { aTerraform } from '../support.ts';

const newDirectory = temporaryDirectories();

/** What is run tells what it was asked for. */
async function anEcho(): Promise<Checkout> {
  const directory = await newDirectory();
  return {
    input: aTerraform(directory).release(''),
    binary: 'echo',
    directory,
    configuration: directory,
    environment: { PATH: process.env['PATH'] ?? '' },
    supervisor: consoleSupervisor(new AbortController().signal),
    grace: 1_000,
    secrets: new Set(),
  };
}

test('a command is run as often as it is asked for in the same directory', async () => {
  const echo = await anEcho();
  expect(await terraform(echo, 'state', ['pull'])).toBe('state pull\n');
  expect(await terraform(echo, 'state', ['list'])).toBe('state list\n');
});

test('an apply is run once: whoever asks again gets its end', async () => {
  const echo = await anEcho();
  expect(await terraform(echo, 'apply', ['first'])).toBe('apply first\n');
  expect(await terraform(echo, 'apply', ['second'])).toBe('apply first\n');
});
