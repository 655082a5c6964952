import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SSM } from '@aws-sdk/client-ssm';
import { aWorkspace } from './aWorkspace.ts';
import type { Workspace } from './aWorkspace.ts';

let workspace: Workspace;
let ssm: SSM;
beforeAll(async () => {
  workspace = await aWorkspace();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  ssm = new SSM({ endpoint: workspace.sandbox.url, region: 'eu-west-1', credentials });
});
afterAll(async () => {
  ssm.destroy();
  await workspace.close();
});

const parameter = (name: string, attributes: string): string => `
resource "aws_ssm_parameter" "it" {
  name = "${name}"
  type = "String"
  ${attributes}
}`;
const nothing = { exitCode: 0, changes: [], drift: [] };

test('a new resource is planned with what is known, applied, and then nothing is left to do', async () => {
  await workspace.write(parameter('/a', 'value = "1"\n tags = { team = "x" }'));

  const planned = await workspace.plan();
  await workspace.apply();

  expect(planned.exitCode).toBe(2);
  expect(planned.changes).toMatchObject([
    {
      address: 'aws_ssm_parameter.it',
      change: {
        actions: ['create'],
        after: { name: '/a', value: '1', tags: { team: 'x' } },
        after_unknown: { arn: true, version: true, id: true },
        after_sensitive: { value: true },
      },
    },
  ]);
  expect(await workspace.plan()).toEqual(nothing);
  expect(await workspace.state('aws_ssm_parameter.it')).toMatchObject({
    id: '/a',
    version: 1,
    tags: { team: 'x' },
  });
});

test('a changed value is an update in place that tells of the new version', async () => {
  await workspace.write(parameter('/a', 'value = "2"'));

  const { changes } = await workspace.plan();
  await workspace.apply();

  expect(changes).toMatchObject([{ change: { actions: ['update'], after_unknown: { version: true } } }]);
  expect(changes[0]?.change.after_unknown).not.toHaveProperty('arn');
  expect(await workspace.state('aws_ssm_parameter.it')).toMatchObject({ value: '2', version: 2, tags: null });
  expect((await ssm.getParameter({ Name: '/a' })).Parameter).toMatchObject({ Value: '2', Version: 2 });
  expect(
    (await ssm.listTagsForResource({ ResourceType: 'Parameter', ResourceId: '/a' })).TagList ?? [],
  ).toEqual([]);
});

test('a change made elsewhere is seen as drift and put right', async () => {
  await ssm.putParameter({ Name: '/a', Value: 'by hand', Type: 'String', Overwrite: true });

  const { changes, drift } = await workspace.plan();
  await workspace.apply();

  expect(drift).toMatchObject([{ change: { before: { value: '2' }, after: { value: 'by hand' } } }]);
  expect(changes).toMatchObject([
    { change: { actions: ['update'], before: { value: 'by hand' }, after: { value: '2' } } },
  ]);
  expect((await ssm.getParameter({ Name: '/a' })).Parameter?.Value).toBe('2');
});

test('what ignore_changes names is left as it is found', async () => {
  await workspace.write(parameter('/a', 'value = "3"\n lifecycle { ignore_changes = [value] }'));
  await ssm.putParameter({ Name: '/a', Value: 'of a release', Type: 'String', Overwrite: true });

  const { changes, exitCode } = await workspace.plan();

  expect([exitCode, changes]).toEqual([0, []]);
});

test('a resource that is gone is planned anew', async () => {
  await workspace.write(parameter('/a', 'value = "2"'));
  await ssm.deleteParameter({ Name: '/a' });

  const { changes, drift } = await workspace.plan();
  await workspace.apply();

  expect(drift).toMatchObject([{ change: { actions: ['delete'] } }]);
  expect(changes).toMatchObject([{ change: { actions: ['create'] } }]);
  expect(await workspace.plan()).toEqual(nothing);
});

test('another name replaces the resource', async () => {
  await workspace.write(parameter('/b', 'value = "2"'));

  const { changes } = await workspace.plan();
  await workspace.apply();

  expect(changes).toMatchObject([{ change: { actions: ['delete', 'create'], replace_paths: [['name']] } }]);
  await expect(ssm.getParameter({ Name: '/a' })).rejects.toMatchObject({ name: 'ParameterNotFound' });
  expect((await ssm.getParameter({ Name: '/b' })).Parameter?.Value).toBe('2');
});

test('an existing resource is imported and then matches its configuration', async () => {
  await workspace.run('state', 'rm', 'aws_ssm_parameter.it');

  const { exitCode, output } = await workspace.run('import', '-no-color', 'aws_ssm_parameter.it', '/b');

  expect([exitCode, output]).toEqual([0, expect.stringContaining('Import successful')]);
  expect(await workspace.plan()).toEqual(nothing);
  const unknown = await workspace.run('import', '-no-color', 'aws_ssm_parameter.other', '/none');
  expect(unknown.exitCode).toBe(1);
});

test("an error of AWS is told with the resource, the call's error and its line", async () => {
  await ssm.putParameter({ Name: '/taken', Value: 'x', Type: 'String' });
  await workspace.write(`${parameter('/b', 'value = "2"')}
resource "aws_ssm_parameter" "second" {
  name  = "/taken"
  type  = "String"
  value = "y"
}`);

  const { exitCode, output } = await workspace.run('apply', '-auto-approve', '-no-color');

  expect(exitCode).toBe(1);
  expect(output).toContain('Error: creating aws_ssm_parameter (/taken)');
  expect(output).toContain('ParameterAlreadyExists');
  expect(output).toContain('in resource "aws_ssm_parameter" "second"');
});

test('a value that the schema does not allow is refused before anything is done, at its line', async () => {
  await workspace.write(parameter('/b', 'value = "2"').replace('"String"', '"Text"'));

  const { exitCode, output } = await workspace.run('validate', '-no-color');

  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /Error: Invalid type[\s\S]*type = "Text"[\s\S]*expected one of String, StringList, SecureString/,
  );
});

test('destroy removes everything', async () => {
  await workspace.write(parameter('/b', 'value = "2"'));

  const { exitCode, output } = await workspace.run('destroy', '-auto-approve', '-no-color');

  expect([exitCode, output]).toEqual([0, expect.stringContaining('1 destroyed')]);
  await expect(ssm.getParameter({ Name: '/b' })).rejects.toMatchObject({ name: 'ParameterNotFound' });
});
