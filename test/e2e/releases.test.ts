import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { Traffic, type TrafficCount } from '../../scripts/demo/traffic.ts';
import { endsAs, resourcesIn, servedVersion, Stage, untilApprovalIsAsked } from './stage.ts';
import type { Ending } from './stage.ts';

const SERVICES = ['editor', 'suggestions', 'model-gateway'] as const;

let stage: Stage;
let ecr: ECRClient;
/** Production when 1.1.0 had been released. */
let serving: World;

beforeAll(async () => {
  stage = await Stage.ofExample();
  await bearSlowness(stage.rehearsal.platformFile);
  ecr = new ECRClient();
  await Promise.all([
    stage.startWorker(),
    ...['1.0.0', '1.1.0', '1.2.0', '1.3.0'].map((version) => stage.rehearsal.publish(version)),
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

  test('a good release goes by canary, service by service, and fails no request of steady traffic', async () => {
    const { ending, sent, failed, firstFailure } = await underTraffic('1.1.0', 'Completed');

    expect({ failed, firstFailure }).toEqual({ failed: 0, firstFailure: undefined });
    expect(sent).toBeGreaterThan(200);
    expect(ending.report.canary?.map(({ service, weight, verdict }) => [service, weight, verdict])).toEqual(
      ['model-gateway', 'suggestions', 'editor'].flatMap((service) => [
        [service, 25, 'pass'],
        [service, 100, 'pass'],
      ]),
    );
    expect(await versionsServed()).toEqual(['1.1.0', '1.1.0', '1.1.0']);
    expect(await suggestions()).toHaveLength(3);
    serving = await world();
    expect(serving.settings.some((name) => name.includes('/releases/1.1.0/'))).toBe(true);
    expect(serving.tags).toContain('production-1.1.0');
    expect(serving.configurationRelease).toBe('1.1.0');
  }, 300_000);

  test('a release that fails one request in twenty is caught in the canary of its first service, before most users meet it', async () => {
    const { ending, sent, failed } = await underTraffic('1.2.0', 'RolledBack');

    const { message, report } = ending;
    expect(message).toContain('1.1.0 serves');
    expect(report.reason).toMatch(/to the new tasks of model-gateway failed/);
    expect(report.canary?.map(({ service, weight, verdict }) => [service, weight, verdict])).toEqual([
      ['model-gateway', 25, 'fail'],
    ]);
    expect(failed).toBeGreaterThan(0);
    expect(failed / sent).toBeLessThan(0.02);
    await expectNothingLeft();
  }, 300_000);

  test('a release that dies in use is caught in the canary of the service that dies, and the wave before goes back as well', async () => {
    const { ending } = await underTraffic('1.3.0', 'RolledBack');

    const { message, report } = ending;
    expect(message).toContain('1.1.0 serves');
    expect(report.reason).toMatch(/tasks of suggestions died/);
    expect(report.canary?.filter(({ service }) => service === 'model-gateway')).toMatchObject([
      { weight: 25, verdict: 'pass' },
      { weight: 100, verdict: 'pass' },
    ]);
    for (const service of ['suggestions', 'model-gateway']) {
      const undo = report.undone.find(({ step }) => step === `canary of ${service}`);
      expect(undo?.outcome).toBe('undone');
    }
    await expectNothingLeft();
  }, 300_000);
});

/** Releases while users ask for suggestions, 40 a second. */
async function underTraffic(
  version: string,
  outcome: string,
): Promise<TrafficCount & { readonly ending: Ending }> {
  const traffic = new Traffic(stage.rehearsal.url('production', 'editor'), 40);
  traffic.start();
  try {
    const ending = await release(version, outcome);
    return { ...(await traffic.stop()), ending };
  } finally {
    await traffic.stop();
  }
}

/** Production is as 1.1.0 left it. */
async function expectNothingLeft(): Promise<void> {
  expect(await versionsServed()).toEqual(['1.1.0', '1.1.0', '1.1.0']);
  expect(await world()).toEqual(serving);
}

/** Of a busy machine every release is slow: that is not what is tested here. */
async function bearSlowness(platformFile: string): Promise<void> {
  const policy = await readFile(platformFile, 'utf8');
  await writeFile(platformFile, policy.replaceAll('threshold: 500ms', 'threshold: 10s'));
}

async function release(version: string, outcome: string): Promise<Ending> {
  const run = await stage.start('deployToProduction', { ...stage.release(version), startedBy: 'dora' });
  const evidence = await untilApprovalIsAsked(run);
  await run.signal('approve', { by: 'alice', evidence });
  return await endsAs(outcome, run);
}

/** All that a release changes in its environment, as AWS and Terraform know it. */
interface World {
  readonly taskDefinitions: Readonly<Record<string, string | undefined>>;
  readonly settings: readonly string[];
  readonly tags: readonly string[];
  readonly terraform: readonly string[];
  readonly configurationRelease: string | undefined;
}

async function world(): Promise<World> {
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
