import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EphemeralServerExecutable } from '@temporalio/testing';

/** The outside programs that the set-up found or installed: absolute paths; one that is absent was not needed or not found. */
export interface Tools {
  readonly temporalCli?: string;
  /** Temporal's time-skipping test server. */
  readonly testServer?: string;
  /** The Python that runs moto; its packages are in `pythonPath`. */
  readonly python?: string;
  readonly pythonPath?: string;
  readonly awsCli?: string;
  /** `ecs` of ecs-deploy. */
  readonly ecsDeploy?: string;
  /** moto's server: `moto --port N`. */
  readonly moto?: string;
  /** terraform or tofu. */
  readonly terraform?: string;
}

/** What `scripts/setup.mjs` wrote down; empty when it has not run. */
export function loadTools(root = join(import.meta.dirname, '..')): Tools {
  try {
    return JSON.parse(readFileSync(join(root, '.tools', 'tools.json'), 'utf8')) as Tools;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * What to start a Temporal server or test server with.
 * @param path of the program; without one the SDK downloads its own, once
 */
export function serverExecutable(path: string | undefined): EphemeralServerExecutable {
  return path === undefined ? { type: 'cached-download' } : { type: 'existing-path', path };
}
