import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListTaskDefinitionsCommand } from '@aws-sdk/client-ecs';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { freePorts } from '../../scripts/rehearsal/ports.ts';
import { WORKFLOW_TYPES } from '../../src/contract.ts';
import { endingOf, endsAs, PLATFORM, servedVersion, Stage } from './stage.ts';

const WORKER = join(import.meta.dirname, '..', '..', 'src', 'worker.ts');
/** Milliseconds for what must fail within seconds, on a busy machine. */
const SOON = 15_000;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.ofSmallPlatform({ home: {}, abroad: { account: '111111111111' } }, () => ({
    '1.0.0': {},
    '1.1.0': {},
  }));
  await stage.startWorker();
  await endsAs('Completed', await stage.deploy('1.0.0', 'home'));
}, 90_000);

afterAll(async () => stage.stop());

describe('a run that cannot be meant ends within seconds, and nothing is changed', () => {
  test.each([
    ['a malformed version', { versionTag: 'v1' }, 'InvalidInput', [/versionTag/, /v1/]],
    ['a short commit', { commitHash: 'abc1234' }, 'InvalidInput', [/commitHash/, /abc1234/]],
    ['an unknown environment', { environment: 'hoem' }, 'InvalidInput', [/hoem/, /home, abroad/]],
    ['an unknown commit', { commitHash: 'a'.repeat(40) }, 'PreflightFailed', [/aaaaaaaaaaaa/]],
    ["another commit's version", { versionTag: '1.0.0' }, 'PreflightFailed', [/1\.0\.0/, /immutable|commit/]],
    ['a release without images', { versionTag: '7.0.0' }, 'ReleaseNotBuilt', [/7\.0\.0/]],
  ])(
    '%s',
    async (_, changed, outcome, said) => {
      const before = await written('home');

      const input = { ...stage.release('1.1.0'), environment: 'home', ...changed };
      const { message } = await endsAs(outcome, await stage.start('deployToEnvironment', input));

      for (const words of said) expect(message).toMatch(words);
      expect(await written('home')).toEqual(before);
      expect(await servedVersion(stage.small.url('home'))).toBe('1.0.0');
    },
    SOON,
  );

  test(
    'an account that is not the one in slipway.yaml: both are named, and nothing is written there',
    async () => {
      const { message } = await endsAs('PreflightFailed', await stage.deploy('1.1.0', 'abroad'));

      expect(message).toContain('111111111111');
      expect(message).toContain('000000000000');
      const back = { environment: 'abroad', failedVersion: '1.1.0', targetVersion: '1.0.0' };
      const rollback = await endsAs('PreflightFailed', await stage.start('rollbackDeployment', back));
      expect(rollback.message).toContain('111111111111');
      expect(await written('abroad')).toEqual({ taskDefinitions: [], parameters: [], tags: [] });
    },
    SOON,
  );

  test(
    'an unknown workflow type: the types that there are are listed',
    async () => {
      await stage.temporal(
        ...['workflow', 'start', '--type', 'deployToMars', '--task-queue', 'slipway'],
        ...['--workflow-id', 'to-mars', '--input', JSON.stringify(stage.release('1.1.0'))],
      );

      const { message } = await endsAs('UnknownWorkflowType', stage.handle('to-mars'));
      for (const type of ['deployToMars', ...WORKFLOW_TYPES]) expect(message).toContain(type);
    },
    SOON,
  );

  test('a slipway.yaml that became invalid: the next run fails, and the one after its correction completes', async () => {
    const { platformFile } = stage.small;
    const good = await readFile(platformFile, 'utf8');
    await writeFile(platformFile, good.replace('timeout: 1m', 'timeout: soon').replace('source:', 'sauce:'));
    const { outcome, message } = await endingOf(await stage.deploy('1.1.0', 'home'));
    await writeFile(platformFile, good);

    expect(outcome).toBe('InvalidInput');
    expect(message).toMatch(/sauce/);
    expect(message).toMatch(/environments\.home\.rollout\.timeout.*soon/);
    expect(await servedVersion(stage.small.url('home'))).toBe('1.0.0');
    await endsAs('Completed', await stage.deploy('1.1.0', 'home'));
  }, 60_000);
});

describe('a worker that cannot work ends within seconds and says why', () => {
  test(
    'an invalid slipway.yaml: all its problems, not the first',
    async () => {
      const file = join(stage.directory, 'invalid.yaml');
      await writeFile(file, 'platform: Writing\nservices: {}\nenvironments: { home: { account: 12 } }\n');

      const { exitCode, stderr } = await work({ SLIPWAY_PLATFORM_FILE: file });

      expect(exitCode).toBe(1);
      for (const words of [
        file,
        'Writing',
        'services',
        'environments.home.account',
        'environments.home.region',
      ])
        expect(stderr).toContain(words);
    },
    SOON,
  );

  test(
    'without terraform: what is missing, and how to get it',
    async () => {
      const path = await onlyWith('node', 'git');

      const { exitCode, stderr } = await work({ PATH: path });

      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/terraform: is not on PATH: install terraform/);
      expect(stderr).not.toMatch(/git:/);
    },
    SOON,
  );

  test(
    'without a Temporal server: its address, and how to start one',
    async () => {
      const [port] = await freePorts(1);
      const address = `127.0.0.1:${port}`;

      const { exitCode, stderr } = await work({ TEMPORAL_ADDRESS: address });

      expect(exitCode).toBe(1);
      expect(stderr).toContain(address);
      expect(stderr).toContain('temporal server start-dev');
    },
    SOON,
  );
});

/** Runs a worker that is expected to end by itself. */
async function work(env: Readonly<Record<string, string>>): Promise<{ exitCode?: number; stderr: string }> {
  const options = {
    env: { ...stage.workerEnv, ...env },
    extendEnv: false,
    reject: false,
    timeout: SOON - 2_000,
    killSignal: 'SIGKILL',
  } as const;
  return await execa(process.execPath, [WORKER], options);
}

/** @returns a PATH with these programs alone */
async function onlyWith(...programs: string[]): Promise<string> {
  const directory = join(stage.directory, 'bin');
  await mkdir(directory);
  for (const program of programs) {
    const { stdout } = await execa('which', [program]);
    await symlink(stdout, join(directory, program));
  }
  return directory;
}

/** What a deployment writes to AWS for an environment. */
async function written(environment: string): Promise<Record<string, (string | undefined)[]>> {
  const familyPrefix = `writing-${environment}-suggestions`;
  const { taskDefinitionArns = [] } = await stage.ecs.send(new ListTaskDefinitionsCommand({ familyPrefix }));
  const byPath = { Path: `/${PLATFORM}/${environment}`, Recursive: true };
  const { Parameters = [] } = await stage.ssm.send(new GetParametersByPathCommand(byPath));
  const { imageDetails } = await stage.aws<{ imageDetails: { imageTags: string[] }[] }>(
    ...['ecr', 'describe-images', '--repository-name', `${PLATFORM}/suggestions`],
  );
  return {
    taskDefinitions: taskDefinitionArns,
    parameters: Parameters.map(({ Name, Version }) => `${Name} ${Version}`),
    tags: imageDetails.flatMap(({ imageTags }) => imageTags).filter((tag) => tag.startsWith(environment)),
  };
}
