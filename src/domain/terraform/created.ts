import { addressOf, plannedResources } from './planned.ts';
import type { PlanJson } from './plan.ts';
import { sealedCreations } from './seal.ts';
import type { ChangeSet, ResourceChange } from './change-set.ts';

/** Addresses of the resources that are created, in the place of another or not. */
export function createdBy(changes: readonly Pick<ResourceChange, 'address' | 'actions'>[]): string[] {
  return changes
    .filter(({ address, actions }) => actions.includes('create') && !address.startsWith('output.'))
    .map(({ address }) => address);
}

/** The same for all of a plan, where a change set may not list everything. */
export function createdIn(plan: PlanJson): string[] {
  return createdBy(
    plannedResources(plan).map((resource) => ({
      address: addressOf(resource),
      actions: resource.change.actions,
    })),
  );
}

/**
 * Whether a change set created what is at an address, listed or not; to be asked for many addresses. Of more unlisted
 * changes than have seals it is not known, and so not said.
 */
export function creationsOf(changeSet: ChangeSet): (address: string) => boolean {
  const listed = new Set(createdBy(changeSet.changes));
  const unlisted = changeSet.unlisted ? sealedCreations(changeSet.unlisted) : () => false;
  return (address) => listed.has(address) || unlisted(address);
}
