import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applyHeldBy, FAILING_TEST, startHeldBy } from './small-platform.ts';
import {
  endsAs,
  eventually,
  resourcesIn,
  servedVersion,
  Stage,
  untilActivity,
  untilApprovalIsAsked,
  type Ending,
} from './stage.ts';

const ENVIRONMENTS = {
  applying: {},
  rolling: {},
  asking: { approval: { required: { approvers: 1 }, evidenceRequired: true } },
  returning: {},
};

let stage: Stage | undefined;
let runs: Record<keyof typeof ENVIRONMENTS, WorkflowHandle>;
let evidence: string;

const brake = (name: string) => join(the(stage).directory, `${name}.hold`);
const hold = (name: string) => writeFile(brake(name), '');
const letGo = (name: string) => rm(brake(name), { force: true });
const timesMade = async (name: string) =>
  (await readFile(`${brake(name)}.made`, 'utf8')).match(/made/g)?.length;

/** One kill -9 meets four runs, each in another moment that lasts until the test lets it go on. */
beforeAll(async () => {
  stage = await Stage.ofSmallPlatform(ENVIRONMENTS, (directory) => ({
    '1.0.0': {},
    '1.1.0': applyHeldBy(join(directory, 'applying.hold')),
    '1.2.0': startHeldBy(join(directory, 'rolling.hold')),
    '1.3.0': applyHeldBy(join(directory, 'returning.hold')),
    '1.4.0': FAILING_TEST,
  }));
  const worker = await stage.startWorker();
  await hold('applying');
  const [applying, asking] = await Promise.all([
    stage.deploy('1.1.0', 'applying'),
    stage.deploy('1.0.0', 'asking'),
    deployed('1.0.0', 'rolling'),
    deployed('1.3.0', 'returning'),
  ]);
  await Promise.all(['returning', 'rolling'].map(hold));
  const returning = await stage.deploy('1.4.0', 'returning');
  evidence = await untilApprovalIsAsked(asking);
  await eventually('1.1.0 is being applied', async () => (await timesMade('applying')) === 1);
  await eventually('1.3.0 is being applied again', async () => (await timesMade('returning')) === 2);
  const rolling = await stage.deploy('1.2.0', 'rolling');
  await untilActivity(rolling, 'followRollout');
  await untilActivity(applying, 'applyTerraform');
  await untilActivity(returning, 'restoreTerraform');
  runs = { applying, rolling, asking, returning };
  await worker.kill();
  await Promise.all(['rolling', 'returning', 'applying'].map(letGo));
  await stage.startWorker();
}, 120_000);

afterAll(async () => {
  if (stage === undefined) return;
  await Promise.all(Object.keys(ENVIRONMENTS).map(letGo));
  await stage.stop();
});

describe('a worker that was killed by SIGKILL', () => {
  test('in terraform apply: the apply is finished once, and the release goes live', async () => {
    await endsAs('Completed', runs.applying);
    await expectLive('applying', '1.1.0');
    expect(await timesMade('applying')).toBe(1);
    const resources = await resourcesIn(the(stage).small.stateFile('applying'));
    expect(resources).toEqual([
      ...['aws_ecs_cluster.this', 'aws_ssm_parameter.after', 'aws_ssm_parameter.configuration_release'],
      ...['aws_ssm_parameter.token'],
      ...[
        'ecs_service.this',
        'ecs_task_definition.bootstrap',
        'lb.this',
        'lb_listener.this',
        'lb_target_group.this',
      ].map((name) => `module.service.aws_${name}`),
      'terraform_data.waits',
    ]);
    const { Parameter } = await the(stage).ssm.send(
      new GetParameterCommand({ Name: '/writing/applying/after' }),
    );
    expect(Parameter).toMatchObject({ Value: '1.1.0', Version: 1 });
    expect(existsSync(`${the(stage).small.stateFile('applying')}.lock.info`)).toBe(false);
  }, 90_000);

  test('in a rollout: the rollout that it had started is followed to its end', async () => {
    await endsAs('Completed', runs.rolling);
    await expectLive('rolling', '1.2.0');
    const { serviceDeployments } = await the(stage).aws<{ serviceDeployments: { status: string }[] }>(
      'ecs',
      'list-service-deployments',
      ...['--cluster', 'writing-rolling', '--service', 'suggestions'],
    );
    // Of Terraform, of 1.0.0 and of 1.2.0: none was started twice.
    expect(serviceDeployments.map(({ status }) => status)).toEqual(Array(3).fill('SUCCESSFUL'));
  }, 90_000);

  test('while a run waited for its approval: the approval counts, and the release goes live', async () => {
    await runs.asking.signal('approve', { by: 'alice', evidence });
    const { report } = await endsAs('Completed', runs.asking);
    expect(report.approvals).toMatchObject([{ by: 'alice', counts: true }]);
    await expectLive('asking', '1.0.0');
  }, 90_000);

  test('in a rollback: everything is put back', async () => {
    const ending = await endsAs('RolledBack', runs.returning);
    expect(undone(ending)).not.toMatch(/failed|not possible/);
    await expectLive('returning', '1.3.0', 'RolledBack');
    expect(await timesMade('returning')).toBe(2);
    const resources = await resourcesIn(the(stage).small.stateFile('returning'));
    expect(resources).toContain('terraform_data.waits');
    const Name = '/writing/returning/configuration-release';
    const { Parameter } = await the(stage).ssm.send(new GetParameterCommand({ Name }));
    expect(Parameter?.Value).toBe('1.3.0');
  }, 90_000);
});

async function deployed(version: string, environment: string): Promise<void> {
  await endsAs('Completed', await the(stage).deploy(version, environment));
}

/** The release serves, one task runs it, the ledger says so, and the environment's lock is free. */
async function expectLive(environment: string, version: string, last = 'Completed'): Promise<void> {
  const { small, ecs } = the(stage);
  expect(await servedVersion(small.url(environment))).toBe(version);
  const { services } = await ecs.send(
    new DescribeServicesCommand({ cluster: `writing-${environment}`, services: ['suggestions'] }),
  );
  expect(services).toMatchObject([{ desiredCount: 1, runningCount: 1, pendingCount: 0 }]);
  const { holder, dirty, current, history, queue } = await the(stage).environment(environment);
  expect({ holder, dirty, queue }).toEqual({ queue: [] });
  expect(current?.manifest.version).toBe(version);
  expect(history[0]?.outcome).toBe(last);
}

function undone({ report }: Ending): string {
  return report.undone.map(({ step, outcome, detail }) => `${step}: ${outcome}: ${detail}`).join('\n');
}

function the<T>(given: T | undefined): T {
  if (given === undefined) throw new Error('the stage is not set');
  return given;
}
