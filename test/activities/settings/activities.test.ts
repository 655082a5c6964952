import { CreateSecretCommand, DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, ListTagsForResourceCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { createAwsClients } from '../../../src/activities/aws.ts';
import type { AwsClients } from '../../../src/activities/aws.ts';
import { createSettingsActivities } from '../../../src/activities/settings/activities.ts';
import type { SettingsActivities } from '../../../src/activities/settings/types.ts';
import { digestOf } from '../../../src/domain/digest.ts';
import { BACKENDS } from './backends.ts';
import type { Backend } from './backends.ts';

const lock = {
  environmentWorkflowId: 'notes.environment.production',
  requestId: 'r1',
  token: { epoch: 1, counter: 1 },
};
const commit = 'a'.repeat(40);
const file = 'deploy/settings/production.json';

describe.each(BACKENDS)('settings on %s', (_name, start) => {
  let backend: Backend;
  let aws: AwsClients;
  let activities: SettingsActivities;
  let files: Record<string, string> = {};
  let holds = true;
  /** Runs when the lock is asserted: after the look, before the write. */
  let meanwhile: () => Promise<unknown> = async () => {};
  /** Each test has an environment of its own. */
  let count = 0;

  beforeAll(async () => {
    backend = await start();
    aws = createAwsClients({
      endpoint: backend.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    activities = createSettingsActivities({
      aws,
      source: {
        readFile: async (at, path) =>
          files[`${at}:${path}`] ?? Promise.reject(new Error(`no ${path} at ${at}`)),
      },
      async assertHolder() {
        if (!holds) throw ApplicationFailure.nonRetryable('another run holds the lock', 'LockLost');
        await meanwhile();
      },
    });
  });
  afterAll(async () => {
    aws.destroy();
    await backend.close();
  });

  function anEnvironment() {
    count += 1;
    files = {};
    holds = true;
    meanwhile = async () => {};
    const environment = `production-${count}`;
    return { platform: 'notes', environment, account: '123456789012', region: 'eu-west-1', cluster: 'notes' };
  }
  const withFile = (settings: unknown, version = '1.0.0') => {
    files[`${commit}:${file}`] = JSON.stringify(settings);
    return { release: { version, commit }, file };
  };
  const valueOf = async (Name: string) =>
    (await aws.clientsFor({ region: 'eu-west-1' }).ssm.send(new GetParameterCommand({ Name }))).Parameter
      ?.Value;
  const put = (Name: string, Value: string) =>
    aws
      .clientsFor({ region: 'eu-west-1' })
      .ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));

  test('are planned with parameters of their own and digests, sorted by key', async () => {
    const target = anEnvironment();
    expect(
      await activities.planSettings({ target, ...withFile({ MODEL: 'large', FEATURES: 'a,b' }) }),
    ).toEqual([
      {
        key: 'FEATURES',
        parameter: `/notes/${target.environment}/releases/1.0.0/FEATURES`,
        value: digestOf('a,b'),
      },
      {
        key: 'MODEL',
        parameter: `/notes/${target.environment}/releases/1.0.0/MODEL`,
        value: digestOf('large'),
      },
    ]);
    expect(await activities.planSettings({ target, release: { version: '1.0.0', commit } })).toEqual([]);
  });

  test('are written with tags that say whose they are', async () => {
    const target = anEnvironment();
    const prefix = `/notes/${target.environment}/releases/1.0.0`;

    expect(
      await activities.writeSettings({ target, lock, ...withFile({ MODEL: 'large', FEATURES: 'a,b' }) }),
    ).toEqual([`${prefix}/FEATURES`, `${prefix}/MODEL`]);

    expect(await valueOf(`${prefix}/MODEL`)).toBe('large');
    const { TagList } = await aws
      .clientsFor(target)
      .ssm.send(new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId: `${prefix}/MODEL` }));
    expect(new Map(TagList?.map(({ Key, Value }) => [Key, Value]))).toEqual(
      new Map([
        ['slipway:platform', 'notes'],
        ['slipway:environment', target.environment],
        ['slipway:version', '1.0.0'],
      ]),
    );
  });

  test('more than ten are written, written again without a change, and deleted', async () => {
    const target = anEnvironment();
    const many = Object.fromEntries(
      Array.from({ length: 23 }, (_, i) => [`KEY_${String(i).padStart(2, '0')}`, `value ${i}`]),
    );
    const input = { target, lock, ...withFile(many) };

    const names = await activities.writeSettings(input);
    expect(names).toHaveLength(23);
    expect(await activities.writeSettings(input)).toEqual(names);
    const again = await aws.clientsFor(target).ssm.send(new GetParameterCommand({ Name: names[0] ?? '' }));
    expect(again.Parameter?.Version).toBe(1);

    expect((await activities.deleteSettings({ target, names, lock })).toSorted()).toEqual(names);
    expect(await activities.deleteSettings({ target, names, lock })).toEqual([]);
    await expect(valueOf(names[0] ?? '')).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('that were there before the run are told from those that it makes, so that its undo leaves them', async () => {
    const target = anEnvironment();
    const prefix = `/notes/${target.environment}/releases/1.0.0`;
    const names = Array.from({ length: 12 }, (_, i) => `${prefix}/KEY_${i}`);
    await put(`${prefix}/KEY_11`, 'kept');
    await put(`${prefix}/KEY_2`, 'kept');
    holds = false;

    expect(await activities.existingSettings({ target, names })).toEqual([
      `${prefix}/KEY_2`,
      `${prefix}/KEY_11`,
    ]);
    expect(await activities.existingSettings({ target, names: [] })).toEqual([]);
  });

  test('of which some are there already, with another value, are a conflict, and nothing is written', async () => {
    const target = anEnvironment();
    const prefix = `/notes/${target.environment}/releases/1.0.0`;
    await put(`${prefix}/MODEL`, 'small');

    await expect(
      activities.writeSettings({ target, lock, ...withFile({ MODEL: 'large', FEATURES: 'a' }) }),
    ).rejects.toMatchObject({
      type: 'SettingConflict',
      nonRetryable: true,
      message: expect.stringContaining(`${prefix}/MODEL`),
      details: [{ names: [`${prefix}/MODEL`] }],
    });
    expect(await valueOf(`${prefix}/MODEL`)).toBe('small');
    await expect(valueOf(`${prefix}/FEATURES`)).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('of which some were written by an attempt that was cut short are completed', async () => {
    const target = anEnvironment();
    const prefix = `/notes/${target.environment}/releases/1.0.0`;
    await put(`${prefix}/FEATURES`, 'a');

    await activities.writeSettings({ target, lock, ...withFile({ MODEL: 'large', FEATURES: 'a' }) });
    expect(await valueOf(`${prefix}/MODEL`)).toBe('large');
  });

  test('that come between look and write are fine with the same value, a conflict with another', async () => {
    const target = anEnvironment();
    const name = `/notes/${target.environment}/releases/1.0.0/MODEL`;
    const write = () => activities.writeSettings({ target, lock, ...withFile({ MODEL: 'large' }) });

    meanwhile = () => put(name, 'large');
    expect(await write()).toEqual([name]);
    await activities.deleteSettings({ target, names: [name], lock });
    meanwhile = () => put(name, 'small');
    await expect(write()).rejects.toMatchObject({ type: 'SettingConflict', nonRetryable: true });
  });

  test('are neither written nor deleted by a run that lost the lock', async () => {
    const target = anEnvironment();
    const name = `/notes/${target.environment}/releases/1.0.0/MODEL`;
    await put(name, 'large');
    holds = false;

    await expect(
      activities.writeSettings({ target, lock, ...withFile({ OTHER: 'x' }) }),
    ).rejects.toMatchObject({ type: 'LockLost' });
    await expect(activities.deleteSettings({ target, names: [name], lock })).rejects.toMatchObject({
      type: 'LockLost',
    });
    const status = {
      version: '1.0.0',
      commit,
      outcome: 'Completed',
      at: '2026-01-01T00:00:00Z',
      workflowId: 'w',
      runId: 'r',
    };
    await expect(activities.writeStatus({ target, status, lock })).rejects.toMatchObject({
      type: 'LockLost',
    });
    expect(await valueOf(name)).toBe('large');
  });

  test('of another place are never deleted', async () => {
    const target = anEnvironment();
    const foreign = ['/notes/region', `/notes/${target.environment}x/releases/1.0.0/MODEL`];
    for (const name of foreign) {
      await put(name, 'kept');
      await expect(activities.deleteSettings({ target, names: [name], lock })).rejects.toMatchObject({
        type: 'NotASetting',
        nonRetryable: true,
      });
      expect(await valueOf(name)).toBe('kept');
    }
  });

  test('the status parameter always has the last status', async () => {
    const target = anEnvironment();
    const status = {
      version: '1.0.0',
      commit,
      outcome: 'Completed',
      at: '2026-01-01T00:00:00Z',
      workflowId: 'w',
      runId: 'r',
    };
    await activities.writeStatus({ target, status, lock });
    await activities.writeStatus({
      target,
      status: { ...status, version: '1.1.0', outcome: 'RolledBack' },
      lock,
    });

    expect(JSON.parse((await valueOf(`/notes/${target.environment}/status`)) ?? '')).toEqual({
      ...status,
      version: '1.1.0',
      outcome: 'RolledBack',
    });
  });

  test('that AWS refuses are a failure for good, named after its error', async () => {
    // SSM keeps names that begin with `aws` and `ssm` for itself.
    const target = { ...anEnvironment(), platform: 'ssm' };
    await expect(
      activities.writeSettings({ target, lock, ...withFile({ MODEL: 'large' }) }),
    ).rejects.toMatchObject({ type: 'Validation', nonRetryable: true });
  });

  describe('what is required', () => {
    const secrets = () => aws.clientsFor({ region: 'eu-west-1' }).secrets;

    test('passes when it is there, with its version', async () => {
      const target = anEnvironment();
      await put('/required/region', 'eu');
      await put('/required/region', 'us');
      const { VersionId } = await secrets().send(
        new CreateSecretCommand({ Name: 'required/key', SecretString: 's' }),
      );

      expect(
        await activities.checkRequired({
          target,
          parameters: ['/required/region'],
          secrets: ['required/key'],
        }),
      ).toEqual([
        { name: 'parameter /required/region', passed: true, detail: 'version 2' },
        { name: 'secret required/key', passed: true, detail: `version ${VersionId}` },
      ]);
    });

    test('fails with what to do when it is missing, going away, or empty: all of it at once', async () => {
      const target = anEnvironment();
      await secrets().send(new CreateSecretCommand({ Name: 'required/going', SecretString: 's' }));
      await secrets().send(new DeleteSecretCommand({ SecretId: 'required/going' }));
      await secrets().send(new CreateSecretCommand({ Name: 'required/empty' }));

      const checks = await activities.checkRequired({
        target,
        parameters: ['/required/missing'],
        secrets: ['required/missing', 'required/going', 'required/empty'],
      });
      expect(checks.map(({ passed, detail }) => [passed, detail])).toEqual([
        [
          false,
          'There is no SSM parameter /required/missing. Make it: `aws ssm put-parameter --name /required/missing --type String --value ...`',
        ],
        [
          false,
          expect.stringContaining(
            'There is no secret required/missing. Make it: `aws secretsmanager create-secret',
          ),
        ],
        [
          false,
          expect.stringContaining(
            'The secret required/going is going to be deleted. Keep it: `aws secretsmanager restore-secret',
          ),
        ],
        [false, expect.stringContaining('The secret required/empty has no value. Give it one')],
      ]);
    });

    test('may be more than ten parameters, and none', async () => {
      const target = anEnvironment();
      const parameters = Array.from({ length: 12 }, (_, i) => `/required/many/${i}`);
      await put('/required/many/11', 'here');

      const checks = await activities.checkRequired({ target, parameters, secrets: [] });
      expect(checks.map(({ passed }) => passed)).toEqual([...Array.from({ length: 11 }, () => false), true]);
      expect(await activities.checkRequired({ target, parameters: [], secrets: [] })).toEqual([]);
    });
  });
});
