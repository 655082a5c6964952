/** What people send: inputs of runs and payloads of signals, each with the reader that checks it. */
import * as read from './input.ts';
import { parseObject, type Parsed } from './input.ts';

export interface DeployInput {
  /** Semantic version, such as `1.4.0`; also the tag of the images. */
  readonly versionTag: string;
  /** The full commit hash, 40 or 64 hexadecimal digits. */
  readonly commitHash: string;
  /** Who starts the run. Without it the identity recorded at the start counts. */
  readonly startedBy?: string;
}

export interface DeployToEnvironmentInput extends DeployInput {
  readonly environment: string;
}

export interface PipelineInput extends DeployInput {
  /** The last environment to deploy to; the platform's last one when left out. */
  readonly through?: string;
}

export interface DriftInput {
  readonly environment: string;
}

export const ROLLBACK_STRATEGIES = ['revert'] as const;
export type RollbackStrategy = (typeof ROLLBACK_STRATEGIES)[number];

export interface RollbackInput {
  readonly environment: string;
  readonly failedVersion: string;
  readonly targetVersion: string;
  readonly strategy?: RollbackStrategy;
  readonly reason?: string;
  readonly startedBy?: string;
}

/** Signals that people send to a deployment's run, the pipeline's or its environment's alike. */
export const HUMAN_SIGNALS = [
  'approve',
  'reject',
  'abort',
  'hold',
  'resume',
  'promote',
  'recordManualTest',
  'decide',
] as const;
export type HumanSignal = (typeof HUMAN_SIGNALS)[number];

export interface ApprovePayload {
  readonly by: string;
  readonly comment?: string;
  /** The evidence's digest, or 8 or more of its first characters, with or without `sha256:`. */
  readonly evidence?: string;
}
export interface ReasonPayload {
  readonly by: string;
  readonly reason: string;
}
export interface HoldPayload {
  readonly by: string;
  readonly reason?: string;
}
export interface ManualTestPayload {
  readonly by: string;
  readonly passed: boolean;
  readonly notes?: string;
}
export const DECISIONS = ['continue', 'retry', 'rollback'] as const;
export interface DecidePayload {
  readonly by: string;
  readonly action: (typeof DECISIONS)[number];
  readonly reason?: string;
}

export interface HumanPayloads {
  approve: ApprovePayload;
  reject: ReasonPayload;
  abort: ReasonPayload;
  hold: HoldPayload;
  resume: HoldPayload;
  promote: ReasonPayload;
  recordManualTest: ManualTestPayload;
  decide: DecidePayload;
}

const PERSON = read.text(100);
const NOTE = read.text(2000, { lines: true });
const RELEASE = {
  versionTag: read.version,
  commitHash: read.commit,
  startedBy: read.optional(PERSON),
} as const;
const BY_REASON = { by: PERSON, reason: NOTE } as const;
const BY_MAYBE_REASON = { by: PERSON, reason: read.optional(NOTE) } as const;

export function parseDeployInput(input: unknown): Parsed<DeployInput> {
  return parseObject('input', RELEASE as read.Fields<DeployInput>, input);
}

export function parseDeployToEnvironmentInput(input: unknown): Parsed<DeployToEnvironmentInput> {
  const fields = { ...RELEASE, environment: read.environmentName };
  return parseObject('input', fields as read.Fields<DeployToEnvironmentInput>, input);
}

export function parsePipelineInput(input: unknown): Parsed<PipelineInput> {
  const fields = { ...RELEASE, through: read.optional(read.environmentName) };
  return parseObject('input', fields as read.Fields<PipelineInput>, input);
}

export function parseDriftInput(input: unknown): Parsed<DriftInput> {
  return parseObject('input', { environment: read.environmentName }, input);
}

export function parseRollbackInput(input: unknown): Parsed<RollbackInput> {
  const fields = {
    environment: read.environmentName,
    failedVersion: read.version,
    targetVersion: read.version,
    strategy: read.optional(read.oneOf(ROLLBACK_STRATEGIES)),
    reason: read.optional(NOTE),
    startedBy: read.optional(PERSON),
  };
  const parsed = parseObject('input', fields as read.Fields<RollbackInput>, input);
  if (parsed.kind === 'invalid' || parsed.value.failedVersion !== parsed.value.targetVersion) return parsed;
  const { targetVersion } = parsed.value;
  return {
    kind: 'invalid',
    problems: [
      {
        field: 'targetVersion',
        found: JSON.stringify(targetVersion),
        allowed: 'another version than failedVersion',
      },
    ],
  };
}

const PAYLOADS: { readonly [S in HumanSignal]: object } = {
  approve: { by: PERSON, comment: read.optional(NOTE), evidence: read.optional(evidenceDigest) },
  reject: BY_REASON,
  abort: BY_REASON,
  hold: BY_MAYBE_REASON,
  resume: BY_MAYBE_REASON,
  promote: BY_REASON,
  recordManualTest: { by: PERSON, passed: read.yesOrNo, notes: read.optional(NOTE) },
  decide: { by: PERSON, action: read.oneOf(DECISIONS), reason: read.optional(NOTE) },
};

/** Reads a human signal's payload, which may be anything at all. */
export function parsePayload<S extends HumanSignal>(signal: S, payload: unknown): Parsed<HumanPayloads[S]> {
  return parseObject(signal, PAYLOADS[signal] as read.Fields<HumanPayloads[S]>, payload);
}

function evidenceDigest(value: unknown): ReturnType<read.Field<string>> {
  return typeof value === 'string' && /^(sha256:)?[0-9a-f]{8,64}$/.test(value)
    ? { ok: true, value: value.replace(/^sha256:/, '') }
    : { ok: false, allowed: "the evidence's digest or 8 or more of its first hexadecimal digits" };
}
