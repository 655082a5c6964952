import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  CreateTargetGroupCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DecryptionFailure,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { handleAws } from '../../../sandbox/protocol/http.ts';
import { mount } from '../../../sandbox/protocol/route.ts';
import { AwsError } from '../../../sandbox/protocol/service.ts';
import type { RequestContext } from '../../../sandbox/protocol/service.ts';

/** Every protocol is driven by AWS's own client; the service behind it says what it was given. */
let server: Server;
let url: string;
let answer: (input: unknown, request: RequestContext) => unknown;
let seen: { input: unknown; request: RequestContext } | undefined;
let flushed = 0;

const operation = (input: never, request: RequestContext): unknown => {
  seen = { input, request };
  return answer(input, request);
};
const services = [
  { model: 'ecs', operations: { DescribeClusters: operation } },
  { model: 'secretsmanager', operations: { GetSecretValue: operation } },
  { model: 'cloudwatch', operations: { GetMetricData: operation, PutMetricData: operation } },
  { model: 'elbv2', operations: { CreateTargetGroup: operation, DescribeTargetGroups: operation } },
].map(mount);

beforeAll(async () => {
  const endpoint = {
    services,
    accountId: '111122223333',
    region: 'eu-west-1',
    flush: async () => void flushed++,
  };
  server = createServer((request, response) => void handleAws(endpoint, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = undefined;
});

const options = (): {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
} => ({
  endpoint: url,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
  maxAttempts: 1,
});

function post(headers: Record<string, string>, body: string | Buffer): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body });
}

test('JSON: input parsed, unknown output left out, durable before it is answered', async () => {
  answer = () => ({ clusters: [{ clusterName: 'one', secret: 'never shown' }], failures: [] });
  const before = flushed;
  const output = await new ECSClient(options()).send(new DescribeClustersCommand({ clusters: ['one'] }));

  expect(seen?.input).toEqual({ clusters: ['one'] });
  expect(seen?.request).toMatchObject({ accountId: '111122223333', accessKeyId: 'AKIDEXAMPLE' });
  expect(output.clusters).toEqual([{ clusterName: 'one' }]);
  expect(flushed).toBe(before + 1);
});

test('JSON: timestamps and bytes arrive as what they are', async () => {
  const createdAt = new Date('2026-05-01T10:00:00.250Z');
  answer = () => ({
    Name: 'key',
    SecretBinary: new Uint8Array([1, 2, 3]),
    CreatedDate: createdAt.toISOString(),
  });
  const output = await new SecretsManagerClient(options()).send(
    new GetSecretValueCommand({ SecretId: 'key' }),
  );

  expect(output.CreatedDate).toEqual(createdAt);
  expect([...(output.SecretBinary ?? [])]).toEqual([1, 2, 3]);
});

test('JSON: an error of the model is the client’s own class', async () => {
  answer = () => {
    throw new AwsError('DecryptionFailure', 'no key');
  };
  const failed = new SecretsManagerClient(options()).send(new GetSecretValueCommand({ SecretId: 'key' }));
  await expect(failed).rejects.toBeInstanceOf(DecryptionFailure);
  await expect(failed).rejects.toMatchObject({ message: 'no key', $metadata: { httpStatusCode: 400 } });
});

test('CBOR: times, numbers and lists go there and back', async () => {
  const start = new Date('2026-05-01T10:00:00Z');
  answer = () => ({
    MetricDataResults: [{ Id: 'a', Timestamps: [start], Values: [0.25, 3], StatusCode: 'Complete' }],
  });
  const output = await new CloudWatchClient(options()).send(
    new GetMetricDataCommand({
      StartTime: start,
      EndTime: new Date(start.getTime() + 60_000),
      MetricDataQueries: [{ Id: 'a', Expression: 'SUM(b)', Period: 60 }],
    }),
  );

  expect(seen?.input).toMatchObject({ StartTime: start, MetricDataQueries: [{ Id: 'a', Period: 60 }] });
  expect(output.MetricDataResults).toEqual([
    { Id: 'a', Timestamps: [start], Values: [0.25, 3], StatusCode: 'Complete' },
  ]);
});

test('CBOR: a body that the client has compressed is read', async () => {
  answer = () => ({});
  const MetricData = Array.from({ length: 200 }, (_, i) => ({
    MetricName: `metric-with-a-long-name-${i}`,
    Value: i,
  }));
  const client = new CloudWatchClient({ ...options(), requestMinCompressionSizeBytes: 100 });
  await client.send(new PutMetricDataCommand({ Namespace: 'App', MetricData }));
  expect(seen?.input).toHaveProperty('MetricData.length', 200);
});

test('CBOR: an error keeps the code that Query clients know', async () => {
  answer = () => {
    throw new AwsError('InvalidParameterValueException', 'no such period');
  };
  const response = await fetch(`${url}/service/GraniteServiceVersion20100801/operation/PutMetricData`, {
    method: 'POST',
    headers: { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
    body: Buffer.from('bf694e616d657370616365634170706a4d657472696344617461 80ff'.replace(' ', ''), 'hex'),
  });
  expect(response.status).toBe(400);
  expect(response.headers.get('x-amzn-query-error')).toBe('InvalidParameterValue;Sender');
});

test('Query: lists, numbers and booleans are read, XML is written and escaped', async () => {
  answer = () => ({ TargetGroups: [{ TargetGroupName: 'a<b&"c"', Port: 80, LoadBalancerArns: ['x', 'y'] }] });
  const client = new ElasticLoadBalancingV2Client(options());
  await client.send(
    new CreateTargetGroupCommand({
      Name: 'web',
      Port: 80,
      HealthCheckEnabled: true,
      Tags: [{ Key: 'k', Value: 'v' }],
    }),
  );
  expect(seen?.input).toEqual({
    Name: 'web',
    Port: 80,
    HealthCheckEnabled: true,
    Tags: [{ Key: 'k', Value: 'v' }],
  });

  const output = await client.send(new DescribeTargetGroupsCommand({ Names: ['web', 'api'] }));
  expect(seen?.input).toEqual({ Names: ['web', 'api'] });
  expect(output.TargetGroups).toEqual([
    { TargetGroupName: 'a<b&"c"', Port: 80, LoadBalancerArns: ['x', 'y'] },
  ]);
});

test('Query: an error has the code of the wire, not of the shape', async () => {
  answer = () => {
    throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found');
  };
  const response = await post(
    { 'content-type': 'application/x-www-form-urlencoded' },
    'Action=DescribeTargetGroups&Version=2015-12-01',
  );
  expect(response.status).toBe(400);
  expect(await response.text()).toContain(
    '<Error><Type>Sender</Type><Code>TargetGroupNotFound</Code><Message>One or more target groups not found</Message></Error>',
  );
});

test.each([
  [
    'a required member that is missing',
    'secretsmanager.GetSecretValue',
    {},
    'ValidationException',
    "Value null at 'secretId' failed to satisfy constraint: Member must not be null",
  ],
  [
    'a value of the wrong type',
    'AmazonEC2ContainerServiceV20141113.DescribeClusters',
    { clusters: 'one' },
    'SerializationException',
    'clusters: a value of type string can not be converted to a List',
  ],
  [
    'a value outside the enumeration',
    'AmazonEC2ContainerServiceV20141113.DescribeClusters',
    { include: ['ALL'] },
    'InvalidParameterException',
    'Member must satisfy enum value set: [ATTACHMENTS, CONFIGURATIONS, SETTINGS, STATISTICS, TAGS]',
  ],
  [
    'a value that is too long',
    'secretsmanager.GetSecretValue',
    { SecretId: 'x'.repeat(2049) },
    'ValidationException',
    'Member must have length less than or equal to 2048',
  ],
  [
    'an operation that is not implemented',
    'AmazonEC2ContainerServiceV20141113.CreateTaskSet',
    {},
    'UnknownOperationException',
    'CreateTaskSet',
  ],
  [
    'a service that is not here',
    'DynamoDB_20120810.ListTables',
    {},
    'UnknownOperationException',
    'DynamoDB_20120810.ListTables',
  ],
])('%s is refused', async (_, target, input, code, message) => {
  answer = () => ({});
  const response = await post(
    { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
    JSON.stringify(input),
  );
  const error = await response.json();
  expect(response.status).toBe(400);
  expect(error).toEqual({ __type: code, message: expect.stringContaining(message) });
  expect(seen).toBeUndefined();
});

test('a body that is broken is an error of the client, an operation that fails one of the sandbox', async () => {
  const headers = { 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.DescribeClusters' };
  const broken = await post({ ...headers, 'content-encoding': 'gzip' }, gzipSync('{"clusters":'));
  expect(broken.status).toBe(400);
  answer = () => {
    throw new Error('a bug');
  };
  const failed = await post(headers, '{}');
  expect(failed.status).toBe(500);
  expect(await failed.json()).toMatchObject({
    __type: 'InternalFailure',
    message: expect.stringContaining('a bug'),
  });
});
