/**
 * Bundles the workflows. `node scripts/bundle.ts` keeps the bundle under its sources' hash in .tools/bundles and prints its
 * path; `--out FILE` writes it there, for production.
 */
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function bundle(): Promise<string> {
  const workflowsPath = join(ROOT, 'src/workflows/index.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return code;
}

/** @returns the path of the bundle of the sources as they are now, made unless it is there */
async function cachedBundle(): Promise<string> {
  const path = join(ROOT, '.tools/bundles', `${await sourcesHash()}.js`);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) await writeWhole(path, await bundle());
  return path;
}

async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(ROOT, 'package-lock.json')));
  for (const file of globSync('src/{workflows,domain,activities}/**/*.ts', { cwd: ROOT }).toSorted()) {
    hash.update(file).update(await readFile(join(ROOT, file)));
  }
  return hash
    .update(await readFile(join(ROOT, 'src/contract.ts')))
    .digest('hex')
    .slice(0, 16);
}

async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}

const { out } = parseArgs({ options: { out: { type: 'string' } } }).values;
if (out === undefined) console.log(await cachedBundle());
else await writeWhole(out, await bundle());
