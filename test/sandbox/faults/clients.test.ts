import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateClusterCommand,
  DescribeClustersCommand,
  ECSClient,
  ListClustersCommand,
  ServerException,
} from '@aws-sdk/client-ecs';
import {
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetParameterHistoryCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { until } from '../ecs/world.ts';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { FaultControl } from './control.ts';

/** Faults as AWS's own JavaScript clients meet them, in each protocol. */
let sandbox: TestSandbox;
let faults: FaultControl;
const clients: { destroy(): void }[] = [];

beforeAll(async () => {
  sandbox = await aSandbox();
  faults = new FaultControl(sandbox.url);
});
afterEach(() => faults.clear());
afterAll(async () => {
  for (const each of clients) each.destroy();
  await sandbox.close();
});

function client<C extends { destroy(): void }>(
  Client: new (options: TestSandbox['client'] & { maxAttempts: number }) => C,
  maxAttempts: number,
): C {
  const made = new Client({ ...sandbox.client, maxAttempts });
  clients.push(made);
  return made;
}

describe('throttling', () => {
  test('a client that may ask three times gets through when it was throttled twice', async () => {
    await faults.add({ fault: 'throttle', service: 'ecs', action: 'ListClusters', times: 2 });
    const answer = await client(ECSClient, 3).send(new ListClustersCommand({}));
    expect(answer.$metadata.attempts).toBe(3);
    expect(await faults.counts()).toEqual([{ matched: 3, struck: 2 }]);
  });

  test('a client that may ask twice is told', async () => {
    await faults.add({ fault: 'throttle', service: 'ecs', times: 2 });
    await expect(client(ECSClient, 2).send(new ListClustersCommand({}))).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 400, attempts: 2 },
    });
  });

  test('each service says it in its own way and protocol', async () => {
    await faults.add({ fault: 'throttle' });
    const said = await Promise.all(
      [
        client(ElasticLoadBalancingV2Client, 1).send(new DescribeTargetGroupsCommand({})),
        client(CloudWatchClient, 1).send(new ListMetricsCommand({})),
        client(SSMClient, 1).send(new GetParameterHistoryCommand({ Name: 'x' })),
      ].map((sent) => sent.catch(({ name, $metadata }) => `${name} ${$metadata.httpStatusCode}`)),
    );
    expect(said).toEqual(['Throttling 400', 'Throttling 400', 'ThrottlingException 400']);
  });
});

describe('errors', () => {
  test('an error of the model is the client’s own class, on the calls that the rule matches alone', async () => {
    await faults.add({
      fault: 'error',
      service: 'ecs',
      action: 'DescribeClusters',
      match: { clusters: ['broken'] },
      code: 'ServerException',
      message: 'out of order',
    });
    const ecs = client(ECSClient, 1);
    const failed = ecs.send(new DescribeClustersCommand({ clusters: ['fine', 'broken'] }));
    await expect(failed).rejects.toBeInstanceOf(ServerException);
    await expect(failed).rejects.toMatchObject({
      message: 'out of order',
      $metadata: { httpStatusCode: 500 },
    });
    await ecs.send(new DescribeClustersCommand({ clusters: ['fine'] }));
    expect(await faults.counts()).toEqual([{ matched: 1, struck: 1 }]);
  });

  test('a 503 is worth a second attempt to the client', async () => {
    await faults.add({ fault: 'error', status: 503, times: 1 });
    const answer = await client(ElasticLoadBalancingV2Client, 2).send(new DescribeTargetGroupsCommand({}));
    expect(answer.$metadata.attempts).toBe(2);
  });
});

describe('lost answers', () => {
  test('the action took effect, and a client that may not ask again doesn’t know', async () => {
    await faults.add({ fault: 'lostAnswer', service: 'ecs', action: 'CreateCluster', times: 1 });
    const ecs = client(ECSClient, 1);
    const lost = ecs.send(new CreateClusterCommand({ clusterName: 'lost' }));
    await expect(lost).rejects.toThrow('socket hang up');
    const { clusters } = await ecs.send(new DescribeClustersCommand({ clusters: ['lost'] }));
    expect(clusters).toMatchObject([{ clusterName: 'lost', status: 'ACTIVE' }]);
  });

  test('a client that asks again acts twice', async () => {
    await faults.add({ fault: 'lostAnswer', action: 'PutParameter', match: { Name: '/twice' }, times: 1 });
    const ssm = client(SSMClient, 3);
    const put = await ssm.send(
      new PutParameterCommand({ Name: '/twice', Value: 'v', Type: 'String', Overwrite: true }),
    );
    expect(put).toMatchObject({ Version: 2, $metadata: { attempts: 2 } });
    const { Parameters } = await ssm.send(new GetParameterHistoryCommand({ Name: '/twice' }));
    expect(Parameters).toHaveLength(2);
  });
});

describe('time', () => {
  test('a latency delays the call by true time, and other rules still strike', async () => {
    await faults.add({ fault: 'latency', milliseconds: 150 });
    await faults.add({ fault: 'latency', milliseconds: 100 });
    await faults.add({ fault: 'throttle', skip: 1 });
    const ecs = client(ECSClient, 1);
    const began = performance.now();
    await ecs.send(new ListClustersCommand({}));
    expect(performance.now() - began).toBeGreaterThan(245);
    await expect(ecs.send(new ListClustersCommand({}))).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
  });

  test('a call that hangs takes no effect, and ends when the client has had enough', async () => {
    await faults.add({ fault: 'hang', action: 'CreateCluster' });
    const ecs = client(ECSClient, 1);
    const patience = AbortSignal.timeout(200);
    await expect(
      ecs.send(new CreateClusterCommand({ clusterName: 'hung' }), { abortSignal: patience }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    const { failures } = await ecs.send(new DescribeClustersCommand({ clusters: ['hung'] }));
    expect(failures).toMatchObject([{ reason: 'MISSING' }]);
  });

  test('many calls hang together, and are cut when the rule is deleted or the sandbox ends', async () => {
    const own = await aSandbox();
    const control = new FaultControl(own.url);
    const { id } = await control.add({ fault: 'hang', service: 'sts', times: 15 });
    await control.add({ fault: 'latency', service: 'sts', milliseconds: 600_000 });
    const ask = (): Promise<unknown> =>
      fetch(own.url, { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15' }).catch(
        () => 'cut',
      );
    const hanging = Array.from({ length: 15 }, ask);
    await until(
      () => control.counts(),
      ([hang]) => hang?.struck === 15,
    );
    await control.ask('DELETE', `/${id}`);
    expect(await Promise.all(hanging)).toEqual(hanging.map(() => 'cut'));

    const delayed = Array.from({ length: 15 }, ask);
    await until(
      () => control.counts(),
      ([latency]) => latency?.struck === 15,
    );
    await own.close();
    expect(await Promise.all(delayed)).toEqual(delayed.map(() => 'cut'));
  });
});

describe('the control endpoint', () => {
  test('rules are added, put under a name, listed in order, shown and deleted', async () => {
    const { id } = await faults.add({ fault: 'throttle', service: 'elasticloadbalancing' });
    const put = await faults.ask('PUT', '/slow', { fault: 'latency', milliseconds: 1, times: 3 });
    expect(put.status).toBe(200);
    expect(await faults.list()).toEqual([
      { id, fault: 'throttle', service: 'elbv2', skip: 0, matched: 0, struck: 0 },
      { id: 'slow', fault: 'latency', milliseconds: 1, skip: 0, times: 3, matched: 0, struck: 0 },
    ]);
    expect(await (await faults.ask('GET', '/slow')).json()).toMatchObject({ id: 'slow' });
    expect((await faults.ask('DELETE', '/slow')).status).toBe(204);
    expect((await faults.ask('DELETE', '/slow')).status).toBe(404);
    expect((await faults.ask('GET', '/slow')).status).toBe(404);
    expect(await faults.list()).toHaveLength(1);
    expect((await faults.ask('DELETE')).status).toBe(204);
    expect(await faults.list()).toEqual([]);
  });

  test.each([
    ['POST', '', '{"fault":', 400, 'The body is not JSON'],
    ['POST', '', '{"fault":"throttle","service":"s3"}', 400, "found 's3'"],
    ['PUT', '', '{}', 405, 'takes GET, POST and DELETE, not PUT'],
    ['POST', '/a', '{}', 405, 'takes GET, PUT and DELETE, not POST'],
    ['GET', '/a/b', undefined, 404, 'There is nothing at /_sandbox/faults/a/b'],
    ['GET', 'y', undefined, 404, 'There is nothing at /_sandbox/faultsy'],
  ])('%s %s %s is refused with %i', async (method, path, body, status, message) => {
    const response = await faults.ask(method, path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.stringContaining(message) });
  });
});

test('a restarted sandbox has no faults', async () => {
  const own = await aSandbox();
  await new FaultControl(own.url).add({ fault: 'throttle' });
  const again = await own.restarted();
  expect(await new FaultControl(again.url).list()).toEqual([]);
  await again.close();
});
