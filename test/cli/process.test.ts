import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { loadTools, serverExecutable } from '../../scripts/tools.ts';
import { missingSearchAttributes } from '../../src/search-attributes.ts';
import { anEnvironment, aPlatformFile } from '../platform/builders.ts';
import { aSandbox, type TestSandbox } from '../sandbox/aSandbox.ts';

const STARTER = join(import.meta.dirname, '..', '..', 'src', 'starter.ts');
const folder = mkdtempSync(join(tmpdir(), 'slipway-process-'));
const platformFile = join(folder, 'slipway.yaml');
let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await aSandbox();
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** The command as a process of its own, without anything of this one's settings. */
async function slipway(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const aws = {
    AWS_ENDPOINT_URL: sandbox.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return await execa('node', [STARTER, ...args], {
    cwd: folder,
    reject: false,
    extendEnv: false,
    env: { PATH: process.env['PATH'], HOME: folder, ...aws, ...env },
  });
}

async function accountOfSandbox(): Promise<string> {
  const { Account } = (await sandbox.aws('sts', 'get-caller-identity')) as { Account: string };
  return Account;
}

describe('without a server', () => {
  test('a command fails within seconds and names the address and the fix', async () => {
    writeFileSync(platformFile, stringify(aPlatformFile()));
    const { exitCode, stderr, durationMs } = await slipway(['status', '--address', '127.0.0.1:1']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('No Temporal server answers at 127.0.0.1:1');
    expect(stderr).toContain('temporal server start-dev');
    expect(durationMs).toBeLessThan(15_000);
  });

  test('doctor still checks all the rest, and exits with 1', async () => {
    const account = await accountOfSandbox();
    const environments = {
      staging: anEnvironment({ account }),
      production: anEnvironment({ account: '999999999999', cluster: 'notes-production' }),
    };
    writeFileSync(platformFile, stringify(aPlatformFile({ environments })));
    const { exitCode, stdout } = await slipway(['doctor', '--address', '127.0.0.1:1']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ok +platform file +notes: environments staging, production/m);
    expect(stdout).toMatch(/^FAILED +server +No Temporal server answers at 127\.0\.0\.1:1/m);
    expect(stdout).toMatch(/^ok +tool git +git version/m);
    expect(stdout).toMatch(/^ok +AWS identity staging /m);
    expect(stdout).toMatch(
      new RegExp(
        `^FAILED +AWS identity production .*account ${account}, but production is account 999999999999`,
        'm',
      ),
    );
  });

  test('doctor tells an invalid platform file and invalid settings', async () => {
    const invalid = join(folder, 'invalid.yaml');
    writeFileSync(invalid, stringify(aPlatformFile({ environment: {} })));
    const [file, settings] = await Promise.all([
      slipway(['doctor', '--address', '127.0.0.1:1', '--platform-file', invalid, '--json']),
      slipway(['doctor'], { SLIPWAY_LOG_LEVEL: 'loud' }),
    ]);
    expect(file.exitCode).toBe(1);
    expect(JSON.parse(file.stdout)).toContainEqual({
      name: 'platform file',
      passed: false,
      detail: expect.stringContaining('invalid.yaml is not valid'),
    });
    expect(settings.exitCode).toBe(1);
    expect(settings.stdout).toMatch(/^FAILED +settings .*SLIPWAY_LOG_LEVEL/s);
  });
});

describe('with a server and no worker', () => {
  let temporal: TestWorkflowEnvironment;
  beforeAll(async () => {
    const executable = serverExecutable(loadTools().temporalCli);
    const log = { format: 'pretty', level: 'error' };
    temporal = await TestWorkflowEnvironment.createLocal({ server: { executable, log } });
    writeFileSync(platformFile, stringify(aPlatformFile()));
  }, 60_000);
  afterAll(() => temporal.teardown());

  test('a start names the search attributes that the namespace lacks; doctor --fix registers them', async () => {
    const { connection } = temporal;
    const address = ['--address', temporal.address];
    const release = ['release', '1.4.0', 'a'.repeat(40), ...address];
    const refused = await slipway(release);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('slipway doctor --fix');
    expect(await missingSearchAttributes(connection, 'default')).toHaveLength(5);
    const found = await slipway(['doctor', ...address]);
    expect(found.stdout).toMatch(/^FAILED +search attributes +missing: SlipwayPlatform/m);
    expect(found.stdout).toMatch(
      /^FAILED +worker +nobody polls the task queue slipway for workflows or activities/m,
    );
    const fixed = await slipway(['doctor', '--fix', ...address]);
    expect(fixed.stdout).toMatch(/^ok +search attributes +registered SlipwayPlatform/m);
    expect(await missingSearchAttributes(connection, 'default')).toEqual([]);

    const started = await slipway(release);
    expect(started.exitCode).toBe(0);
    expect(started.stderr).toContain('No worker polls the task queue slipway');
    const asked = await slipway(['status', 'notes.release.1.4.0', ...address]);
    expect(asked.stderr).toContain('no worker polls its task queue');
    expect(asked.exitCode).toBe(7);
    const again = await slipway(release);
    expect(again.exitCode).toBe(5);
    const run = temporal.client.workflow.getHandle('notes.release.1.4.0');
    const aborted = await slipway(['abort', run.workflowId, '--reason', 'nobody works', ...address]);
    expect(aborted.exitCode).toBe(0);
    const { events } = await run.fetchHistory();
    expect(events?.at(-1)?.workflowExecutionSignaledEventAttributes?.signalName).toBe('abort');
    await run.terminate();
  }, 60_000);
});
