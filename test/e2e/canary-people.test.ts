import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CanaryPlatform } from './canary-platform.ts';
import { countReleases, deploymentOf, expectLive, expectUnharmed, untilStatus, users } from './canaries.ts';
import { endsAs, Stage, type Ending } from './stage.ts';

const SERVICES = ['api', 'web', 'queue'] as const;

const ENVIRONMENTS = { held: {}, promoted: { canary: { bake: '19s' } }, aborted: {} };
type Environment = keyof typeof ENVIRONMENTS;

let stage: Stage;
let platform: CanaryPlatform;
/** How often the promoted canary's pauses were released. */
let releases: () => Promise<number>;
/** How each environment's canary ended. They run at the same time. */
let endings: Readonly<Record<Environment, Promise<Ending>>>;

beforeAll(async () => {
  ({ stage, platform } = await Stage.ofCanaryPlatform({
    services: SERVICES,
    versions: ['1.0.0', '1.1.0'],
    environments: ENVIRONMENTS,
  }));
  await stage.startWorker();
  releases = await countReleases(stage, 'promoted');
  endings = {
    held: deploySteered('held', 'Completed', holdAndResume),
    promoted: deploySteered('promoted', 'Completed', promote),
    aborted: deploySteered('aborted', 'Aborted', abort),
  };
  // Each is awaited by its test; until then a failure is nobody's.
  void Promise.allSettled(Object.values(endings));
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(Object.values(endings ?? {}));
  await stage?.stop();
}, 300_000);

describe('a canary of three services', () => {
  test('held by one person stays where it is until another of the groups resumes it', async () => {
    const { report } = await endings.held;
    expect(report.ignored).toMatchObject([{ signal: 'resume', by: 'eve' }]);
    await expectLive(stage, 'held', '1.1.0', SERVICES);
  }, 300_000);

  test('promoted by who may skips the rest of its waiting, not its pauses', async () => {
    const { report } = await endings.promoted;
    expect(report.ignored).toMatchObject([{ signal: 'promote', by: 'carol' }]);
    // On a slow machine the first step may be over before.
    expect(report.canary?.slice(1).map(({ service, weight, verdict }) => [service, weight, verdict])).toEqual(
      [
        ['api', 100, 'skipped'],
        ['web', 50, 'skipped'],
        ['web', 100, 'skipped'],
      ],
    );
    // Two waves of three pauses.
    expect(await releases()).toBe(6);
    await expectLive(stage, 'promoted', '1.1.0', SERVICES);
  }, 300_000);

  test('aborted in its second wave takes back both waves, and what had rolled', async () => {
    const { message, report } = await endings.aborted;
    expect(message).toMatch(/aborted by bob: not today/);
    expect(report.ignored).toMatchObject([{ signal: 'abort', by: 'carol' }]);
    expect(report.undone.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    for (const service of ['api', 'web'])
      expect((await deploymentOf(stage, 'aborted', service))?.status).toBe('ROLLBACK_SUCCESSFUL');
    await expectLive(stage, 'aborted', '1.0.0', SERVICES, { last: 'Aborted' });
  }, 300_000);

  test('has the one without a load balancer rolled beside the others', async () => {
    const { report } = await endings.held;
    const done = report.steps.filter(({ state }) => state === 'done').map(({ name }) => name);
    expect(done).toEqual(expect.arrayContaining(['canary of api', 'canary of web', 'roll out queue']));
    expect(report.canary?.some(({ service }) => service === 'queue')).toBe(false);
    const rolled = await deploymentOf(stage, 'held', 'queue');
    expect(rolled?.deploymentConfiguration?.strategy).toBe('ROLLING');
    expect(rolled?.status).toBe('SUCCESSFUL');
  }, 300_000);
});

/** Deploys a release after another, while steady traffic is served without a failure. */
async function deploySteered(
  environment: Environment,
  outcome: string,
  steer: (run: WorkflowHandle) => Promise<unknown>,
): Promise<Ending> {
  await endsAs('Completed', await stage.deploy('1.0.0', environment));
  const traffic = users(platform.url(environment));
  try {
    const run = await stage.deploy('1.1.0', environment);
    // A run that has ended tells more than what was said to it in vain.
    const steered = await Promise.allSettled([steer(run)]);
    const ending = await endsAs(outcome, run);
    for (const each of steered) if (each.status === 'rejected') throw each.reason;
    return ending;
  } finally {
    await expectUnharmed(traffic);
  }
}

/** Early, so that it is held at its very first pause. */
async function holdAndResume(run: WorkflowHandle): Promise<void> {
  const { workflowId } = run;
  await untilStatus(run, 'it can be spoken to', () => true);
  expect(await stage.slipway('hold', workflowId, '--by', 'carol', '--reason', 'errors elsewhere')).toContain(
    'is held',
  );
  const { paused, until } = await untilStatus(
    run,
    'it waits to be resumed',
    ({ waiting, paused: at }) => waiting?.signal === 'resume' && at && { paused: at, until: waiting.until },
  );
  expect(paused).toMatchObject({ services: ['api'], weight: 0 });
  expect(until).toBe(paused.expiresAt);
  expect(await stage.slipway('status', workflowId)).toMatch(/held at 0 % by carol \(errors elsewhere\)/);
  await stage.signal(run, 'resume', { by: 'eve' });
  await untilStatus(run, 'who may not resume it is told so', ({ ignored }) => ignored.length === 1);
  expect(await stage.slipway('resume', workflowId, '--by', 'bob')).toContain(workflowId);
}

async function promote(run: WorkflowHandle): Promise<void> {
  const { workflowId } = run;
  await untilStatus(run, 'it has traffic', ({ paused }) => paused?.weight === 50);
  await stage.signal(run, 'promote', { by: 'carol', reason: 'a wish' });
  await untilStatus(run, 'who may not promote it is told so', ({ ignored }) => ignored.length === 1);
  const said = await stage.slipway('promote', workflowId, '--by', 'alice', '--reason', 'it mends the outage');
  expect(said).toContain(workflowId);
}

async function abort(run: WorkflowHandle): Promise<void> {
  await untilStatus(run, 'the second wave shifts', ({ paused }) => paused?.services.includes('web'));
  await stage.signal(run, 'hold', { by: 'carol' });
  await stage.signal(run, 'abort', { by: 'carol', reason: 'a wish' });
  const said = await stage.slipway('abort', run.workflowId, '--by', 'bob', '--reason', 'not today');
  expect(said).toContain('is told to stop');
}
