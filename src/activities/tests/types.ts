import type { Target, TestSuite } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';
import type { Outputs } from '../terraform/types.ts';

export interface TestResult {
  readonly suite: string;
  readonly passed: boolean;
  /** Seconds. */
  readonly duration: number;
  /** Why it failed (exit code, signal, timeout) and the output's last lines, at most 2 KB, secrets of the declared environment masked. */
  readonly detail: string;
  /** Where the whole output is kept on the worker's host. */
  readonly log: string;
}

export interface TestActivities {
  /** Runs the suite's command at the commit with its declared environment only. Heartbeats. A failing suite is a result, not an error. */
  runTests(input: {
    target: Target;
    release: Release;
    suite: TestSuite;
    outputs: Outputs;
  }): Promise<TestResult>;
}
