import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import type { PutParameterCommandInput } from '@aws-sdk/client-ssm';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';

let sandbox: TestSandbox;
let ssm: SSMClient;
beforeAll(async () => {
  sandbox = await aSandbox();
  ssm = new SSMClient(sandbox.client);
});
afterAll(() => sandbox.close());

const put = (Name: string, more: Partial<PutParameterCommandInput> = {}) =>
  ssm.send(new PutParameterCommand({ Name, Value: 'one', Type: 'String', ...more }));
const overwrite = (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
  ssm.send(new PutParameterCommand({ Name, Value, Overwrite: true, ...more }));
const get = async (Name: string, WithDecryption = false) =>
  (await ssm.send(new GetParameterCommand({ Name, WithDecryption }))).Parameter;

test('each overwrite is a version that can be read by its number and by its label', async () => {
  await put('/versions/a');
  expect(await overwrite('/versions/a', 'two')).toMatchObject({ Version: 2, Tier: 'Standard' });
  const labels = ['live', '1st', 'aws-live'];
  const labelled = await ssm.send(
    new LabelParameterVersionCommand({ Name: '/versions/a', ParameterVersion: 1, Labels: labels }),
  );

  expect(labelled.InvalidLabels).toEqual(['1st', 'aws-live']);
  expect(await get('/versions/a')).toMatchObject({ Value: 'two', Version: 2 });
  expect(await get('/versions/a:1')).toMatchObject({ Value: 'one', Selector: ':1' });
  expect(await get('/versions/a:live')).toMatchObject({ Value: 'one', Version: 1 });
  await expect(get('/versions/a:9')).rejects.toMatchObject({ name: 'ParameterVersionNotFound' });
  const moved = await ssm.send(new LabelParameterVersionCommand({ Name: '/versions/a', Labels: ['live'] }));
  expect(moved.ParameterVersion).toBe(2);
  expect(await get('arn:aws:ssm:eu-west-1:000000000000:parameter/versions/a:live')).toMatchObject({
    Value: 'two',
  });
});

test('the hundred-and-first version takes the oldest one’s place, unless a label holds that', async () => {
  await put('/versions/many');
  for (let i = 2; i <= 101; i++) await overwrite('/versions/many', `v${i}`);
  await expect(get('/versions/many:1')).rejects.toMatchObject({ name: 'ParameterVersionNotFound' });
  const history = await ssm.send(new GetParameterHistoryCommand({ Name: '/versions/many', MaxResults: 50 }));
  expect(history.Parameters?.[0]).toMatchObject({ Version: 2, Value: 'v2' });
  expect(history.Parameters).toHaveLength(50);

  await ssm.send(
    new LabelParameterVersionCommand({ Name: '/versions/many', ParameterVersion: 2, Labels: ['kept'] }),
  );
  await expect(overwrite('/versions/many', 'one more')).rejects.toMatchObject({
    name: 'ParameterMaxVersionLimitExceeded',
  });
});

test('a SecureString is ciphertext until decryption is asked for', async () => {
  await put('/secure/a', { Type: 'SecureString', Value: 'correct horse' });
  const sealed = await get('/secure/a');
  expect(sealed?.Type).toBe('SecureString');
  expect(sealed?.Value).not.toContain('correct horse');
  expect(await get('/secure/a', true)).toMatchObject({ Value: 'correct horse' });
  await expect(overwrite('/secure/a', 'open', { Type: 'String' })).rejects.toMatchObject({
    name: 'HierarchyTypeMismatchException',
  });
});

test('GetParameters tells what it found and what it didn’t', async () => {
  await put('/several/a');
  const found = await ssm.send(
    new GetParametersCommand({ Names: ['/several/a', '/several/none', '/several/a:7'] }),
  );
  expect(found.Parameters?.map(({ Name }) => Name)).toEqual(['/several/a']);
  expect(found.InvalidParameters).toEqual(['/several/none', '/several/a:7']);
  const deleted = await ssm.send(new DeleteParametersCommand({ Names: ['/several/a', '/several/none'] }));
  expect(deleted).toMatchObject({ DeletedParameters: ['/several/a'], InvalidParameters: ['/several/none'] });
});

test('a path is one level, or all below it, page by page', async () => {
  for (const name of ['/path/a', '/path/b', '/path/deep/c', '/pathological']) await put(name);
  const names = async (Recursive: boolean, NextToken?: string, MaxResults = 2): Promise<string[]> => {
    const page = await ssm.send(
      new GetParametersByPathCommand({
        Path: '/path',
        Recursive,
        MaxResults,
        ...(NextToken ? { NextToken } : {}),
      }),
    );
    const rest = page.NextToken ? await names(Recursive, page.NextToken, MaxResults) : [];
    return [...(page.Parameters ?? []).map(({ Name = '' }) => Name), ...rest];
  };
  expect(await names(false)).toEqual(['/path/a', '/path/b']);
  expect(await names(true)).toEqual(['/path/a', '/path/b', '/path/deep/c']);
  await expect(names(true, 'no token')).rejects.toMatchObject({ name: 'InvalidNextToken' });
});

test('parameters are found by name, path, tier and tag', async () => {
  await put('/found/small', { Tags: [{ Key: 'environment', Value: 'staging' }] });
  await put('/found/large', { Value: 'x'.repeat(5000), Tier: 'Intelligent-Tiering' });
  const find = async (Key: string, Values: string[], Option?: string) => {
    const filter = { Key, Values, ...(Option ? { Option } : {}) };
    const found = await ssm.send(new DescribeParametersCommand({ ParameterFilters: [filter] }));
    return found.Parameters?.map(({ Name }) => Name);
  };
  expect(await find('Name', ['ound/sm'], 'Contains')).toEqual(['/found/small']);
  expect(await find('Path', ['/found'])).toEqual(['/found/large', '/found/small']);
  expect(await find('Tier', ['Advanced'])).toEqual(['/found/large']);
  expect(await find('tag:environment', ['staging'])).toEqual(['/found/small']);
  await expect(find('Path', ['/found'], 'Contains')).rejects.toMatchObject({ name: 'InvalidFilterOption' });
});

test('tags come and are listed', async () => {
  await put('/tagged/a');
  const resource = { ResourceType: 'Parameter', ResourceId: '/tagged/a' } as const;
  await ssm.send(new AddTagsToResourceCommand({ ...resource, Tags: [{ Key: 'k', Value: 'v' }] }));
  const { TagList } = await ssm.send(new ListTagsForResourceCommand(resource));
  expect(TagList).toEqual([{ Key: 'k', Value: 'v' }]);
  const unknown = ssm.send(new ListTagsForResourceCommand({ ...resource, ResourceId: '/tagged/none' }));
  await expect(unknown).rejects.toMatchObject({ name: 'InvalidResourceId' });
});

describe('what can’t be put', () => {
  const cases: [string, string, Partial<PutParameterCommandInput>, string][] = [
    ['a name of AWS’s own', 'aws-mine', {}, 'ValidationException'],
    ['a path that doesn’t begin with a slash', 'a/b', {}, 'ValidationException'],
    ['a name with a blank', '/a b', {}, 'ValidationException'],
    ['sixteen levels', '/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16', {}, 'HierarchyLevelLimitExceededException'],
    ['a long value in the standard tier', '/bad/long', { Value: 'x'.repeat(4097) }, 'ValidationException'],
    [
      'a value that its pattern forbids',
      '/bad/p',
      { AllowedPattern: '^\\d+$' },
      'ParameterPatternMismatchException',
    ],
    ['a pattern that is none', '/bad/p', { AllowedPattern: '(' }, 'InvalidAllowedPatternException'],
    ['a data type that there isn’t', '/bad/d', { DataType: 'number' }, 'ValidationException'],
    [
      'tags with overwrite',
      '/bad/t',
      { Overwrite: true, Tags: [{ Key: 'a', Value: 'b' }] },
      'ValidationException',
    ],
    ['a key for plain text', '/bad/k', { KeyId: 'alias/mine' }, 'ValidationException'],
  ];
  test.each(cases)('%s', async (_, name, more, error) => {
    await expect(put(name, more)).rejects.toMatchObject({ name: error });
    await expect(get(name)).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('one that is there, without overwrite', async () => {
    await put('/twice/a');
    await expect(put('/twice/a')).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
    expect(await get('/twice/a')).toMatchObject({ Version: 1 });
  });

  test('one of no type', async () => {
    const untyped = ssm.send(new PutParameterCommand({ Name: '/bad/untyped', Value: 'x' }));
    await expect(untyped).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

test('the AWS CLI puts and reads, and a restart loses nothing', async () => {
  await sandbox.aws('ssm', 'put-parameter', '--name', '/cli/a', '--value', 'shh', '--type', 'SecureString');
  sandbox = await sandbox.restarted();
  ssm = new SSMClient(sandbox.client);
  const read = await sandbox.aws('ssm', 'get-parameter', '--name', '/cli/a', '--with-decryption');
  expect(read).toMatchObject({ Parameter: { Value: 'shh', Version: 1 } });
});
