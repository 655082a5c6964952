import type { ChangeSet } from './terraform/change-set.ts';
import { digestOf } from './digest.ts';
import type { CanaryPolicy } from './policy.ts';
import type { Digest, Manifest } from './release.ts';

/** A declared setting of the release: its key and what stands for its value. */
export interface SettingPlan {
  readonly key: string;
  /** The SSM parameter, of the release's own, that it is written to. */
  readonly parameter: string;
  /** SHA-256 of the value (an HMAC for a sensitive one, or `sensitive`). */
  readonly value: Digest;
}

/** A parameter or secret that the task definitions refer to, pinned to the version they will read. */
export interface ReferencePlan {
  readonly kind: 'parameter' | 'secret';
  readonly name: string;
  readonly version: string;
}

/** How a service gets the release. */
export type RolloutKind = 'rolling' | 'canary';

export interface ServiceChange {
  readonly service: string;
  readonly rollout: RolloutKind;
  readonly image: Digest;
  /** SHA-256 of the task definition as rendered, Terraform outputs not yet known left as placeholders. */
  readonly taskDefinition: Digest;
  /** What runs now: task definition ARN; absent at a first deployment. */
  readonly current?: string;
}

/** How a canary's traffic is shifted. */
export type CanarySchedule = Pick<CanaryPolicy, 'steps' | 'bakeSeconds' | 'deadMan'>;

/** All that an approver agrees to. Task counts, times and metrics are not in it. */
export interface Evidence {
  readonly manifest: Manifest;
  readonly environment: string;
  /** Absent when the environment has no Terraform. */
  readonly changeSet?: ChangeSet;
  readonly settings: readonly SettingPlan[];
  readonly references: readonly ReferencePlan[];
  readonly services: readonly ServiceChange[];
  /** Of the services that go by canary; absent when none does. */
  readonly canary?: CanarySchedule;
  readonly policyDigest: Digest;
  /** The release that runs now; absent at a first deployment. */
  readonly running?: { readonly version: string; readonly commit: string };
}

/** The digest that approvals are bound to: SHA-256 over the evidence's canonical JSON. */
export function evidenceDigest(evidence: Evidence): Digest {
  return digestOf(evidence);
}

/** @returns a line for each part of the evidence that is not the same, for the person who is asked again */
export function describeChange(before: Evidence, after: Evidence): string[] {
  return [
    ...change('the commit', before.manifest.commit.slice(0, 12), after.manifest.commit.slice(0, 12)),
    ...namedChanges('image of', before.manifest.images, after.manifest.images),
    ...(before.changeSet?.digest === after.changeSet?.digest ? [] : ['the Terraform change set']),
    ...namedChanges('setting', values(before.settings), values(after.settings)),
    ...namedChanges(
      'parameter of setting',
      parameters(before.settings, after.settings),
      parameters(after.settings, before.settings),
    ),
    ...namedChanges('version of', versions(before.references), versions(after.references)),
    ...namedChanges('task definition of', definitions(before.services), definitions(after.services)),
    ...namedChanges('rollout of', rollouts(before.services), rollouts(after.services)),
    ...namedChanges('what now runs as', running(before.services), running(after.services)),
    ...(before.policyDigest === after.policyDigest ? [] : ['the policy']),
    ...change('the running release', release(before.running), release(after.running)),
  ];
}

function change(what: string, before: string, after: string): string[] {
  return before === after ? [] : [`${what}: ${before} -> ${after}`];
}

function release(now: Evidence['running']): string {
  return now === undefined ? 'none' : `${now.version} (${now.commit.slice(0, 12)})`;
}

function namedChanges(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `${what} ${name}: ${short(before[name])} -> ${short(after[name])}`);
}

function short(value: string | undefined): string {
  if (value === undefined) return 'none';
  return value.startsWith('sha256:') ? value.slice(0, 19) : value;
}

function values(settings: readonly SettingPlan[]): Record<string, string> {
  return Object.fromEntries(settings.map(({ key, value }) => [key, value]));
}

/** Of settings that `others` have too: one that comes or goes is told by its value. */
function parameters(
  settings: readonly SettingPlan[],
  others: readonly SettingPlan[],
): Record<string, string> {
  const shared = settings.filter(({ key }) => others.some((other) => other.key === key));
  return Object.fromEntries(shared.map(({ key, parameter }) => [key, parameter]));
}

function versions(references: readonly ReferencePlan[]): Record<string, string> {
  return Object.fromEntries(references.map(({ kind, name, version }) => [`${kind} ${name}`, version]));
}

function definitions(services: readonly ServiceChange[]): Record<string, string> {
  return Object.fromEntries(services.map(({ service, taskDefinition }) => [service, taskDefinition]));
}

function rollouts(services: readonly ServiceChange[]): Record<string, string> {
  return Object.fromEntries(services.map(({ service, rollout }) => [service, rollout]));
}

function running(services: readonly ServiceChange[]): Record<string, string> {
  return Object.fromEntries(services.map(({ service, current }) => [service, current ?? 'nothing']));
}
