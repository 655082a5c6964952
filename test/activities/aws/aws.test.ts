import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { createAwsClients } from '../../../src/activities/aws.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const variables = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SSM', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

afterEach(() => {
  for (const name of variables) Reflect.deleteProperty(process.env, name);
});

/** A server that records which service's operation was asked for, under which credentials. */
async function anEndpoint(answer: { status: number; body: string }) {
  const asked: { target: string; credential: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [, credential = ''] = /Credential=([^,]+)/.exec(request.headers.authorization ?? '') ?? [];
      asked.push({ target: String(request.headers['x-amz-target'] ?? ''), credential, body });
      const isAssumeRole = body.includes('Action=AssumeRole');
      response.writeHead(isAssumeRole ? 200 : answer.status, {
        'content-type': isAssumeRole ? 'text/xml' : 'application/x-amz-json-1.1',
      });
      response.end(isAssumeRole ? ASSUMED : answer.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, close: () => new Promise((resolve) => server.close(resolve)) };
}

const ASSUMED = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
  <AccessKeyId>assumed</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
  <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const FOUND = { status: 200, body: '{"Parameter":{"Name":"a","Value":"b"}}' };
const ask = new GetParameterCommand({ Name: 'a' });

test('a target has one client a service, made when it is used', () => {
  const aws = createAwsClients({ credentials });
  const target = { region: 'eu-west-1' };

  expect(aws.clientsFor(target).ecs).toBe(aws.clientsFor({ ...target }).ecs);
  expect(aws.clientsFor({ region: 'us-east-1' }).ecs).not.toBe(aws.clientsFor(target).ecs);
  expect(aws.clientsFor({ ...target, role: 'arn:aws:iam::000000000000:role/a' }).ecs).not.toBe(
    aws.clientsFor(target).ecs,
  );
  aws.destroy();
});

test("the SDK's endpoint and credential variables count", async () => {
  const endpoint = await anEndpoint(FOUND);
  process.env['AWS_ENDPOINT_URL_SSM'] = endpoint.url;
  process.env['AWS_ACCESS_KEY_ID'] = 'mine';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  const aws = createAwsClients();

  await aws.clientsFor({ region: 'eu-west-1' }).ssm.send(ask);

  expect(endpoint.asked).toEqual([
    expect.objectContaining({
      target: 'AmazonSSM.GetParameter',
      credential: expect.stringMatching(/^mine\/\d+\/eu-west-1\/ssm\//),
    }),
  ]);
  aws.destroy();
  await endpoint.close();
});

test("a target's role is assumed with the worker's credentials, once", async () => {
  const endpoint = await anEndpoint(FOUND);
  const aws = createAwsClients({ endpoint: endpoint.url, credentials });
  const target = { region: 'eu-west-1', role: 'arn:aws:iam::000000000000:role/slipway' };

  await aws.clientsFor(target).ssm.send(ask);
  await aws.clientsFor(target).ssm.send(ask);

  const [assume, ...calls] = endpoint.asked;
  expect(new URLSearchParams(assume?.body).get('RoleArn')).toBe(target.role);
  expect(assume?.credential).toMatch(/^test\//);
  expect(calls.map(({ credential }) => credential.split('/')[0])).toEqual(['assumed', 'assumed']);
  aws.destroy();
  await endpoint.close();
});

test('a failing call is tried three times', async () => {
  const endpoint = await anEndpoint({ status: 500, body: '{"__type":"InternalServerError"}' });
  const aws = createAwsClients({ endpoint: endpoint.url, credentials });

  await expect(aws.clientsFor({ region: 'eu-west-1' }).ssm.send(ask)).rejects.toMatchObject({
    name: 'InternalServerError',
  });

  expect(endpoint.asked).toHaveLength(3);
  aws.destroy();
  await endpoint.close();
});
