import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { stringify } from 'yaml';
import { createPlatformActivities } from '../../../src/activities/platform/activities.ts';
import { aPlatformFile, withEnvironment } from '../../platform/builders.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-platform-'));
const platformFile = join(folder, 'slipway.yaml');
const activities = createPlatformActivities({ platformFile });
const write = (file: Record<string, unknown>): void => writeFileSync(platformFile, stringify(file));
afterAll(() => rmSync(folder, { recursive: true }));

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof ApplicationFailure) return error;
  throw new Error('no failure', { cause: error });
}

test('a policy edited since counts for the next run', async () => {
  write(aPlatformFile());
  const before = await activities.loadEnvironmentPolicy({ environment: 'production' });
  write(withEnvironment({ keepReleases: 7 }));
  const after = await activities.loadEnvironmentPolicy({ environment: 'production' });
  expect([before.keepReleases, after.keepReleases]).toEqual([20, 7]);
  expect(after.digest).not.toBe(before.digest);
});

test('an invalid file fails the run for good, with every problem', async () => {
  write(aPlatformFile({ platform: 3, surprise: 1 }));
  const failure = await failureOf(activities.loadPipelinePolicy({}));
  expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
  expect(failure.message).toContain('2 problems');
  expect(failure.details).toEqual([
    {
      file: platformFile,
      problems: [
        expect.objectContaining({ path: ['platform'] }),
        expect.objectContaining({ path: ['surprise'] }),
      ],
    },
  ]);
});

test('a file with very many problems fails the run with the first of them and their number', async () => {
  const services = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`service-${i}`, {}]));
  write(aPlatformFile({ services }));
  const failure = await failureOf(activities.loadPipelinePolicy({}));
  expect(failure.message).toMatch(/^.* is not valid: 2000 problems\n/);
  expect(failure.message).toMatch(/\n {2}\.\.\. and 1975 more$/);
  expect(JSON.stringify(failure.details).length).toBeLessThan(8_000);
});

test('an unknown environment fails the run for good, with those there are', async () => {
  write(aPlatformFile());
  for (const load of [
    activities.loadEnvironmentPolicy({ environment: 'qa' }),
    activities.loadPipelinePolicy({ through: 'qa' }),
  ]) {
    const failure = await failureOf(load);
    expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
    expect(failure.message).toContain(
      'found "qa"; allowed: the environments of the platform notes, production',
    );
  }
});
