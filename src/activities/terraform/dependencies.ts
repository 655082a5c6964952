import type { Target } from '../../domain/policy.ts';
import type { AwsClients } from '../aws.ts';
import type { AssertHolder } from '../lock.ts';
import type { OnShutdown } from '../process/supervisor.ts';
import type { SourceRepository } from '../source/repository.ts';

/** Milliseconds. */
export const DEFAULT_GRACE = 120_000;

/** Milliseconds. */
export const DEFAULT_LOCK_WAIT = 900_000;

/** How many terraforms one worker runs at the same time. */
export const DEFAULT_CONCURRENCY = 4;

export interface TerraformDependencies {
  readonly source: Pick<SourceRepository, 'checkout'>;
  /** The worker's data directory; workers of one host may share it. */
  readonly dataDirectory: string;
  /** The worker's environment, of which terraform sees AWS's and its own variables. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly assertHolder: AssertHolder;
  /** `terraform` (the default), `tofu`, or a path of either. */
  readonly binary?: string;
  /** The workers' key, by which sensitive values enter a change set's hashes. */
  readonly key?: string;
  /** For the SSM parameters of variables; by default clients of its own. */
  readonly aws?: Pick<AwsClients, 'clientsFor'>;
  /** AWS variables for a target; without it those of the target's role, and for none the worker's own. */
  readonly credentials?: (target: Target) => Promise<Record<string, string>>;
  /**
   * What a worker's shutdown does to an apply: on a host it goes on (the default), in a container, where it would die
   * with the worker, it is interrupted while there is time to save the state.
   */
  readonly onShutdown?: OnShutdown;
  /** Milliseconds between SIGINT and SIGKILL when a run is cancelled; 120,000 by default. */
  readonly grace?: number;
  /** Milliseconds to wait for the end of an apply whose host is lost, by its state lock; 900,000 by default. */
  readonly lockWait?: number;
  /** How many activities of this worker may run terraform at the same time, others waiting; 4 by default. */
  readonly concurrency?: number;
}
