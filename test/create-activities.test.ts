import { expect, test } from '@jest/globals';
import { loadConfig } from '../src/config.ts';
import { terraformSettings } from '../src/create-activities.ts';

test('what an operator sets of Terraform reaches its activities', () => {
  const config = loadConfig({
    HOME: '/nonexistent',
    SLIPWAY_DATA_DIRECTORY: '/var/lib/slipway',
    SLIPWAY_EVIDENCE_KEY: '0123456789abcdef',
    SLIPWAY_TERRAFORM: 'tofu',
    SLIPWAY_TERRAFORM_CONCURRENCY: '2',
    SLIPWAY_TERRAFORM_GRACE: '10m',
    SLIPWAY_TERRAFORM_LOCK_WAIT: '45s',
    SLIPWAY_ON_SHUTDOWN: 'interrupt',
  });
  expect(terraformSettings(config)).toEqual({
    dataDirectory: '/var/lib/slipway',
    key: '0123456789abcdef',
    binary: 'tofu',
    concurrency: 2,
    grace: 600_000,
    lockWait: 45_000,
    onShutdown: 'interrupt',
  });
});
