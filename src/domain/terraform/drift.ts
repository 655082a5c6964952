import { isDestructive } from './normalise.ts';
import type { PlanJson } from './plan.ts';
import { attributeChanges, byCodeUnit } from './values.ts';

/** A resource that somebody changed, or took away, outside of Terraform since its last apply. */
export interface DriftedResource {
  readonly address: string;
  readonly kind: 'changed' | 'deleted';
  /** Paths of the changed attributes, sorted, at most 20; empty for what was deleted. */
  readonly attributes: readonly string[];
}

/** What a plan's refresh found changed by others. What ECS and Slipway write themselves is not in it. */
export interface Drift {
  /** Sorted by address; at most 50. */
  readonly resources: readonly DriftedResource[];
  /** How many there are beyond `resources`. */
  readonly omitted: number;
}

const MOST_RESOURCES = 50;
const MOST_ATTRIBUTES = 20;

/** Reads what the plan's refresh found. */
export function readDrift(plan: PlanJson): Drift {
  const found = (plan.resource_drift ?? []).map(({ address, change }): DriftedResource => {
    if (isDestructive(change.actions)) return { address, kind: 'deleted', attributes: [] };
    const attributes = attributeChanges(change).map(({ path }) => path);
    return { address, kind: 'changed', attributes: attributes.slice(0, MOST_ATTRIBUTES) };
  });
  const sorted = found.toSorted((a, b) => byCodeUnit(a.address, b.address));
  return { resources: sorted.slice(0, MOST_RESOURCES), omitted: Math.max(0, sorted.length - MOST_RESOURCES) };
}
