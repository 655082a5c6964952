import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { loadTools } from '../../../scripts/tools.ts';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { FaultControl } from './control.ts';

/** Faults as boto3 and the AWS CLI meet them. Each run starts a Python: the tests are few. */
let sandbox: TestSandbox;
let faults: FaultControl;

beforeAll(async () => {
  sandbox = await aSandbox();
  faults = new FaultControl(sandbox.url);
});
afterEach(() => faults.clear());
afterAll(() => sandbox.close());

const tools = loadTools();

function environment(more: Record<string, string> = {}): { extendEnv: false; env: Record<string, string> } {
  return {
    extendEnv: false,
    env: {
      PATH: process.env['PATH'] ?? '',
      AWS_ENDPOINT_URL: sandbox.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_PAGER: '',
      ...more,
    },
  };
}

/** Runs a Python program that makes boto3's clients by `client(service, attempts)`. @returns what it prints, as lines */
async function boto3(program: string): Promise<string[]> {
  const script = `
import boto3, botocore, botocore.config
def client(service, attempts):
    retries = {'mode': 'standard', 'total_max_attempts': attempts}
    return boto3.client(service, config=botocore.config.Config(retries=retries))
def failure(call, **parameters):
    try:
        call(**parameters)
    except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError) as error:
        return f'{type(error).__name__}: {error}'
${program}`;
  const found = environment(tools.pythonPath === undefined ? {} : { PYTHONPATH: tools.pythonPath });
  const { stdout } = await execa(tools.python ?? 'python3', ['-c', script], found);
  return stdout.split('\n');
}

const aws = (args: readonly string[], attempts: number) =>
  execa(tools.awsCli ?? 'aws', args, {
    ...environment({ AWS_MAX_ATTEMPTS: String(attempts), AWS_RETRY_MODE: 'standard' }),
    reject: false,
  });

test('boto3 waits out a throttling in JSON and in XML, and knows an error as its service’s own', async () => {
  await faults.add({ fault: 'throttle', service: 'ecs', times: 1 });
  await faults.add({ fault: 'throttle', service: 'elbv2', times: 1 });
  await faults.add({
    fault: 'error',
    service: 'elbv2',
    action: 'DescribeTargetGroups',
    skip: 1,
    code: 'TargetGroupNotFoundException',
    message: 'none',
  });
  const [json, xml, error] = await boto3(`
elb = client('elbv2', 2)
print(client('ecs', 2).list_clusters()['ResponseMetadata']['RetryAttempts'])
print(elb.describe_target_groups()['ResponseMetadata']['RetryAttempts'])
print(failure(elb.describe_target_groups))`);
  expect([json, xml]).toEqual(['1', '1']);
  expect(error).toMatch(/^TargetGroupNotFoundException: An error occurred \(TargetGroupNotFound\) .*: none$/);
});

test('boto3 repeats a call whose answer was lost, and raises when it may not; each attempt took effect', async () => {
  await faults.add({ fault: 'lostAnswer', service: 'ssm', action: 'PutParameter', times: 1 });
  await faults.add({ fault: 'lostAnswer', service: 'ssm', action: 'PutParameter', skip: 1, times: 1 });
  const [version, raised, versions] = await boto3(`
put = dict(Name='/lost', Value='v', Type='String', Overwrite=True)
once = client('ssm', 1)
print(client('ssm', 3).put_parameter(**put)['Version'])
print(failure(once.put_parameter, **put))
print(len(once.get_parameter_history(Name='/lost')['Parameters']))`);
  expect(version).toBe('2');
  expect(raised).toMatch(/^ConnectionClosedError: Connection was closed before we received a valid response/);
  expect(versions).toBe('3');
});

test('the AWS CLI waits out a throttling, and tells of one that lasts', async () => {
  await faults.add({ fault: 'throttle', service: 'ecs', action: 'ListClusters', times: 1 });
  const list = ['ecs', 'list-clusters', '--output', 'json'];
  const through = await aws(list, 2);
  expect(JSON.parse(through.stdout)).toEqual({ clusterArns: [] });
  expect(await faults.counts()).toEqual([{ matched: 2, struck: 1 }]);

  await faults.clear();
  await faults.add({ fault: 'throttle', service: 'ecs' });
  const refused = await aws(list, 1);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(
    /An error occurred \(ThrottlingException\) when calling the ListClusters operation.*: Rate exceeded/,
  );
});

test('the AWS CLI repeats what a server answers with 500, and gives up on a connection that is always lost', async () => {
  await faults.add({ fault: 'error', service: 'sts', status: 500, times: 1 });
  const who = ['sts', 'get-caller-identity', '--query', 'Account', '--output', 'text'];
  expect(await aws(who, 2)).toMatchObject({ exitCode: 0, stdout: '000000000000' });

  await faults.add({ fault: 'lostAnswer', service: 'sts' });
  const lost = await aws(who, 2);
  expect(lost.exitCode).not.toBe(0);
  expect(lost.stderr).toContain('Connection was closed before we received a valid response');
});
