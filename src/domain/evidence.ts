import type { ChangeSet, ResourceChange } from './terraform/change-set.ts';
import type { Drift, DriftedResource } from './terraform/drift.ts';
import { anythingDrifted } from './planned-infrastructure.ts';
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
  /**
   * What others changed since the last apply; absent when nothing was. Approvals are bound to it: an apply overwrites or
   * builds on what somebody did by hand, perhaps in an emergency, and who agreed before that did not know of it.
   */
  readonly drift?: Drift;
  readonly settings: readonly SettingPlan[];
  readonly references: readonly ReferencePlan[];
  readonly services: readonly ServiceChange[];
  /** Of the services that go by canary; absent when none does. */
  readonly canary?: CanarySchedule;
  readonly policyDigest: Digest;
  /** The release that runs now; absent at a first deployment. */
  readonly running?: { readonly version: string; readonly commit: string };
}

/**
 * What approvers agree to of a Terraform plan. The seals of a large change set are no part of it: they are for comparing
 * one change by one, its digest binds all of them, and without them the evidence stays under 50 KB.
 */
export function infrastructureEvidence({
  changeSet,
  drift,
}: Required<Pick<Evidence, 'changeSet' | 'drift'>>): Pick<Evidence, 'changeSet' | 'drift'> {
  const { unlisted, ...listed } = changeSet;
  return {
    changeSet: { ...listed, ...(unlisted && { unlisted: { count: unlisted.count, unknown: [] } }) },
    ...(anythingDrifted(drift) && { drift }),
  };
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
    ...changeSetChange(before.changeSet, after.changeSet),
    ...namedChanges('drift of', drifted(before.drift), drifted(after.drift)),
    ...change('resources with drift beyond those', beyond(before.drift), beyond(after.drift)),
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

/** Changes of a change set that are told by name. */
const TOLD_CHANGES = 5;

/** A change set whose listed changes are all the same differs in what it does not list, or in where it belongs. */
function changeSetChange(before: ChangeSet | undefined, after: ChangeSet | undefined): string[] {
  if (before?.digest === after?.digest) return [];
  const was = new Map(before?.changes.map((planned) => [planned.address, planned]));
  const is = new Map(after?.changes.map((planned) => [planned.address, planned]));
  const lines = [...new Set([...was.keys(), ...is.keys()])]
    .toSorted()
    .flatMap((address) => plannedChange(address, was.get(address), is.get(address)));
  if (lines.length === 0) return ['the Terraform change set'];
  const more = lines.length > TOLD_CHANGES ? `, and ${lines.length - TOLD_CHANGES} more` : '';
  return [`the Terraform change set: ${lines.slice(0, TOLD_CHANGES).join(', ')}${more}`];
}

function plannedChange(
  address: string,
  before: ResourceChange | undefined,
  after: ResourceChange | undefined,
): string[] {
  const [was, is] = [before?.actions.join('+') ?? 'nothing', after?.actions.join('+') ?? 'nothing'];
  if (was !== is) return [`${address} (${was} -> ${is})`];
  return before?.hash === after?.hash ? [] : [`${address} (${is} with other values)`];
}

function drifted(drift: Drift | undefined): Record<string, string> {
  const how = ({ kind, attributes }: DriftedResource) => [kind, attributes.join(', ')].filter(Boolean);
  return Object.fromEntries(
    (drift?.resources ?? []).map((resource) => [resource.address, how(resource).join(': ')]),
  );
}

function beyond(drift: Drift | undefined): string {
  return String(drift?.omitted ?? 0);
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
