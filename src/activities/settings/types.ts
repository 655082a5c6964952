import type { SettingPlan } from '../../domain/evidence.ts';
import type { Target } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import type { LockProof } from '../lock.ts';

export interface SettingsInput {
  readonly target: Target;
  readonly release: Release;
  /** Path in the repository at the commit: a JSON object, key to string value. Absent: no settings. */
  readonly file?: string;
}

export interface StatusParameter {
  readonly version: string;
  readonly commit: string;
  readonly outcome: string;
  /** ISO 8601. */
  readonly at: string;
  readonly workflowId: string;
  readonly runId: string;
}

export interface SettingsActivities {
  /** The release's settings and the parameters `/<platform>/<env>/releases/<version>/<KEY>` that they go to. */
  planSettings(input: SettingsInput): Promise<SettingPlan[]>;
  /** The parameters and secrets that must exist, one check each. */
  checkRequired(input: {
    target: Target;
    parameters: readonly string[];
    secrets: readonly string[];
  }): Promise<Check[]>;
  /** Those of `names` that are there now, in their order: what a run finds it did not make, and its undo leaves. Changes nothing. */
  existingSettings(input: { target: Target; names: readonly string[] }): Promise<string[]>;
  /** Writes them once: an existing one with the same value is a success, with another value a non-retryable `SettingConflict`. @returns names */
  writeSettings(input: SettingsInput & { lock: LockProof }): Promise<string[]>;
  /** Deletes parameters of a release; those already gone are no error. @returns names deleted */
  deleteSettings(input: { target: Target; names: readonly string[]; lock: LockProof }): Promise<string[]>;
  /** Writes `/<platform>/<env>/status`, JSON. */
  writeStatus(input: { target: Target; status: StatusParameter; lock: LockProof }): Promise<void>;
}
