import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitUntilServicesStable } from '@aws-sdk/client-ecs';
import { answer, aShiftingService, canary, ended, hookOf, paused } from './shifting-service.ts';
import { CLUSTER, World } from './world.ts';

/** Clients that nobody here wrote, unchanged. Each starts a Python: the tests are few and whole. */
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const run = promisify(execFile);

function environment(): Record<string, string | undefined> {
  return {
    PATH: process.env['PATH'],
    HOME: world.stateDir,
    AWS_ENDPOINT_URL: world.sandbox.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_PAGER: '',
  };
}

async function ecs(...args: string[]): Promise<unknown> {
  const { stdout } = await run('aws', ['ecs', ...args, '--output', 'json'], { env: environment() });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

test('the AWS CLI changes the strategy, sees the pause, continues it and takes the deployment back', async () => {
  const { name, second } = await aShiftingService(world, 'cli', { strategy: 'ROLLING' }, { desiredCount: 1 });
  const service = ['--cluster', CLUSTER, '--service', name];
  const updated = await ecs(
    ...['update-service', ...service, '--task-definition', second],
    ...['--deployment-configuration', JSON.stringify(canary)],
    ...['--query', 'service.deploymentConfiguration.[strategy,canaryConfiguration.canaryPercent]'],
  );
  expect(updated).toEqual(['CANARY', 20]);
  await paused(world, name);

  const { serviceDeploymentArn = '' } = await world.rollout(name);
  const hooks = 'serviceDeployments[0].lifecycleHookDetails[].[hookId,status,targetType,timeoutAction]';
  const [[hookId, ...rest] = []] = (await ecs(
    ...['describe-service-deployments', '--service-deployment-arns', serviceDeploymentArn, '--query', hooks],
  )) as string[][];
  expect(rest).toEqual(['AWAITING_ACTION', 'PAUSE', 'ROLLBACK']);
  const deployment = ['--service-deployment-arn', serviceDeploymentArn];
  expect(await ecs('continue-service-deployment', ...deployment, '--hook-id', hookId ?? '')).toEqual({
    serviceDeploymentArn,
  });
  await paused(world, name, hookId);
  await expect(ecs('continue-service-deployment', ...deployment, '--hook-id', hookId ?? '')).rejects.toThrow(
    'An error occurred (InvalidParameterException) when calling the ContinueServiceDeployment',
  );

  await ecs('stop-service-deployment', ...deployment, '--stop-type', 'ROLLBACK');
  expect(await ended(world, name)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
}, 60_000);

test('boto3 waits for a linear deployment, and reads its weights and hooks as it has their types', async () => {
  const configuration = {
    strategy: 'LINEAR' as const,
    bakeTimeInMinutes: 0,
    linearConfiguration: { stepPercent: 50, stepBakeTimeInMinutes: 0 },
    lifecycleHooks: canary.lifecycleHooks,
  };
  const { name, second } = await aShiftingService(world, 'boto', configuration, { desiredCount: 1 });
  const script = `
import boto3, datetime, json, time
ecs = boto3.client("ecs")
service = {"cluster": "${CLUSTER}", "service": "${name}"}
ecs.update_service(**service, taskDefinition="${second}")
seen = []
answered = set()
deadline = time.time() + 30
while time.time() < deadline:
    arn = ecs.list_service_deployments(**service)["serviceDeployments"][0]["serviceDeploymentArn"]
    deployment = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    waiting = [h for h in deployment.get("lifecycleHookDetails", []) if h["status"] == "AWAITING_ACTION"]
    for hook in waiting:
        assert isinstance(hook["expiresAt"], datetime.datetime)
        seen.append([deployment["lifecycleStage"], deployment["targetServiceRevision"]["requestedProductionTrafficWeight"]])
        ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"], action="CONTINUE")
    if "finishedAt" in deployment:
        break
ecs.get_waiter("services_stable").wait(cluster="${CLUSTER}", services=["${name}"], WaiterConfig={"Delay": 1})
group = ecs.describe_service_revisions(serviceRevisionArns=[deployment["targetServiceRevision"]["arn"]])
print(json.dumps([seen, deployment["status"], len(group["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"])]))
`;
  const { stdout } = await run('python3', ['-c', script], { env: environment() });
  expect(JSON.parse(stdout)).toEqual([
    [
      ['PRE_PRODUCTION_TRAFFIC_SHIFT', 0],
      ['PRE_PRODUCTION_TRAFFIC_SHIFT', 50],
      ['POST_PRODUCTION_TRAFFIC_SHIFT', 100],
    ],
    'SUCCESSFUL',
    1,
  ]);
}, 60_000);

test('the JS SDK’s waiter waits through the pauses of a canary, until the old tasks are gone', async () => {
  const { name, second } = await aShiftingService(world, 'js', canary, { desiredCount: 1 });
  await world.update(name, { taskDefinition: second });
  const waiting = waitUntilServicesStable(
    { client: world.ecs, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { cluster: CLUSTER, services: [name] },
  );
  const before = await paused(world, name);
  await answer(world, before);
  const at20 = await paused(world, name, hookOf(before));
  await answer(world, at20);
  await answer(world, await paused(world, name, hookOf(at20)));

  expect((await waiting).state).toBe('SUCCESS');
  expect(await world.rollout(name)).toMatchObject({ status: 'SUCCESSFUL' });
}, 60_000);
