import { compare as compareWith } from '../../../src/domain/terraform/compare.ts';
import type { ChangeSet, Origin } from '../../../src/domain/terraform/change-set.ts';
import { normalise as normaliseWith } from '../../../src/domain/terraform/normalise.ts';
import type { NormaliseOptions } from '../../../src/domain/terraform/normalise.ts';
import type { PlanJson, PlannedChange, PlannedResource } from '../../../src/domain/terraform/plan.ts';

/** A plan as `terraform show -json` gives it, of the given changes. */
export function aPlan(resources: readonly PlannedResource[], more: Partial<PlanJson> = {}): PlanJson {
  return {
    format_version: '1.2',
    errored: false,
    complete: true,
    applyable: resources.length > 0,
    resource_changes: resources,
    ...more,
  };
}

/** A change of the resource at `address`, whose type is what stands before the first dot. */
export function aResource(
  address: string,
  change: PlannedChange,
  more: Partial<PlannedResource> = {},
): PlannedResource {
  return { address, type: address.split('.')[0] ?? '', change, ...more };
}

export const creating = (after: object, more: Partial<PlannedChange> = {}): PlannedChange => ({
  actions: ['create'],
  before: null,
  after,
  ...more,
});
export const updating = (
  before: object,
  after: object,
  more: Partial<PlannedChange> = {},
): PlannedChange => ({
  actions: ['update'],
  before,
  after,
  ...more,
});
export const deleting = (before: object, more: Partial<PlannedChange> = {}): PlannedChange => ({
  actions: ['delete'],
  before,
  after: null,
  ...more,
});
export const replacing = (before: object, after: object): PlannedChange => ({
  actions: ['delete', 'create'],
  before,
  after,
});

export const ORIGIN: Origin = {
  directory: 'terraform',
  backend: 's3',
  workspace: 'default',
  location: `sha256:${'b'.repeat(64)}`,
};

export function normalise(plan: PlanJson, options: Partial<NormaliseOptions> = {}): ChangeSet {
  return normaliseWith(plan, { origin: ORIGIN, ...options });
}

export function compare(approved: ChangeSet, plan: PlanJson, options: Partial<NormaliseOptions> = {}) {
  return compareWith(approved, plan, { origin: ORIGIN, ...options });
}
