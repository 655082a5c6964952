import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { GrowingFile } from '../../../src/activities/process/growing-file.ts';
import { temporaryDirectories } from './support.ts';

const newDirectory = temporaryDirectories();

async function aFile() {
  const path = join(await newDirectory(), 'stdout');
  return { file: new GrowingFile(path), write: (text: string | Buffer) => appendFile(path, text) };
}

test('each line is read once, when the whole of it is there', async () => {
  const { file, write } = await aFile();
  expect(await file.look()).toEqual([]);
  expect(file.found).toBe(false);
  await write('one\ntw');
  expect(await file.look()).toEqual(['one']);
  expect(file).toMatchObject({ found: true, cut: true });
  await write('o\n\nthree\n');
  expect(await file.look()).toEqual(['two', '', 'three']);
  expect(file.cut).toBe(false);
  expect(await file.look()).toEqual([]);
});

test('a character is not cut where a write ended in the middle of it', async () => {
  const { file, write } = await aFile();
  const bytes = Buffer.from('Zürich\n');
  await write(bytes.subarray(0, 2));
  expect(await file.look()).toEqual([]);
  await write(bytes.subarray(2));
  expect(await file.look()).toEqual(['Zürich']);
});

test('a line that is too long is left out, and those around it are not', async () => {
  const { file, write } = await aFile();
  await write(`before\n${'x'.repeat(300_000)}`);
  expect(await file.look()).toEqual(['before']);
  await write(`${'x'.repeat(300_000)}\nafter\n`);
  expect(await file.look()).toEqual(['after']);
  await write(`${'y'.repeat(300_000)}\nlast\n`);
  expect(await file.look()).toEqual(['last']);
});

test('a large file is read in several looks', async () => {
  const { file, write } = await aFile();
  await write(`${'x'.repeat(99)}\n`.repeat(100_000));
  let lines = 0;
  let looks = 0;
  do {
    lines += (await file.look()).length;
    looks += 1;
  } while (file.behind);
  expect(lines).toBe(100_000);
  expect(looks).toBe(3);
});
