import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CanaryPlatform } from './canary-platform.ts';
import {
  deploymentOf,
  deploymentsOf,
  expectLive,
  expectUnharmed,
  untilStatus,
  untilStep,
  users,
} from './canaries.ts';
import { endsAs, Stage, type Ending } from './stage.ts';

const SERVICES = ['api'];

const ENVIRONMENTS = {
  throttled: {},
  answers: {},
  silent: { canary: { bake: '1s' } },
  asking: { canary: { bake: '1s', onInconclusive: 'ask' } },
  overtaken: { canary: { bake: '2m' } },
  scaled: { canary: { bake: '4s' }, desiredCount: 2 },
  stuck: { rollout: { timeout: '1h' } },
  draining: {},
};
type Environment = keyof typeof ENVIRONMENTS;

let stage: Stage;
let platform: CanaryPlatform;
/** How each environment's canary ended. They run at the same time. */
let endings: Readonly<Record<Environment, Promise<Ending>>>;

beforeAll(async () => {
  ({ stage, platform } = await Stage.ofCanaryPlatform({
    services: ['api'],
    versions: ['1.0.0', '1.1.0'],
    environments: ENVIRONMENTS,
  }));
  await stage.startWorker();
  endings = {
    throttled: withUsers('throttled', 'Completed', { before: throttle }),
    answers: withUsers('answers', 'Completed', { before: loseAnswers }),
    silent: withoutUsers('silent', 'RolledBack'),
    asking: withoutUsers('asking', 'Completed', decideToContinue),
    overtaken: withUsers('overtaken', 'RollbackIncomplete', { meanwhile: overtake }),
    scaled: withUsers('scaled', 'Completed', { meanwhile: scale }),
    stuck: withUsers('stuck', 'RolledBack', { before: keepFromStarting }),
    draining: withUsers('draining', 'Completed', { before: drainSlowly }),
  };
  // Each is awaited by its test; until then a failure is nobody's.
  void Promise.allSettled(Object.values(endings));
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(Object.values(endings ?? {}));
  await stage?.stop();
}, 300_000);

describe('a canary', () => {
  test('with an ECS that throttles and fails in bursts goes live', async () => {
    await endings.throttled;
    const struck = await Promise.all(bursts.map(async ({ look }) => (await look()).struck));
    expect(struck.filter((times) => times > 0).length).toBeGreaterThan(5);
    await Promise.all(bursts.map(({ end }) => end()));
    await expectLive(stage, 'throttled', '1.1.0', SERVICES);
    await expectDeployments('throttled', ['SUCCESSFUL', 'SUCCESSFUL', 'SUCCESSFUL']);
  }, 300_000);

  test('whose answers are lost is started once, released once, and goes live', async () => {
    await endings.answers;
    await expectLive(stage, 'answers', '1.1.0', SERVICES);
    await expectDeployments('answers', ['SUCCESSFUL', 'SUCCESSFUL', 'SUCCESSFUL']);
    expect((await lost.look()).struck).toBe(5);
  }, 300_000);

  test('without any traffic is inconclusive, and goes back where the policy says so', async () => {
    const { message } = await endings.silent;
    expect(message).toMatch(/the canary of api at 50 % is inconclusive: .*had 0 requests/);
    await expectLive(stage, 'silent', '1.0.0', SERVICES, { last: 'RolledBack' });
  }, 300_000);

  test('without any traffic waits for a decision where the policy says so, and goes on by it', async () => {
    const { report } = await endings.asking;
    expect(report.canary?.map(({ weight, verdict }) => [weight, verdict])).toEqual([
      [50, 'inconclusive'],
      [100, 'inconclusive'],
    ]);
    await expectLive(stage, 'asking', '1.1.0', SERVICES);
  }, 300_000);

  test('over which somebody else deploys fails, says whose task definition runs, and leaves it', async () => {
    const { message, report } = await endings.overtaken;
    const { taskDefinition } = await service('overtaken');
    expect(taskDefinition).toBe(theirs);
    expect((await deploymentOf(stage, 'overtaken', 'api'))?.status).toBe('IN_PROGRESS');
    expect(message).toContain(theirs);
    expect(report.reason).toMatch(/Somebody else's deployment/);
    expect(report.undone.find(({ step }) => step === 'canary of api')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/It was neither stopped nor overwritten.*\(left so by alice\)/),
    });
    expect((await stage.environment('overtaken')).dirty).toBeDefined();
  }, 300_000);

  test('whose service is scaled meanwhile goes live with the new number of tasks', async () => {
    const { report } = await endings.scaled;
    await expectLive(stage, 'scaled', '1.1.0', SERVICES, { tasks: 4 });
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    await expectDeployments('scaled', ['SUCCESSFUL', 'SUCCESSFUL', 'SUCCESSFUL']);
  }, 300_000);

  test('whose tasks never start goes back and says what ECS says of them', async () => {
    const { message } = await endings.stuck;
    expect(message).toContain('stopped before all were up');
    expect(message).toContain('CannotPullContainerError');
    await expectLive(stage, 'stuck', '1.0.0', SERVICES, { last: 'RolledBack' });
  }, 300_000);

  test('whose old tasks drain slowly goes live', async () => {
    await endings.draining;
    await expectLive(stage, 'draining', '1.1.0', SERVICES);
  }, 300_000);
});

type Act = (environment: Environment, run: WorkflowHandle) => Promise<unknown>;

/** Deploys a release after another, while steady traffic is served without a failure. */
async function withUsers(
  environment: Environment,
  outcome: string,
  { before, meanwhile }: { before?: (environment: Environment) => Promise<unknown>; meanwhile?: Act },
): Promise<Ending> {
  await endsAs('Completed', await stage.deploy('1.0.0', environment));
  const traffic = users(platform.url(environment));
  try {
    await before?.(environment);
    const run = await stage.deploy('1.1.0', environment);
    await meanwhile?.(environment, run);
    return await endsAs(outcome, run);
  } finally {
    await expectUnharmed(traffic);
  }
}

async function withoutUsers(environment: Environment, outcome: string, meanwhile?: Act): Promise<Ending> {
  await endsAs('Completed', await stage.deploy('1.0.0', environment));
  const run = await stage.deploy('1.1.0', environment);
  await meanwhile?.(environment, run);
  return await endsAs(outcome, run);
}

type FaultInForce = Awaited<ReturnType<Stage['faults']['add']>>;
const bursts: FaultInForce[] = [];
let lost: FaultInForce;

/** Of ten calls about the environment four in a row fail, which is more than one call's own attempts. */
async function throttle(environment: Environment): Promise<void> {
  const about = [
    { cluster: `writing-${environment}` },
    { serviceDeploymentArns: [`*/writing-${environment}/*`] },
  ];
  for (const match of about) {
    for (let burst = 0; burst < 12; burst++) {
      const fault = burst % 2 === 0 ? { fault: 'throttle' } : { fault: 'error', status: 503 };
      bursts.push(await stage.faults.add({ ...fault, service: 'ecs', match, skip: 6 * burst, times: 4 }));
    }
  }
}

async function loseAnswers(environment: Environment): Promise<void> {
  const loses = { fault: 'lostAnswer', service: 'ecs' };
  const update = { action: 'UpdateService', match: { cluster: `writing-${environment}` } };
  await stage.faults.add({ ...loses, ...update, times: 1 });
  const release = { action: 'ContinueServiceDeployment' };
  const match = { serviceDeploymentArn: `*/writing-${environment}/*` };
  lost = await stage.faults.add({ ...loses, ...release, match, times: 5 });
}

async function decideToContinue(_: Environment, run: WorkflowHandle): Promise<void> {
  for (const weight of [50, 100]) {
    const { actions, until } = await untilStatus(
      run,
      `it asks about ${weight} %`,
      ({ waiting }) => waiting?.what.includes(`at ${weight} %`) && waiting,
    );
    expect(actions).toEqual(['continue', 'retry', 'rollback']);
    expect(Date.parse(until ?? '')).toBeGreaterThan(Date.now());
    await stage.slipway('decide', run.workflowId, '--action', 'continue', '--by', 'alice');
  }
}

let theirs: string | undefined;

async function overtake(environment: Environment, run: WorkflowHandle): Promise<void> {
  await untilStep(run, 'api at 50 %');
  await untilStatus(run, 'the canary has traffic', ({ paused }) => paused?.weight === 50);
  const { taskDefinition: ours } = await service(environment);
  const { taskDefinition } = await stage.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: ours }),
  );
  const { family, containerDefinitions, cpu, memory, networkMode, requiresCompatibilities } =
    taskDefinition ?? {};
  const registered = await stage.ecs.send(
    new RegisterTaskDefinitionCommand({
      ...{ family, containerDefinitions, cpu, memory, networkMode, requiresCompatibilities },
      tags: [{ key: 'by', value: 'somebody else' }],
    }),
  );
  theirs = registered.taskDefinition?.taskDefinitionArn;
  await stage.ecs.send(
    new UpdateServiceCommand({
      cluster: `writing-${environment}`,
      service: 'api',
      taskDefinition: theirs,
    }),
  );
  await untilStatus(run, 'it asks what to do', ({ waiting }) => waiting?.signal === 'decide');
  await run.signal('decide', { by: 'alice', action: 'continue', reason: 'theirs stays' });
}

async function scale(environment: Environment, run: WorkflowHandle): Promise<void> {
  await untilStatus(run, 'the canary has traffic', ({ paused }) => paused?.weight === 50);
  await stage.ecs.send(
    new UpdateServiceCommand({ cluster: `writing-${environment}`, service: 'api', desiredCount: 4 }),
  );
}

async function keepFromStarting(environment: Environment): Promise<void> {
  const tasks = { cluster: `writing-${environment}`, service: 'api' };
  await stage.faults.add({ fault: 'taskNeverStarts', tasks, reason: 'CannotPullContainerError' });
}

/** Five seconds at the sandbox's pace. */
async function drainSlowly(environment: Environment): Promise<void> {
  for (const targetGroup of [`${environment}-api`, `${environment}-api-2`])
    await stage.faults.add({ fault: 'slowDrain', targetGroup, seconds: 200 });
}

async function service(environment: Environment) {
  const { services = [] } = await stage.ecs.send(
    new DescribeServicesCommand({ cluster: `writing-${environment}`, services: SERVICES }),
  );
  const [found] = services;
  if (found === undefined) throw new Error(`there is no service in ${environment}`);
  return found;
}

/** Of Terraform, of 1.0.0, and of 1.1.0. */
async function expectDeployments(environment: Environment, statuses: readonly string[]): Promise<void> {
  const deployments = await deploymentsOf(stage, environment, 'api');
  expect(deployments.map(({ status }) => status)).toEqual(statuses);
}
