import { diesLater, good, neverStarts } from './programs.ts';
import type { Outcome } from './watchers/watcher.ts';

export interface Scenario {
  readonly name: string;
  readonly release: string;
  /** The program of the release. */
  readonly source: string;
  readonly outcome: Outcome;
  /** Its tasks die once their deployment is SUCCESSFUL. */
  readonly dies: boolean;
  /** For how many seconds Slipway watches it after its rollout: a policy's soak. */
  readonly windowSeconds: number;
}

export interface Durations {
  /** Of a program that never starts. */
  readonly givesUpAfterSeconds: number;
  readonly windowSeconds: { readonly lives: number; readonly dies: number };
}

/** In this order: a service goes from one to the next, so the one that is left broken comes last. */
export function scenarios({ givesUpAfterSeconds, windowSeconds }: Durations): readonly Scenario[] {
  return [
    {
      name: 'success',
      release: 'starts, and lives on',
      source: good('two'),
      outcome: 'success',
      dies: false,
      windowSeconds: windowSeconds.lives,
    },
    {
      name: 'breaker rollback',
      release: "never starts: ECS's circuit breaker takes it back",
      source: neverStarts(givesUpAfterSeconds),
      outcome: 'failure',
      dies: false,
      windowSeconds: windowSeconds.lives,
    },
    {
      name: 'crash after start',
      release: 'is SUCCESSFUL, and its tasks die afterwards',
      source: diesLater('three'),
      outcome: 'failure',
      dies: true,
      windowSeconds: windowSeconds.dies,
    },
  ];
}
