import { byOwner, hasOwner } from './owned.ts';
import { destroyed } from './destroys.ts';
import type { Consent } from './destroys.ts';
import { matchesOne } from './patterns.ts';
import { actionsOf, addressOf, plannedSteps } from './planned.ts';
import type { PlanJson, PlannedResource } from './plan.ts';
import { secretsOf } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import type { TerraformPolicy } from '../policy.ts';
import type { Check } from '../verdict.ts';

export { destroyedBy } from './destroys.ts';
export type { Consent } from './destroys.ts';

/** Names of the checks that a plan can fail. */
export const GUARDS = {
  destroy: 'terraform: nothing is destroyed',
  types: 'terraform: only allowed resource types change',
  ownership: 'terraform: what ECS and Slipway write is left alone',
  deferred: 'terraform: nothing is deferred',
} as const;

/** What a plan may do. */
export type Permission = Consent & Pick<TerraformPolicy, 'allowedTypes'>;

/**
 * What must not be applied of a plan: one failing check each, none when all is well.
 * Deleting, replacing and forgetting need consent; changing a type that is not allowed, changing what ECS and Slipway
 * write, and deferring, are never right.
 */
export function guard(plan: PlanJson, permission: Permission): Check[] {
  const secrets = secretsOf(plan, permission.secrets);
  return [
    ...destroys(plan, permission),
    ...strangeTypes(plan, permission, secrets),
    ...owned(plan, secrets),
    ...deferred(plan, secrets),
  ];
}

function destroys(plan: PlanJson, permission: Permission): Check[] {
  const lines = destroyed(plan, permission).map(({ address, how }) => `${address} (${how})`);
  return refuse(GUARDS.destroy, lines, 'the plan would take away', [
    'Put its address into allowDestroy of the environment for a release that is meant to do so (or set allowDestroy: true), or keep the resource in the configuration.',
  ]);
}

function strangeTypes(plan: PlanJson, { allowedTypes }: Permission, secrets: Secrets): Check[] {
  if (allowedTypes === undefined) return [];
  const lines = plannedSteps(plan)
    .filter(({ mode }) => mode !== 'data')
    .filter((resource) => !typesOf(resource).every((type) => matchesOne(allowedTypes, type)))
    .map((resource) => `${secrets.maskAddress(addressOf(resource))} (${actionsOf(resource).join(', ')})`);
  return refuse(
    GUARDS.types,
    lines,
    `allowedTypes is ${allowedTypes.join(', ')}, and the plan would change`,
    ['Add the type to allowedTypes of the environment, or apply this change by other means.'],
  );
}

/** An object that was moved may have had another type. */
function typesOf({ type = '', address, previous_address: previous = address }: PlannedResource): string[] {
  const was = previous
    .replaceAll(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, '')
    .split('.')
    .at(-2);
  return previous === address ? [type] : [type, was ?? ''];
}

/** A creation writes what is owned for the first time, which is right; so does a replacement, which `destroyed` judges. */
function owned(plan: PlanJson, secrets: Secrets): Check[] {
  const touched = plannedSteps(plan)
    .filter((resource) => hasOwner(resource) && resource.change.actions.includes('update'))
    .map((resource) => ({ resource, ...byOwner(resource) }))
    .filter(({ owned: paths }) => paths.length > 0);
  const lines = touched.map(
    ({ resource, owned: paths }) => `${secrets.maskAddress(addressOf(resource))} (${paths.join(', ')})`,
  );
  const remedies = [...new Set(touched.map(({ ignore }) => ignore))];
  return refuse(
    GUARDS.ownership,
    lines,
    'the plan would change what ECS and Slipway write',
    remedies.map((attributes) => `Add lifecycle { ignore_changes = ${attributes} } to the resource.`),
  );
}

function deferred(plan: PlanJson, secrets: Secrets): Check[] {
  const changes = (plan.deferred_changes ?? []).map(({ reason, resource_change: of }) => ({ reason, of }));
  const actions = (plan.deferred_action_invocations ?? []).map(({ reason, action_invocation: of }) => ({
    reason,
    of,
  }));
  const lines = [...changes, ...actions].map(
    ({ reason, of }) =>
      `${secrets.maskAddress(of?.address ?? 'a resource')} (${reason ?? 'for an unknown reason'})`,
  );
  return refuse(GUARDS.deferred, lines, 'Terraform would put off', [
    'Make what they depend on known before: apply it by an earlier release.',
  ]);
}

/** How many are named in a refusal; all of them are in `DestroyRefused`'s details. */
const NAMED = 10;

function refuse(name: string, lines: readonly string[], what: string, remedies: readonly string[]): Check[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, NAMED).join(', ');
  const more = lines.length > NAMED ? ` and ${lines.length - NAMED} more` : '';
  return [{ name, passed: false, detail: `Refused: ${what} ${shown}${more}. ${remedies.join(' ')}` }];
}
