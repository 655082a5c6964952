import { creationsOf } from './created.ts';
import { matchesOne } from './patterns.ts';
import { addressOf, isDestructive, isReplacement, plannedResources } from './planned.ts';
import type { PlanJson, PlannedResource } from './plan.ts';
import { secretsOf } from './secrets.ts';
import type { ChangeSet } from './change-set.ts';
import type { TerraformPolicy } from '../policy.ts';

/** What a plan may take away. */
export interface Consent {
  readonly allowDestroy: TerraformPolicy['allowDestroy'];
  /** The change set that the plan undoes: what it created may go. */
  readonly failed?: ChangeSet;
  /** Addresses, as `destroyedBy` gives them, that a person agreed to. */
  readonly mayDestroy?: readonly string[];
  /** Secrets that the caller knows of, beside those that the plan marks: none is in an address that is given back. */
  readonly secrets?: ReadonlySet<string>;
}

/** An object that the plan takes away without consent. */
export interface Destroyed {
  readonly address: string;
  readonly how: 'delete' | 'replace' | 'forget';
}

/** Addresses of all that would go without consent, sorted as in the plan. An object that was moved goes by where it was. */
export function destroyedBy(plan: PlanJson, consent: Consent): string[] {
  return destroyed(plan, consent).map(({ address }) => address);
}

/** What goes without consent. Fails closed: consent is for the object that is there now, by the address that it has in the state. */
export function destroyed(plan: PlanJson, { secrets, ...consent }: Consent): Destroyed[] {
  const { maskAddress } = secretsOf(plan, secrets);
  const consents = consentOf(consent);
  return plannedResources(plan)
    .filter(({ change }) => isDestructive(change.actions))
    .map((resource) => ({ resource, address: maskAddress(addressOf(inState(resource))) }))
    .filter(({ resource, address }) => !consents(resource, address))
    .map(({ resource, address }) => ({ address, how: verb(resource.change.actions) }));
}

/** The resource by the address that the state has it at: a `moved` block may give it another before it is deleted. */
function inState(resource: PlannedResource): PlannedResource {
  return { ...resource, address: resource.previous_address ?? resource.address };
}

function consentOf({ allowDestroy, failed, mayDestroy = [] }: Omit<Consent, 'secrets'>) {
  const patterns = Array.isArray(allowDestroy) ? allowDestroy : [];
  const created = failed ? creationsOf(failed) : () => false;
  return (resource: PlannedResource, shown: string): boolean => {
    if (allowDestroy === true || mayDestroy.includes(shown)) return true;
    const { address } = inState(resource);
    if (matchesOne(patterns, address) || matchesOne(patterns, addressOf(inState(resource)))) return true;
    // Not a deposed object, whose address is another: it was there before the one that was created. A forgotten one stays.
    return !resource.change.actions.includes('forget') && created(shown);
  };
}

function verb(actions: readonly string[]): Destroyed['how'] {
  if (isReplacement(actions)) return 'replace';
  return actions.includes('forget') ? 'forget' : 'delete';
}
