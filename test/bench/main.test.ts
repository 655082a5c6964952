import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';

const bench = (...args: string[]) =>
  execa('node', [join(import.meta.dirname, '../../bench/main.ts'), ...args], { reject: false });

test.each([
  [['fast'], 'asked for fast, but there is: verdict, harm, terraform'],
  [[], 'asked for nothing, but there is: verdict, harm, terraform'],
  [['verdict', '--slow'], "'--slow'"],
  [['harm', '--quick'], 'harm has no --quick'],
])('what cannot be meant is answered with what can: %j', async (args, message) => {
  expect(await bench(...args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});
