import type { Evidence } from './evidence.ts';
import type { ChangeSet, ResourceChange } from './terraform/change-set.ts';
import type { Drift } from './terraform/drift.ts';
import { isDestructive } from './terraform/planned.ts';

/** What Terraform was to do, as people were asked to agree to it. */
export interface PlannedInfrastructure {
  readonly counts: ChangeSet['counts'];
  /** What destroys comes first. */
  readonly changes: readonly Pick<ResourceChange, 'address' | 'actions' | 'attributes'>[];
  /** How many changes there are beyond `changes`. */
  readonly omitted: number;
  /** What others had changed; absent when nothing was. */
  readonly drift?: Drift;
}

/** @returns nothing for evidence without Terraform */
export function plannedInfrastructure({
  changeSet,
  drift,
}: Pick<Evidence, 'changeSet' | 'drift'>): PlannedInfrastructure | undefined {
  if (changeSet === undefined) return undefined;
  const { counts, changes, unlisted } = changeSet;
  const shown = changes.map(({ address, actions, attributes }) => ({ address, actions, attributes }));
  const destructive = ({ actions }: Pick<ResourceChange, 'actions'>) => Number(isDestructive(actions));
  return {
    counts,
    changes: shown.toSorted((a, b) => destructive(b) - destructive(a)),
    omitted: unlisted?.count ?? 0,
    ...(drift && { drift }),
  };
}

export function anythingDrifted({ resources, omitted }: Drift): boolean {
  return resources.length > 0 || omitted > 0;
}
