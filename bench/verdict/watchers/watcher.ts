import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { CountingProxy } from '../counting-proxy.ts';

export type Outcome = 'success' | 'failure';

/** What a watcher says of services: once of all together, or of each. */
export interface Statement {
  readonly services: readonly string[];
  readonly says: Outcome;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** In the watcher's own words. */
  readonly words: string;
}

/** A release that is on its way to services. */
export interface Release {
  /** With its image, by digest. */
  readonly container: ContainerDefinition & { readonly image: string };
  /** Task definition ARNs by service: revisions that are registered, one for each of the observed services. */
  readonly taskDefinitions: Readonly<Record<string, string>>;
}

export interface Watch {
  readonly proxy: CountingProxy;
  readonly cluster: string;
  readonly services: readonly string[];
  readonly release: Release;
  /** Aborted when nobody waits for the watcher's word any more. */
  readonly signal: AbortSignal;
  readonly say: (statement: Omit<Statement, 'at'>) => void;
}

/** Somebody who tells how a rollout ends. */
export interface Watcher {
  readonly name: string;
  readonly version: string;
  /** `observes` the rollouts that Slipway starts; or `deploys` a service of its own by its own command, at the same moment. */
  readonly role: 'observes' | 'deploys';
  /** Resolves when it has nothing more to say. */
  watch(watch: Watch): Promise<void>;
}

/** What a program is given to reach the endpoint as if it were AWS. */
export function environmentFor(url: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
