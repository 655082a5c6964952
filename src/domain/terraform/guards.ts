import { actionsOf, addressOf, isDestructive, isReplacement } from './normalise.ts';
import { plannedResources } from './plan.ts';
import type { PlanJson, PlannedResource } from './plan.ts';
import { attributeChanges } from './values.ts';
import type { ChangeSet } from './change-set.ts';
import type { TerraformPolicy } from '../policy.ts';
import type { Check } from '../verdict.ts';

/** Names of the checks that a plan can fail. */
export const GUARDS = {
  destroy: 'terraform: nothing is destroyed',
  ownership: 'terraform: what ECS and Slipway write is left alone',
  deferred: 'terraform: nothing is deferred',
} as const;

/** Attributes that ECS and Slipway write, per resource type of any provider that has it. */
const OWNED: readonly { readonly type: RegExp; readonly attribute: RegExp; readonly ignore: string }[] = [
  {
    type: /(^|_)ecs_service$/,
    attribute: /^(task_definition|desired_count|load_balancers?)($|[.[])/,
    ignore: '[task_definition, desired_count, load_balancer]',
  },
  {
    type: /(^|_)a?lb_listener_rule$/,
    attribute: /^action($|\[\d+\]($|\.(forward|target_group_arn)($|[.[])))/,
    ignore: '[action]',
  },
  {
    type: /(^|_)a?lb_listener$/,
    attribute: /^default_action($|\[\d+\]($|\.(forward|target_group_arn)($|[.[])))/,
    ignore: '[default_action]',
  },
];

/** What a plan may take away. */
export interface Consent {
  readonly allowDestroy: TerraformPolicy['allowDestroy'];
  /** The change set that the plan undoes: what it created may go. */
  readonly failed?: ChangeSet;
}

/**
 * What must not be applied of a plan: one failing check each, none when all is well.
 * Deleting, replacing and forgetting need `allowDestroy`, but for deleting what `failed` created; changing what ECS and
 * Slipway write, and deferring, are never right.
 */
export function guard(plan: PlanJson, { allowDestroy, failed }: Consent): Check[] {
  const created = new Set(failed === undefined ? [] : createdBy(failed.changes));
  return [...(allowDestroy === true ? [] : destroyed(plan, created)), ...owned(plan), ...deferred(plan)];
}

/** Addresses of the resources that are created, in the place of another or not. */
export function createdBy(changes: ChangeSet['changes']): string[] {
  return changes
    .filter(({ address, actions }) => actions.includes('create') && !address.startsWith('output.'))
    .map(({ address }) => address);
}

function destroyed(plan: PlanJson, created: ReadonlySet<string>): Check[] {
  const lines = plannedResources(plan)
    .filter(({ change }) => isDestructive(change.actions))
    // A deposed object was there before the one that was created at its address.
    .filter((resource) => resource.change.actions.includes('forget') || !created.has(addressOf(resource)))
    .map((resource) => `${addressOf(resource)} (${verb(resource.change.actions)})`);
  return refuse(GUARDS.destroy, lines, 'the plan would take away', [
    'Set allowDestroy: true in the environment for a release that is meant to do so, or keep the resource in the configuration.',
  ]);
}

function owned(plan: PlanJson): Check[] {
  const touched = plannedResources(plan).flatMap((resource) => {
    const rule = OWNED.find(({ type }) => type.test(resource.type ?? ''));
    const paths = rule ? ownedPaths(resource, rule.attribute) : [];
    return rule && paths.length > 0
      ? [{ line: `${addressOf(resource)} (${paths.join(', ')})`, ignore: rule.ignore }]
      : [];
  });
  const remedies = [...new Set(touched.map(({ ignore }) => ignore))];
  return refuse(
    GUARDS.ownership,
    touched.map(({ line }) => line),
    'the plan would change what ECS and Slipway write',
    remedies.map((attributes) => `Add lifecycle { ignore_changes = ${attributes} } to the resource.`),
  );
}

/** A creation writes them for the first time, which is right; so does a replacement, which `destroyed` judges. */
function ownedPaths(resource: PlannedResource, attribute: RegExp): string[] {
  if (!actionsOf(resource).includes('update')) return [];
  const paths = attributeChanges(resource.change).map(({ path }) => path);
  return paths.filter((path) => attribute.test(path));
}

function deferred(plan: PlanJson): Check[] {
  const lines = (plan.deferred_changes ?? []).map(({ reason, resource_change: resource }) => {
    return `${resource?.address ?? 'a resource'} (${reason ?? 'for an unknown reason'})`;
  });
  return refuse(GUARDS.deferred, lines, 'Terraform would put off', [
    'Make what they depend on known before: apply it by an earlier release.',
  ]);
}

function refuse(name: string, lines: readonly string[], what: string, remedies: readonly string[]): Check[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, 10).join(', ');
  const more = lines.length > 10 ? ` and ${lines.length - 10} more` : '';
  return [{ name, passed: false, detail: `Refused: ${what} ${shown}${more}. ${remedies.join(' ')}` }];
}

function verb(actions: readonly string[]): string {
  if (isReplacement(actions)) return 'replace';
  return actions.includes('forget') ? 'forget' : 'delete';
}
