import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { workflowId } from '../../src/contract.ts';
import { applyHeldBy, FAILING_TEST } from './small-platform.ts';
import { endsAs, eventually, PLATFORM, resourcesIn, servedVersion, Stage, untilActivity } from './stage.ts';

const ENVIRONMENTS = { piped: {}, cancelled: {}, terminated: {}, untouched: {} };

let stage: Stage;

const brake = (environment: string) => join(stage.directory, `${environment}.hold`);

beforeAll(async () => {
  stage = await Stage.ofSmallPlatform(ENVIRONMENTS, (directory) => ({
    '1.0.0': {},
    '1.1.0': applyHeldBy(join(directory, 'cancelled.hold')),
    '1.2.0': applyHeldBy(join(directory, 'terminated.hold')),
    '1.3.0': applyHeldBy(join(directory, 'piped.hold')),
    '1.4.0': FAILING_TEST,
  }));
  await stage.startWorker();
  await Promise.all(
    ['piped', 'cancelled', 'terminated'].map(async (environment) => {
      await endsAs('Completed', await stage.deploy('1.0.0', environment));
      await writeFile(brake(environment), '');
    }),
  );
}, 90_000);

afterAll(async () => {
  await Promise.all(Object.keys(ENVIRONMENTS).map((environment) => rm(brake(environment), { force: true })));
  await stage.stop();
});

describe('a run that does not come to its end', () => {
  test('cancelled in terraform apply: it ends as Aborted, and everything is put back', async () => {
    const run = await stage.deploy('1.1.0', 'cancelled');
    await untilApplying(run, 'cancelled');

    await run.cancel();

    const { message } = await endsAs('Aborted', run);
    expect(message).toMatch(/All changes were taken back. 1.0.0 serves/);
    await expectAsBefore('cancelled', '1.1.0');
  }, 60_000);

  test('the pipeline terminated: its child puts everything back and ends as Aborted', async () => {
    const pipeline = await stage.start('deploymentPipeline', { ...stage.release('1.3.0'), through: 'piped' });
    const child = stage.handle(workflowId.deploy(PLATFORM, 'piped', '1.3.0'));
    await untilApplying(child, 'piped');

    await pipeline.terminate('a test');

    await endsAs('Aborted', child);
    await expectAsBefore('piped', '1.3.0');
  }, 60_000);

  test('terminated after its first change: the next run is refused and says what to do; a rollback cleans up', async () => {
    const run = await stage.deploy('1.2.0', 'terminated');
    await untilApplying(run, 'terminated');
    await run.terminate('a test');

    const { message } = await endsAs('PreflightFailed', await stage.deploy('1.0.0', 'terminated'));
    expect(message).toContain(run.workflowId);
    expect(message).toContain('slipway rollback terminated 1.2.0 1.0.0');
    expect((await stage.environment('terminated')).dirty).toMatchObject({
      version: '1.2.0',
      previousVersion: '1.0.0',
    });

    const back = {
      environment: 'terminated',
      failedVersion: '1.2.0',
      targetVersion: '1.0.0',
      reason: 'its run was terminated',
    };
    await endsAs('Completed', await stage.start('rollbackDeployment', back));
    await expectAsBefore('terminated');
    await endsAs('Completed', await stage.deploy('1.0.0', 'terminated'));
  }, 90_000);

  test('a first deployment that fails: no task is wanted, and the run says so', async () => {
    const { message } = await endsAs('RolledBack', await stage.deploy('1.4.0', 'untouched'));

    expect(message).toContain('Nothing serves: desired count 0');
    expect(await servedVersion(stage.small.url('untouched'))).toBeUndefined();
    expect(await service('untouched')).toMatchObject({ desiredCount: 0, runningCount: 0, pendingCount: 0 });
    expect(await settings('untouched')).toEqual([]);
    const { holder, dirty, current } = await stage.environment('untouched');
    expect({ holder, dirty, current }).toEqual({});
  }, 60_000);
});

async function untilApplying(run: WorkflowHandle, environment: string): Promise<void> {
  await untilActivity(run, 'applyTerraform');
  await eventually('terraform is in the middle', () =>
    Promise.resolve(existsSync(`${brake(environment)}.made`)),
  );
}

/** 1.0.0 serves, its configuration is Terraform's, nothing of the release that was stopped is left, and the lock is free. */
async function expectAsBefore(environment: string, stopped?: string): Promise<void> {
  expect(await servedVersion(stage.small.url(environment))).toBe('1.0.0');
  expect(await service(environment)).toMatchObject({ desiredCount: 1, runningCount: 1, pendingCount: 0 });
  const resources = await resourcesIn(stage.small.stateFile(environment));
  expect(resources).not.toContain('terraform_data.waits');
  expect(resources).not.toContain('aws_ssm_parameter.after');
  const { holder, dirty, current } = await stage.environment(environment);
  expect({ holder, dirty, version: current?.manifest.version }).toEqual({ version: '1.0.0' });
  expect(existsSync(`${stage.small.stateFile(environment)}.lock.info`)).toBe(false);
  if (stopped === undefined) return;
  expect(await settings(environment)).toEqual([`/${PLATFORM}/${environment}/releases/1.0.0/STYLE`]);
  const { imageDetails } = await stage.aws<{ imageDetails: { imageTags: string[] }[] }>(
    ...['ecr', 'describe-images', '--repository-name', `${PLATFORM}/suggestions`],
  );
  const tags = imageDetails.flatMap(({ imageTags }) => imageTags);
  expect(tags).toContain(`${environment}-1.0.0`);
  expect(tags).not.toContain(`${environment}-${stopped}`);
}

async function service(environment: string): Promise<unknown> {
  const { services } = await stage.ecs.send(
    new DescribeServicesCommand({ cluster: `writing-${environment}`, services: ['suggestions'] }),
  );
  return services?.[0];
}

/** Names of the parameters of releases. */
async function settings(environment: string): Promise<(string | undefined)[]> {
  const Path = `/${PLATFORM}/${environment}/releases`;
  const { Parameters = [] } = await stage.ssm.send(new GetParametersByPathCommand({ Path, Recursive: true }));
  return Parameters.map(({ Name }) => Name);
}
