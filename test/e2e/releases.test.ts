import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { Traffic } from '../../scripts/demo/traffic.ts';
import { endsAs, resourcesIn, servedVersion, Stage, untilApprovalIsAsked } from './stage.ts';
import type { Ending } from './stage.ts';

const SERVICES = ['editor', 'suggestions', 'model-gateway'] as const;

let stage: Stage;
let ecr: ECRClient;

beforeAll(async () => {
  stage = await Stage.ofExample();
  ecr = new ECRClient();
  await Promise.all([
    stage.startWorker(),
    ...['1.0.0', '1.1.0', '1.3.0'].map((version) => stage.rehearsal.publish(version)),
  ]);
}, 60_000);

afterAll(async () => {
  ecr?.destroy();
  await stage?.stop();
});

/** Each test goes on from the release that the one before left in production. */
describe('releases of the example in production', () => {
  test('a run started and approved with the temporal command completes; approvals that say nothing are recorded and do no harm', async () => {
    const id = 'by-hand';
    const input = JSON.stringify(stage.release('1.0.0'));
    await stage.temporal(
      ...['workflow', 'start', '--type', 'deployToProduction', '--task-queue', 'slipway'],
      ...['--workflow-id', id, '--input', input],
    );
    const approve = ['workflow', 'signal', '--workflow-id', id, '--name', 'approve'];
    await stage.temporal(...approve);
    await stage.temporal(...approve, '--input', '{"by": 7, "evidence": "x"}');
    const evidence = await untilApprovalIsAsked(stage.handle(id));
    await stage.temporal(...approve, '--input', JSON.stringify({ by: 'alice', evidence: 'deadbeef' }));
    await stage.temporal(...approve, '--input', JSON.stringify({ by: 'alice', evidence }));

    const { report } = await endsAs('Completed', stage.handle(id));
    expect(report.ignored.map(({ signal }) => signal)).toEqual(['approve', 'approve']);
    expect(report.approvals).toMatchObject([
      { by: 'alice', counts: false },
      { by: 'alice', counts: true },
    ]);
    expect(await versionsServed()).toEqual(['1.0.0', '1.0.0', '1.0.0']);
    expect(await stage.temporal('workflow', 'describe', '--workflow-id', id)).toMatch(/Status +COMPLETED/);
  }, 90_000);

  test('a good release fails no request of steady traffic', async () => {
    const traffic = new Traffic(stage.rehearsal.url('production', 'editor'), 40);
    traffic.start();
    try {
      await release('1.1.0', 'Completed');
    } finally {
      await traffic.stop();
    }

    const { sent, failed, firstFailure } = traffic.count();
    expect({ failed, firstFailure }).toEqual({ failed: 0, firstFailure: undefined });
    expect(sent).toBeGreaterThan(200);
    expect(await versionsServed()).toEqual(['1.1.0', '1.1.0', '1.1.0']);
    expect(await suggestions()).toHaveLength(3);
  }, 90_000);

  test('a release that dies soon after its start is rolled back, and nothing of it is left', async () => {
    const before = await world();

    const { message, report } = await release('1.3.0', 'RolledBack');

    expect(message).toContain('1.1.0 serves');
    expect(report.reason).toMatch(/suggestions/);
    expect(await versionsServed()).toEqual(['1.1.0', '1.1.0', '1.1.0']);
    expect(await world()).toEqual(before);
    expect(before.settings.some((name) => name.includes('/releases/1.1.0/'))).toBe(true);
    expect(before.tags).toContain('production-1.1.0');
    expect(before.configurationRelease).toBe('1.1.0');
  }, 90_000);
});

async function release(version: string, outcome: string): Promise<Ending> {
  const run = await stage.start('deployToProduction', { ...stage.release(version), startedBy: 'dora' });
  const evidence = await untilApprovalIsAsked(run);
  await run.signal('approve', { by: 'alice', evidence });
  return await endsAs(outcome, run);
}

/** All that a release changes in its environment, as AWS and Terraform know it. */
async function world(): Promise<{
  taskDefinitions: Record<string, string | undefined>;
  settings: string[];
  tags: string[];
  terraform: string[];
  configurationRelease: string | undefined;
}> {
  const { services = [] } = await stage.ecs.send(
    new DescribeServicesCommand({ cluster: 'writing-production', services: [...SERVICES] }),
  );
  const written = await parameters('/writing/production');
  const images = await Promise.all(
    SERVICES.map((name) =>
      ecr.send(new DescribeImagesCommand({ repositoryName: `writing-platform/${name}` })),
    ),
  );
  return {
    taskDefinitions: Object.fromEntries(services.map((s) => [s.serviceName, s.taskDefinition])),
    settings: Object.keys(await parameters('/writing-platform/production/releases')).toSorted(),
    tags: images
      .flatMap(({ imageDetails = [] }) => imageDetails.flatMap(({ imageTags = [] }) => imageTags))
      .toSorted(),
    terraform: await resourcesIn(join(stage.directory, 'state', 'production.tfstate')),
    configurationRelease: written['/writing/production/configuration-release'],
  };
}

async function parameters(path: string): Promise<Record<string, string>> {
  const { Parameters = [] } = await stage.ssm.send(
    new GetParametersByPathCommand({ Path: path, Recursive: true }),
  );
  return Object.fromEntries(Parameters.map(({ Name = '', Value = '' }) => [Name, Value]));
}

async function versionsServed(): Promise<(string | undefined)[]> {
  return await Promise.all(SERVICES.map((name) => servedVersion(stage.rehearsal.url('production', name))));
}

async function suggestions(): Promise<unknown[]> {
  const answer = await fetch(`${stage.rehearsal.url('production', 'editor')}/api/suggest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'The deployment began at dawn and' }),
  });
  return ((await answer.json()) as { suggestions: unknown[] }).suggestions;
}
