import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { isNoOp, plannedResources } from './plan.ts';
import type { PlanJson, PlannedChange, PlannedResource } from './plan.ts';
import { attributeChanges, byCodeUnit, isSecret, sensitiveValues, unknownPaths } from './values.ts';
import type { AttributeChange, Leaf } from './values.ts';
import type { ChangeSet, Origin, ResourceChange } from './change-set.ts';
import { canonicalJson, digestOf } from '../digest.ts';
import type { Digest } from '../release.ts';

export interface NormaliseOptions {
  readonly origin: Origin;
  /** The workers' key. Without one a sensitive value enters as 'sensitive', whatever it is. */
  readonly key?: string;
  /** By address: paths to take as unknown, to compare with a change set whose plan did not know them. */
  readonly unknown?: ReadonlyMap<string, readonly string[]>;
}

/** The plan as a change set: what changes and hashes of how, with no value. The same for the same changes. */
export function normalise(plan: PlanJson, options: NormaliseOptions): ChangeSet {
  const hashed = hasher(sensitiveValues(plan), options);
  const resources = plannedResources(plan).map((resource) => resourceChange(resource, options, hashed));
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, { actions }]) => !isNoOp(actions))
    .map(([name, change]) => describeChange(`output.${name}`, change.actions, change, options, hashed, {}));
  const changes = [...resources, ...outputs].toSorted((a, b) => byCodeUnit(a.address, b.address));
  const { origin } = options;
  return { changes, origin, digest: digestOf({ origin, changes }), counts: countChanges(resources) };
}

/** Whether the change takes an object away: `delete` alone or in a replacement, or `forget`. */
export function isDestructive(actions: readonly string[]): boolean {
  return actions.includes('delete') || actions.includes('forget');
}

/** Whether the change makes an object anew in the place of one. */
export function isReplacement(actions: readonly string[]): boolean {
  return isDestructive(actions) && actions.includes('create');
}

export function addressOf({ address, deposed }: PlannedResource): string {
  return deposed === undefined ? address : `${address} (deposed ${deposed})`;
}

export function actionsOf({ address, previous_address: previous, change }: PlannedResource): string[] {
  const state = [
    ...(change.importing ? ['import'] : []),
    ...(previous && previous !== address ? ['move'] : []),
  ];
  return state.length > 0 && isNoOp(change.actions) ? state : [...state, ...change.actions];
}

type Hash = (difference: AttributeChange) => unknown;

function resourceChange(resource: PlannedResource, options: NormaliseOptions, hashed: Hash): ResourceChange {
  const { change, previous_address: previous } = resource;
  const facts = {
    ...(previous !== undefined && { previous }),
    ...(change.importing && { import: change.importing.id ?? '' }),
  };
  return describeChange(addressOf(resource), actionsOf(resource), change, options, hashed, facts);
}

function describeChange(
  address: string,
  actions: readonly string[],
  change: PlannedChange,
  options: NormaliseOptions,
  hashed: Hash,
  facts: Readonly<Record<string, string>>,
): ResourceChange {
  const masked = options.unknown?.get(address) ?? [];
  const differences = attributeChanges(change, masked);
  const content = gone(actions) ? objectIdentity(change.before) : differences.map(hashed);
  const unknown = [...new Set([...unknownPaths(change), ...masked])].toSorted(byCodeUnit);
  return {
    address,
    actions,
    attributes:
      actions.includes('update') || isReplacement(actions) ? differences.map(({ path }) => path) : [],
    ...(unknown.length > 0 && { unknown }),
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

function gone(actions: readonly string[]): boolean {
  return isDestructive(actions) && !isReplacement(actions);
}

function hasher(secrets: ReadonlySet<string>, { key }: NormaliseOptions): Hash {
  const stand = (leaf: Leaf | undefined): unknown => {
    if (leaf === undefined) return null;
    if (leaf.kind === 'unknown') return { unknown: true };
    if (!isSecret(leaf, secrets)) return { value: leaf.value };
    return { sensitive: key === undefined ? true : keyedHash(key, leaf.value) };
  };
  return ({ path, before, after }) => [path, stand(before), stand(after)];
}

function keyedHash(key: string, value: unknown): Digest {
  return `hmac-sha256:${bytesToHex(hmac(sha256, utf8ToBytes(key), utf8ToBytes(canonicalJson(value))))}`;
}

/** Of resources, without outputs. */
export function countChanges(resources: readonly Pick<ResourceChange, 'actions'>[]): ChangeSet['counts'] {
  const having = (test: (actions: readonly string[]) => boolean) =>
    resources.filter(({ actions }) => test(actions)).length;
  return {
    create: having((actions) => actions.includes('create') && !isReplacement(actions)),
    update: having((actions) => actions.includes('update')),
    replace: having(isReplacement),
    delete: having((actions) => gone(actions)),
  };
}
