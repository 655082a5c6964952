import { rm, writeFile } from 'node:fs/promises';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Traffic } from '../../scripts/demo/traffic.ts';
import { releaseConfigured, type CanaryPlatform } from './canary-platform.ts';
import {
  countReleases,
  deploymentOf,
  deploymentsOf,
  expectLive,
  expectUnharmed,
  untilStatus,
  untilStep,
  users,
} from './canaries.ts';
import { endsAs, eventually, PLATFORM, Stage, untilActivity } from './stage.ts';

const SERVICES = ['api', 'web'] as const;

const ENVIRONMENTS = {
  first: {},
  // Long enough for the others to get to their moments.
  step: { canary: { services: ['web'], bake: '59s' } },
  last: {},
  continuing: {},
  // 24 seconds at the sandbox's pace.
  alone: { canary: { deadMan: '16m' } },
};
type Environment = keyof typeof ENVIRONMENTS;
const NAMES = Object.keys(ENVIRONMENTS) as Environment[];

let stage: Stage | undefined;
let platform: CanaryPlatform;
let runs: Readonly<Record<Environment, WorkflowHandle>>;
let traffic: Readonly<Record<Environment, Traffic>>;
/** How often each environment's pauses were released. */
let releases: Readonly<Record<Environment, () => Promise<number>>>;

/** Releases that were asked for in `continuing` until the kill. */
let releasedBefore: number;

/** One kill -9 meets five canaries, each at another moment. The next worker starts when ECS has acted on the one that was alone. */
beforeAll(async () => {
  ({ stage, platform } = await Stage.ofCanaryPlatform({
    services: SERVICES,
    versions: ['1.0.0', '1.1.0'],
    environments: ENVIRONMENTS,
  }));
  const { faults } = stage;
  const worker = await stage.startWorker();
  await Promise.all(NAMES.map(async (name) => endsAs('Completed', await the(stage).deploy('1.0.0', name))));
  releases = await forEach((name) => countReleases(the(stage), name));
  traffic = await forEach((name) => Promise.resolve(users(platform.url(name))));
  await Promise.all(
    [platform.brake('first', 'smoke'), platform.brake('last', 'check')].map((file) => writeFile(file, '')),
  );
  const release = {
    service: 'ecs',
    action: 'ContinueServiceDeployment',
    match: { serviceDeploymentArn: '*/writing-continuing/web/*' },
  };
  const lost = await faults.add({ ...release, fault: 'lostAnswer', times: 1 });
  const silence = await faults.add({ ...release, fault: 'hang' });

  const [first, step, last] = await Promise.all(
    ['first', 'step', 'last'].map((name) => the(stage).deploy('1.1.0', name)),
  );
  await Promise.all([
    untilActivity(the(first), 'runTests'),
    untilStep(the(step), 'web at 50 %').then(() => untilActivity(the(step), 'watchCanary')),
    untilStep(the(last), 'tests: check').then(() => untilActivity(the(last), 'runTests')),
  ]);
  // These two do not stay where they are for long.
  const [alone, continuing] = await Promise.all(
    ['alone', 'continuing'].map((name) => the(stage).deploy('1.1.0', name)),
  );
  runs = { first, step, last, continuing, alone } as typeof runs;
  await untilStatus(runs.alone, 'it shifts web', ({ paused }) => paused?.services.includes('web'));
  await runs.alone.signal('hold', { by: 'carol', reason: 'a test' });
  await eventually('the answer is lost', async () => (await lost.look()).struck === 1);
  expect((await deploymentOf(stage, 'alone', 'web'))?.status).toBe('IN_PROGRESS');
  await worker.kill();
  releasedBefore = await releases.continuing();

  await eventually(
    'ECS takes back what nobody acts on',
    async () => (await deploymentOf(the(stage), 'alone', 'web'))?.status === 'ROLLBACK_SUCCESSFUL',
  );
  await Promise.all([silence.end(), letGo()]);
  await stage.startWorker();
  await runs.step.signal('promote', { by: 'alice', reason: 'seen enough' });
}, 400_000);

afterAll(async () => {
  await letGo();
  await Promise.all(Object.values(traffic ?? {}).map((each) => each.stop()));
  await stage?.stop();
});

describe('a worker that was killed by SIGKILL while a canary was paused', () => {
  test.each([
    ['at the first pause', 'first', 6],
    ['at a step', 'step', 3],
    ['at the last pause', 'last', 6],
  ] as const)(
    '%s: the release goes live, each pause is released once, and no request fails',
    async (_, name, pauses) => {
      await endsAs('Completed', runs[name]);
      await expectUnharmed(traffic[name]);
      await expectLive(the(stage), name, '1.1.0', SERVICES);
      expect(await releases[name]()).toBe(pauses);
      await expectOneDeployment(name);
    },
    300_000,
  );

  test('between a release and its answer: it is not repeated, and the release goes live', async () => {
    await endsAs('Completed', runs.continuing);
    await expectUnharmed(traffic.continuing);
    await expectLive(the(stage), 'continuing', '1.1.0', SERVICES);
    await expectOneDeployment('continuing');
    // The two pauses of web that were left, and the last one of api.
    expect((await releases.continuing()) - releasedBefore).toBe(3);
  }, 300_000);

  test("for longer than the dead man's switch: ECS goes back by itself, and the next worker takes back the rest", async () => {
    const { message, report } = await endsAs('RolledBack', runs.alone);

    expect(message).toMatch(/put the old version back by itself \(the dead man's switch\)/);
    expect(report.undone.map(({ outcome }) => outcome)).not.toContain('failed');
    expect(report.undone.every(({ detail }) => detail !== '')).toBe(true);
    await expectUnharmed(traffic.alone);
    await expectLive(the(stage), 'alone', '1.0.0', SERVICES, { last: 'RolledBack' });
    expect((await deploymentOf(the(stage), 'alone', 'web'))?.status).toBe('ROLLBACK_SUCCESSFUL');
    // The wave before was at its last pause.
    expect((await deploymentOf(the(stage), 'alone', 'api'))?.status).toBe('ROLLBACK_SUCCESSFUL');
    expect(await leftOf('1.1.0', 'alone')).toEqual({ settings: [], tags: [], configuration: '1.0.0' });
  }, 300_000);
});

/** Of Terraform, of 1.0.0 and of 1.1.0: none was started twice. */
async function expectOneDeployment(environment: string): Promise<void> {
  for (const service of SERVICES) {
    const deployments = await deploymentsOf(the(stage), environment, service);
    expect(deployments.map(({ status }) => status)).toEqual(Array(3).fill('SUCCESSFUL'));
  }
}

/** What a release has in its environment besides tasks. */
async function leftOf(version: string, environment: string) {
  const { ssm } = the(stage);
  const byPath = { Path: `/${PLATFORM}/${environment}/releases/${version}`, Recursive: true };
  const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand(byPath));
  const ecr = new ECRClient();
  const images = await Promise.all(
    SERVICES.map((name) => ecr.send(new DescribeImagesCommand({ repositoryName: `${PLATFORM}/${name}` }))),
  ).finally(() => ecr.destroy());
  const tags = images.flatMap(({ imageDetails = [] }) =>
    imageDetails.flatMap(({ imageTags = [] }) => imageTags),
  );
  return {
    settings: Parameters.map(({ Name }) => Name),
    tags: tags.filter((tag) => tag === `${environment}-${version}`),
    configuration: await releaseConfigured(platform, environment),
  };
}

async function forEach<T>(work: (name: Environment) => Promise<T>): Promise<Record<Environment, T>> {
  const entries = await Promise.all(NAMES.map(async (name) => [name, await work(name)] as const));
  return Object.fromEntries(entries) as Record<Environment, T>;
}

async function letGo(): Promise<void> {
  if (platform === undefined) return;
  const files = [platform.brake('first', 'smoke'), platform.brake('last', 'check')];
  await Promise.all(files.map((file) => rm(file, { force: true })));
}

function the<T>(given: T | undefined): T {
  if (given === undefined) throw new Error('the stage is not set');
  return given;
}
