import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { wrongImports } from '../../../scripts/check/dependencies.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-imports-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(file: string, source: string): Promise<void> {
  await mkdir(join(root, dirname(file)), { recursive: true });
  await writeFile(join(root, file), source);
}

test.each([
  ['src/domain/a.ts', `import { b } from '../contract.ts';`],
  ['src/domain/render/a.ts', `import type { B } from '../../platform/b.ts';`],
  ['src/domain/a.ts', `import { readFileSync } from 'fs';`],
  ['src/contract.ts', `import { z } from 'zod';`],
  ['src/workflows/a.ts', `import { b } from '../activities/ecs/b.ts';`],
  ['src/workflows/a.ts', `export { b } from '../activities/ecs/b.ts';`],
  ['src/workflows/a.ts', `export * from '../platform/b.ts';`],
  ['src/workflows/a.ts', `const b = await import('../activities/b.ts');`],
  ['src/workflows/a.ts', `import { ECSClient } from '@aws-sdk/client-ecs';`],
  ['src/workflows/steps/a.ts', `import { createHash } from 'node:crypto';`],
  ['src/activities/a.ts', `import { b } from '../workflows/b.ts';`],
  ['src/platform/a.ts', `import { b } from '../activities/b.ts';`],
  ['src/worker.ts', `import { b } from '../sandbox/b.ts';`],
  ['src/cli/a.ts', `import { b } from '../../scripts/b.ts';`],
  ['sandbox/a.ts', `import type { B } from '../src/b.ts';`],
])('%s: %s points the wrong way', async (file, source) => {
  await write(file, source);

  expect(await wrongImports(root)).toEqual([expect.stringMatching(`^${file} imports `)]);
});

test.each([
  ['src/domain/render/a.ts', `import { b } from '../b.ts'; import { valid } from 'semver';`],
  ['src/workflows/a.ts', `import type { B } from '../activities/ecs/types.ts';`],
  [
    'src/workflows/run/a.ts',
    `import { b } from '../starter.ts'; import { sleep } from '@temporalio/workflow';`,
  ],
  ['src/activities/a.ts', `import { b } from '../platform/b.ts'; import { createHash } from 'node:crypto';`],
  ['src/worker.ts', `import { b } from './activities/b.ts'; import type { C } from './workflows/c.ts';`],
  ['sandbox/ecs/a.ts', `import { b } from '../clock.ts'; import type { Task } from '@aws-sdk/client-ecs';`],
])('%s: %s points the right way', async (file, source) => {
  await write(file, source);

  expect(await wrongImports(root)).toEqual([]);
});
