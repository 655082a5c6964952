import { addressOf, isReplacement, plannedResources } from '../../../domain/terraform/planned.ts';
import type { PlanJson } from '../../../domain/terraform/plan.ts';
import { redact } from '../../process/redact.ts';

/** What stands for a secret in an address. */
export const MASK = '***';

/** What an apply is to make anew, by address. */
export interface Intent {
  readonly created: readonly string[];
  /** Those of `created` that take the place of an object, which the state has at the same address. */
  readonly replaced: readonly string[];
}

/** @param secrets masked in the addresses */
export function intentOf(plan: PlanJson, secrets: ReadonlySet<string>): Intent {
  const made = plannedResources(plan).filter(({ change }) => change.actions.includes('create'));
  const addresses = (resources: typeof made) =>
    resources.map((resource) => redact(addressOf(resource), secrets));
  return {
    created: addresses(made),
    replaced: addresses(made.filter(({ change }) => isReplacement(change.actions))),
  };
}

/**
 * Of what an apply was to make, what may exist without the state knowing of it.
 * @param known addresses in the state; undefined when it can't be read, so that all is suspect
 * @param begun what the apply had begun to make; undefined when that isn't known
 */
export function suspectsOf(
  { created, replaced }: Intent,
  known: ReadonlySet<string> | undefined,
  begun?: ReadonlySet<string>,
): string[] {
  // The state may still have the object that was to be replaced, or already have the new one; a masked address is in no list.
  const ambiguous = new Set(replaced);
  return created.filter((address) => {
    if (address.includes(MASK)) return true;
    return (begun?.has(address) ?? true) && (!known?.has(address) || ambiguous.has(address));
  });
}
