import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Checkouts, RunningPlatform } from './running.ts';
import { makeCheckouts, post, startPlatform } from './running.ts';

let releases: Checkouts;
let platform: RunningPlatform | undefined;
beforeAll(async () => {
  releases = await makeCheckouts();
});
afterEach(() => platform?.stop());
afterAll(() => releases.remove());

async function start(version: string, settings: Record<string, string> = {}): Promise<RunningPlatform> {
  platform = await startPlatform(await releases.checkout(version), version, settings);
  return platform;
}

/** Runs a suite of the release's own tests with a declared environment only, as a deployment does. */
async function runSuite(version: string, suite: string, environment: Record<string, string>) {
  const { PATH } = process.env;
  return execa(process.execPath, [join('tests', `${suite}.mjs`)], {
    cwd: join(releases.directory, 'checkouts', version),
    env: { PATH, ...environment },
    extendEnv: false,
    reject: false,
  });
}

/** Statuses of so many suggestions, one after the other. */
async function suggest({ editor }: RunningPlatform, count: number): Promise<number[]> {
  const statuses = [];
  for (let i = 0; i < count; i += 1) {
    statuses.push((await post(`${editor.url}/api/suggest`, { text: `The sea ${i % 7}` })).status);
  }
  return statuses;
}

describe('good releases', () => {
  test.each([
    ['1.0.0', 'small', 1],
    ['1.1.0', 'large', 3],
  ])('%s with the %s model passes its own tests and suggests %i', async (version, MODEL, count) => {
    const { urls, editor } = await start(version, {
      MODEL,
      ...(count > 1 ? { SUGGESTION_COUNT: `${count}` } : {}),
    });
    for (const suite of ['smoke', 'integration', 'end-to-end']) {
      const { exitCode, stdout } = await runSuite(version, suite, { ...urls, EXPECTED_VERSION: version });
      expect({ suite, exitCode, stdout }).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/all \d checks/),
      });
    }
    const { body } = await post(`${editor.url}/api/suggest`, { text: 'The sea' });
    expect(body['suggestions']).toHaveLength(count);
  });
});

describe("the releases' own tests", () => {
  test('smoke fails when another version is served', async () => {
    const { urls } = await start('1.0.0');
    const { exitCode, stdout } = await runSuite('1.0.0', 'smoke', { ...urls, EXPECTED_VERSION: '1.1.0' });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/FAILED {2}editor serves version 1\.1\.0/);
  });

  test('integration and end-to-end fail when the gateway is gone', async () => {
    const { urls, gateway } = await start('1.0.0');
    await gateway.stop();
    for (const suite of ['integration', 'end-to-end']) {
      const { exitCode, stdout } = await runSuite('1.0.0', suite, urls);
      expect({ suite, exitCode }).toEqual({ suite, exitCode: 1 });
      expect(stdout).toContain('ECONNREFUSED');
    }
  });

  test('a missing address is named', async () => {
    const { exitCode, stderr } = await runSuite('1.0.0', 'end-to-end', {});
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('EDITOR_URL is not set')]);
  });
});

describe('1.2.0', () => {
  test('fails every 20th suggestion of the large model', async () => {
    const statuses = await suggest(await start('1.2.0', { MODEL: 'large' }), 100);
    const failed = statuses.flatMap((status, i) => (status === 200 ? [] : [[i + 1, status]]));
    expect(failed).toEqual([20, 40, 60, 80, 100].map((number) => [number, 502]));
  });

  test('fails none of the small model, and passes its own tests there', async () => {
    const running = await start('1.2.0', { MODEL: 'small' });
    expect(new Set(await suggest(running, 100))).toEqual(new Set([200]));
    const { exitCode } = await runSuite('1.2.0', 'end-to-end', running.urls);
    expect(exitCode).toBe(0);
  });
});

describe('1.3.0', () => {
  test('is healthy, serves 20 suggestions, and then dies with exit code 1', async () => {
    const running = await start('1.3.0');
    expect((await fetch(`${running.suggestions.url}/health`)).status).toBe(200);
    expect(new Set(await suggest(running, 20))).toEqual(new Set([200]));
    expect(await running.suggestions.exited).toEqual({ code: 1, signal: null });
    expect(running.suggestions.output()).toContain('ENOENT');
  });

  test('passes the tests of a release, which ask less often', async () => {
    const running = await start('1.3.0');
    for (const suite of ['smoke', 'integration', 'end-to-end'])
      expect(await runSuite('1.3.0', suite, { ...running.urls, EXPECTED_VERSION: '1.3.0' })).toMatchObject({
        exitCode: 0,
      });
  });

  test("doesn't have the fault of 1.2.0", async () => {
    const { gateway } = await start('1.3.0', { MODEL: 'large' });
    for (let i = 0; i < 40; i += 1) {
      expect((await post(`${gateway.url}/complete`, { prompt: 'The sea' })).status).toBe(200);
    }
  });
});
