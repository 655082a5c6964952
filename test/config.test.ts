import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { InvalidConfiguration, loadConfig } from '../src/config.ts';

const home = mkdtempSync(join(tmpdir(), 'slipway-config-'));
afterAll(() => rmSync(home, { recursive: true }));
/** No profile of the person who runs the tests. */
const load = (variables: Record<string, string | undefined> = {}) =>
  loadConfig({ HOME: home, XDG_CONFIG_HOME: home, ...variables });

function problemsOf(variables: Record<string, string>): string[] {
  try {
    load(variables);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidConfiguration)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

test('with no variable set everything has its default', () => {
  expect(load()).toEqual({
    platformFile: resolve('slipway.yaml'),
    taskQueue: 'slipway',
    dataDirectory: resolve('.slipway'),
    terraform: 'terraform',
    terraformConcurrency: 4,
    terraformGraceSeconds: 120,
    terraformLockWaitSeconds: 900,
    shutdownGraceSeconds: 30,
    onShutdown: 'leave',
    pollSeconds: 5,
    log: { level: 'info', format: 'text' },
    temporal: {
      address: 'localhost:7233',
      namespace: 'default',
      connectionOptions: { address: 'localhost:7233' },
    },
  });
});

test('every variable counts', () => {
  const config = load({
    SLIPWAY_PLATFORM_FILE: '/srv/notes/slipway.yaml',
    SLIPWAY_TASK_QUEUE: 'notes',
    SLIPWAY_DATA_DIRECTORY: '/var/lib/slipway',
    SLIPWAY_EVIDENCE_KEY: '0123456789abcdef',
    SLIPWAY_TERRAFORM: 'tofu',
    SLIPWAY_TERRAFORM_CONCURRENCY: '64',
    SLIPWAY_TERRAFORM_GRACE: '10m',
    SLIPWAY_TERRAFORM_LOCK_WAIT: '45s',
    SLIPWAY_SHUTDOWN_GRACE: '2m',
    SLIPWAY_ON_SHUTDOWN: 'interrupt',
    SLIPWAY_POLL_INTERVAL: '10s',
    SLIPWAY_LOG_LEVEL: 'debug',
    SLIPWAY_LOG_FORMAT: 'json',
  });
  expect(config).toMatchObject({
    platformFile: '/srv/notes/slipway.yaml',
    taskQueue: 'notes',
    dataDirectory: '/var/lib/slipway',
    evidenceKey: '0123456789abcdef',
    terraform: 'tofu',
    terraformConcurrency: 64,
    terraformGraceSeconds: 600,
    terraformLockWaitSeconds: 45,
    shutdownGraceSeconds: 120,
    onShutdown: 'interrupt',
    pollSeconds: 10,
    log: { level: 'debug', format: 'json' },
  });
});

test('an empty variable counts as not set', () => {
  expect(load({ SLIPWAY_TASK_QUEUE: '', SLIPWAY_EVIDENCE_KEY: '', TEMPORAL_ADDRESS: '' })).toMatchObject({
    taskQueue: 'slipway',
    temporal: { address: 'localhost:7233' },
  });
});

describe('the connection to Temporal', () => {
  const file = join(home, 'profiles.toml');
  writeFileSync(
    file,
    '[profile.default]\naddress = "default:7233"\n[profile.cloud]\naddress = "cloud:7233"\nnamespace = "notes"\napi_key = "k"\n',
  );

  test('comes from the profile that is asked for, with TLS when it has an API key', () => {
    expect(load({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cloud' }).temporal).toEqual({
      address: 'cloud:7233',
      namespace: 'notes',
      connectionOptions: { address: 'cloud:7233', apiKey: 'k', tls: true },
    });
  });

  test("has the variables' values over the profile's", () => {
    const temporal = load({
      TEMPORAL_CONFIG_FILE: file,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      TEMPORAL_NAMESPACE: 'other',
    }).temporal;
    expect(temporal).toMatchObject({ address: '127.0.0.1:1', namespace: 'other' });
  });

  test('is told when its profile or its file is not there', () => {
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'clod' })).toEqual([
      expect.stringMatching(/^TEMPORAL_PROFILE: found Profile 'clod' not found/),
    ]);
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: '/nowhere.toml' })).toEqual([
      'TEMPORAL_CONFIG_FILE: found "/nowhere.toml", which is not there; allowed: the path of a Temporal configuration file',
    ]);
  });
});

describe('an invalid environment', () => {
  test('is told with all of its problems', () => {
    const variables = {
      SLIPWAY_SHUTDOWN_GRACE: 'soon',
      SLIPWAY_LOG_LEVEL: 'loud',
      SLIPWAY_TASK_QUEUE: ' ',
      TEMPORAL_PROFILE: 'none',
    };
    expect(problemsOf(variables)).toEqual([
      'SLIPWAY_TASK_QUEUE: found " "; allowed: the name of a task queue',
      'SLIPWAY_SHUTDOWN_GRACE: found "soon"; allowed: a duration from 0s to 1h, such as 30s, 5m, 2h or 7d',
      'SLIPWAY_LOG_LEVEL: found "loud"; allowed: one of trace, debug, info, warn, error',
      expect.stringContaining("TEMPORAL_PROFILE: found Profile 'none' not found"),
    ]);
  });

  test.each(['0', '65', '-1', '2.5', 'many', '1e1'])(
    'has %s told, which is no number of terraforms',
    (found) => {
      expect(problemsOf({ SLIPWAY_TERRAFORM_CONCURRENCY: found })).toEqual([
        `SLIPWAY_TERRAFORM_CONCURRENCY: found "${found}"; allowed: a whole number from 1 to 64`,
      ]);
    },
  );

  test('does not show a key that is too short', () => {
    const [problem] = problemsOf({ SLIPWAY_EVIDENCE_KEY: 'hunter2' });
    expect(problem).toContain(
      'SLIPWAY_EVIDENCE_KEY: found a text of 7 characters; allowed: a key of 16 or more characters',
    );
    expect(problem).not.toContain('hunter2');
  });

  test('has a misspelt variable told, and leaves those of others alone', () => {
    expect(problemsOf({ SLIPWAY_TASKQUEUE: 'x', SLIPWAY_WEBHOOK_SECRET: 'y' })).toEqual([
      'SLIPWAY_TASKQUEUE: found an unknown variable; allowed: SLIPWAY_TASK_QUEUE, if that is what is meant',
    ]);
  });
});
