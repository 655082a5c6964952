import { fileURLToPath } from 'node:url';
import { installProvider, lockFile } from '../../../sandbox/terraform-provider/install.ts';
import type { InstalledProvider } from '../../../sandbox/terraform-provider/install.ts';

const TRIAL = {
  source: 'sandbox.local/trial/trial',
  version: '1.0.0',
  main: fileURLToPath(new URL('main.ts', import.meta.url)),
};

/** The lock file of a configuration that needs the trial provider alone. */
export const TRIAL_LOCK_FILE = lockFile(TRIAL);

export function installTrialProvider(directory: string): Promise<InstalledProvider> {
  return installProvider({ directory, provider: TRIAL, node: process.execPath });
}

/** What a configuration with objects of the trial server at `address` begins with, besides its backend. */
export function trialHeader(address: string): string {
  return `
terraform {
  required_providers {
    trial = {
      source  = "${TRIAL.source}"
      version = "${TRIAL.version}"
    }
  }
}

provider "trial" {
  address = "${address}"
}
`;
}

export function usesTrialProvider(configuration: string): boolean {
  return configuration.includes(TRIAL.source);
}
