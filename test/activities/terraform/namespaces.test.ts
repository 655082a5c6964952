import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clearTerraformLeftovers } from '../../../src/activities/terraform/activities.ts';
import type { TerraformInput } from '../../../src/activities/terraform/types.ts';
import { startStateBackend } from '../../terraform/state-backend.ts';
import type { StateBackend } from '../../terraform/state-backend.ts';
import { eventually, temporaryDirectories } from '../process/support.ts';
import { letGo, runs, slowOver } from './cut.ts';
import type { Beat } from './cut.ts';
import { LOCK, aTerraform, inActivity } from './support.ts';
import type { Fixture } from './support.ts';

const ELSEWHERE = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
const [unshare = '', ...args] = ELSEWHERE;
/** Not every machine lets its users have PID namespaces. */
const where = spawnSync(unshare, [...args, 'true']).status === 0 ? test : test.skip;

const newDirectory = temporaryDirectories();
const workers: ChildProcess[] = [];
let backend: StateBackend;
beforeEach(async () => {
  backend = await startStateBackend();
});
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
  await backend.close();
});

/** A worker in a PID namespace of its own that applies; it prints how that ends. */
async function workerElsewhere(t: Fixture, input: TerraformInput) {
  const { changeSet: approved } = await t.plan(input);
  const script = join(t.base, 'worker.ts');
  const home = pathToFileURL(join(import.meta.dirname, 'worker.ts')).href;
  const options = { upstream: t.repository.directory, dataDirectory: t.dataDirectory };
  await writeFile(
    script,
    `import { aTerraform, inActivity } from ${JSON.stringify(home)};
     const t = aTerraform(${JSON.stringify(options)});
     const apply = () => t.applyTerraform(${JSON.stringify({ ...input, approved, lock: LOCK })});
     await inActivity('apply', 1).run(apply).then(() => console.log('done'), (error) => console.log(error.message));`,
  );
  const child = spawn(unshare, [...args, process.execPath, script], { stdio: ['ignore', 'pipe', 'ignore'] });
  workers.push(child);
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const ended = once(child, 'close').then(() => said.trim());
  const files = () => readdir(t.dataDirectory, { recursive: true });
  const kept = async () => (await files()).find((name) => name.endsWith('apply/state-lock.json'));
  const lock = await eventually(kept);
  const recorded: unknown = JSON.parse(await readFile(join(t.dataDirectory, lock), 'utf8'));
  return { ended, files, input: { ...input, approved }, lock: recorded as Beat['lock'] };
}

where(
  'the lock of an apply that lives in another PID namespace is waited for, and its files stay',
  async () => {
    const t = aTerraform(await newDirectory(), { lockWait: 60_000 });
    const { ended, files, input, lock } = await workerElsewhere(t, slowOver(t, backend));
    const id = backend.lock()?.ID;
    expect(lock?.id).toBe(id);
    await t.plan(input);
    expect(await clearTerraformLeftovers(t.dataDirectory)).toHaveLength(1);
    expect((await files()).some((name) => name.endsWith('/checkout'))).toBe(true);

    const beat = { doing: '', apply: 'begun', created: ['terraform_data.slow'], host: 'a container', lock };
    const retry = inActivity('apply', 2, beat);
    const beats: unknown[] = [];
    retry.on('heartbeat', (details: unknown) => beats.push(details));
    const retried = t.apply({ ...input, resuming: true }, retry);
    await eventually(() => JSON.stringify(beats).includes('waiting for the state lock'));
    expect(backend.lock()?.ID).toBe(id);
    await letGo(t);
    expect(await ended).toBe('done');
    expect(await retried).toMatchObject({ outputs: { done: 'yes' } });
    expect(await runs(t)).toBe(1);
  },
);
