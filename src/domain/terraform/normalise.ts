import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  actionsOf,
  addressOf,
  isDestructive,
  isRemoval,
  isReplacement,
  plannedOutputs,
  plannedSteps,
} from './planned.ts';
import type { PlanJson, PlannedChange, PlannedResource } from './plan.ts';
import { list } from './seal.ts';
import { secretsOf } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { attributeChanges, byCodeUnit, unknownPaths } from './values.ts';
import type { AttributeChange, Leaf } from './values.ts';
import type { ChangeSet, Origin, ResourceChange } from './change-set.ts';
import { canonicalJson, digestOf } from '../digest.ts';
import type { Digest } from '../release.ts';

export interface NormaliseOptions {
  readonly origin: Origin;
  /** The workers' key. Without one a sensitive value enters as 'sensitive', whatever it is. The same for a secret inside of a value. */
  readonly key?: string;
  /** Secrets that the caller knows of, beside those that the plan marks. */
  readonly secrets?: ReadonlySet<string>;
}

/** The plan as a change set: what changes and hashes of how, with no value. The same for the same changes. */
export function normalise(plan: PlanJson, options: NormaliseOptions): ChangeSet {
  const steps = stepsOf(plan, options);
  const { origin } = options;
  return {
    ...list(steps.map(({ change }) => change)),
    origin,
    digest: changeSetDigest(origin, steps),
    counts: countChanges(plan),
  };
}

export function changeSetDigest(origin: Origin, steps: readonly Step[]): Digest {
  return digestOf({ origin, changes: steps.map(({ change }) => change) });
}

/** One step of a plan as an entry of a change set. */
export interface Step {
  readonly change: ResourceChange;
  /** The same with the values at `paths` taken as unknown, to compare with what was approved when they were. */
  readonly masked: (paths: readonly string[]) => ResourceChange;
  /** Whether the attribute at a path is one that the step has, of whatever value: most lists of paths are of other types. */
  readonly has: (path: string) => boolean;
}

/** All steps of a plan, however many, sorted by address. */
export function stepsOf(plan: PlanJson, options: Omit<NormaliseOptions, 'origin'>): Step[] {
  const secrets = secretsOf(plan, options.secrets);
  const hashed = hasher(secrets, options.key);
  const outputs = plannedOutputs(plan).map(([name, change]) => ({ address: `output.${name}`, change }));
  return [...plannedSteps(plan), ...outputs]
    .map((step): Step => {
      const masked = (paths: readonly string[]) => describeStep(step, paths, secrets, hashed);
      return { change: masked([]), masked, has: (path) => hasAttribute(step.change, path) };
    })
    .toSorted((a, b) => byCodeUnit(a.change.address, b.change.address));
}

function hasAttribute({ before, after, after_unknown: unknown }: PlannedChange, path: string): boolean {
  const [name] = /^[^.[]+/.exec(path) ?? [];
  const objects = [before, after, unknown].filter((value) => typeof value === 'object' && value !== null);
  return name === undefined || objects.some((object) => Object.hasOwn(object, name));
}

type Hash = (difference: AttributeChange) => unknown;

function describeStep(
  step: PlannedResource,
  alsoUnknown: readonly string[],
  secrets: Secrets,
  hashed: Hash,
): ResourceChange {
  const { change, previous_address: previous } = step;
  const actions = actionsOf(step);
  const differences = attributeChanges(change, alsoUnknown);
  const content = isRemoval(actions) ? objectIdentity(change.before) : differences.map(hashed);
  const unknown = [...new Set([...unknownPaths(change), ...alsoUnknown])].toSorted(byCodeUnit);
  const inPlace = actions.includes('update') || isReplacement(actions);
  const { importing } = change;
  const facts = {
    ...(previous !== undefined && { previous }),
    ...(importing && { import: [importing.id ?? '', importing.identity ?? null] }),
  };
  return {
    address: secrets.maskAddress(addressOf(step)),
    actions,
    attributes: inPlace ? differences.map(({ path }) => secrets.maskPath(path)) : [],
    ...(unknown.length > 0 && { unknown: unknown.map(secrets.maskPath) }),
    hash: digestOf({ ...facts, content }),
  };
}

/** Who agrees to a deletion agrees to it whatever the object's attributes were by then; it must be the same object. */
function objectIdentity(before: unknown): unknown {
  if (typeof before !== 'object' || before === null) return null;
  return Object.entries(before)
    .filter(([name, value]) => (name === 'id' || name === 'arn') && typeof value === 'string')
    .toSorted(([a], [b]) => byCodeUnit(a, b));
}

function hasher(secrets: Secrets, key: string | undefined): Hash {
  const stand = (leaf: Leaf | undefined): unknown => {
    if (leaf === undefined) return null;
    if (leaf.kind === 'unknown') return { unknown: true };
    if (!secrets.isSecret(leaf)) return { value: leaf.value };
    if (key !== undefined) return { sensitive: keyedHash(key, leaf.value) };
    // What stands around a secret is none: it stays bound.
    return { sensitive: leaf.sensitive || secrets.mask(String(leaf.value)) };
  };
  return ({ path, before, after }) => [path, stand(before), stand(after)];
}

function keyedHash(key: string, value: unknown): Digest {
  return `hmac-sha256:${bytesToHex(hmac(sha256, utf8ToBytes(key), utf8ToBytes(canonicalJson(value))))}`;
}

/** Of resources, without outputs and invoked actions. */
export function countChanges(plan: PlanJson): ChangeSet['counts'] {
  const counts = { create: 0, update: 0, replace: 0, delete: 0 };
  for (const { change } of plan.resource_changes ?? []) {
    const { actions } = change;
    if (isReplacement(actions)) counts.replace += 1;
    else if (isDestructive(actions)) counts.delete += 1;
    else if (actions.includes('create')) counts.create += 1;
    else if (actions.includes('update')) counts.update += 1;
  }
  return counts;
}
