import { normalise } from './normalise.ts';
import type { NormaliseOptions } from './normalise.ts';
import type { PlanJson } from './plan.ts';
import type { ChangeSet, ResourceChange } from './change-set.ts';

/** A plan beside the change set that was approved. */
export type Comparison =
  | { readonly kind: 'same' }
  /** Nothing but what was approved, and some of that is done already. */
  | { readonly kind: 'subset'; readonly done: readonly string[] }
  /** A line for each difference. */
  | { readonly kind: 'differs'; readonly differences: readonly string[] };

/**
 * Compares a plan with the change set that was approved. A value that was unknown when it was approved matches any
 * value. Outputs follow from resources and variables: one that changes by now, or no longer, is no difference in a
 * subset.
 * @param options.key the workers' key that `approved` was made with
 */
export function compare(
  approved: ChangeSet,
  plan: PlanJson,
  options: Pick<NormaliseOptions, 'key' | 'origin'>,
): Comparison {
  const wanted = new Map(approved.changes.map((change) => [change.address, change]));
  const unknown = new Map(approved.changes.map(({ address, unknown: paths = [] }) => [address, paths]));
  const planned = normalise(plan, { ...options, unknown }).changes;
  const present = new Set(planned.map(({ address }) => address));

  const done = [...wanted.keys()].filter((address) => !present.has(address));
  const strange = planned.flatMap((change) => difference(wanted.get(change.address), change));
  if (strange.length === 0 && done.length === 0) return { kind: 'same' };
  const inResources = strange.filter(({ address }) => !isOutput(address));
  if (inResources.length === 0 && done.length > 0) return { kind: 'subset', done };
  const gone = done.map((address) => `${address}: approved, but no longer planned`);
  return { kind: 'differs', differences: [...strange.map(({ line }) => line), ...gone] };
}

/** The differences for a plan that had to be all of what was approved. */
export function describeDone(done: readonly string[]): string[] {
  return done.map((address) => `${address}: approved, but no longer planned`);
}

function difference(
  approved: ResourceChange | undefined,
  planned: ResourceChange,
): { readonly address: string; readonly line: string }[] {
  const { address } = planned;
  const actions = planned.actions.join(' and ');
  if (!approved) return [{ address, line: `${address}: ${actions} was not approved` }];
  const was = approved.actions.join(' and ');
  if (was !== actions) return [{ address, line: `${address}: ${was} was approved, ${actions} is planned` }];
  if (approved.hash === planned.hash) return [];
  return [{ address, line: `${address}: ${actions} is planned with other values than were approved` }];
}

function isOutput(address: string): boolean {
  return address.startsWith('output.');
}
