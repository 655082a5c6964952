import { utf8ToBytes } from '@noble/hashes/utils.js';
import { byOwner } from './owned.ts';
import { addressOf, isDestructive } from './planned.ts';
import type { PlanJson } from './plan.ts';
import { secretsOf } from './secrets.ts';
import { byCodeUnit } from './values.ts';

/** A resource that somebody changed, or took away, outside of Terraform since its last apply. */
export interface DriftedResource {
  readonly address: string;
  readonly kind: 'changed' | 'deleted';
  /** Paths of the changed attributes, sorted, at most 20; empty for what was deleted. */
  readonly attributes: readonly string[];
}

/** What a plan's refresh found changed by others. What ECS and Slipway write themselves is not in it. */
export interface Drift {
  /** Sorted by address; at most 50, and 4 KB. */
  readonly resources: readonly DriftedResource[];
  /** How many there are beyond `resources`. */
  readonly omitted: number;
}

const MOST_RESOURCES = 50;
const MOST_ATTRIBUTES = 20;
/** Bytes of JSON. */
const ROOM = 4_000;

/**
 * Reads what the plan's refresh found; no values.
 * @param known secrets that the caller knows of, beside those that the plan marks: none is in an address or a path
 */
export function readDrift(plan: PlanJson, known?: ReadonlySet<string>): Drift {
  const { maskAddress, maskPath } = secretsOf(plan, known);
  const found = (plan.resource_drift ?? []).flatMap((resource): DriftedResource[] => {
    const address = maskAddress(addressOf(resource));
    if (isDestructive(resource.change.actions)) return [{ address, kind: 'deleted', attributes: [] }];
    const attributes = byOwner(resource).others.map(maskPath).slice(0, MOST_ATTRIBUTES);
    return attributes.length === 0 ? [] : [{ address, kind: 'changed', attributes }];
  });
  const sorted = found.toSorted((a, b) => byCodeUnit(a.address, b.address));
  const resources = fitting(sorted.slice(0, MOST_RESOURCES));
  return { resources, omitted: sorted.length - resources.length };
}

/** Lines for people, none where nothing drifted. */
export function describeDrift({ resources, omitted }: Drift): string[] {
  const lines = resources.map(({ address, kind, attributes }) =>
    kind === 'deleted'
      ? `${address} was deleted outside of Terraform`
      : `${address} was changed outside of Terraform: ${attributes.join(', ')}`,
  );
  return omitted === 0 ? lines : [...lines, `... and ${omitted} more`];
}

function fitting(resources: readonly DriftedResource[]): DriftedResource[] {
  let room = ROOM;
  return resources.filter((resource) => (room -= utf8ToBytes(JSON.stringify(resource)).length + 1) >= 0);
}
