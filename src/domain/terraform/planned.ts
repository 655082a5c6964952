import type { PlanJson, PlannedChange, PlannedResource } from './plan.ts';

/** All that the plan does: with resources, and by actions that it invokes. */
export function plannedSteps(plan: PlanJson): PlannedResource[] {
  return [...plannedResources(plan), ...invocations(plan)];
}

/** The resources that the plan does something with. */
export function plannedResources(plan: PlanJson): PlannedResource[] {
  return (plan.resource_changes ?? []).filter(
    ({ change, address, previous_address: previous }) =>
      !isNoOp(change.actions) ||
      change.importing !== undefined ||
      (previous !== undefined && previous !== address),
  );
}

/** The outputs that the plan changes, by name. */
export function plannedOutputs(plan: PlanJson): [name: string, change: PlannedChange][] {
  return Object.entries(plan.output_changes ?? {}).filter(([, { actions }]) => !isNoOp(actions));
}

/**
 * Provider actions (Terraform 1.14 and later) as steps with the action `invoke`. One action may be invoked several times:
 * what triggers it is part of the address.
 */
function invocations(plan: PlanJson): PlannedResource[] {
  return (plan.action_invocations ?? []).map((invocation) => {
    const { lifecycle_action_trigger: trigger, type } = invocation;
    const by = trigger
      ? ` (${trigger.action_trigger_event ?? 'trigger'} of ${trigger.triggering_resource_address ?? 'a resource'}, ${trigger.action_trigger_block_index ?? 0}.${trigger.actions_list_index ?? 0})`
      : '';
    return {
      address: `${invocation.address}${by}`,
      ...(type !== undefined && { type }),
      change: {
        actions: ['invoke'],
        before: null,
        after: invocation.config_values,
        after_unknown: invocation.config_unknown,
        after_sensitive: invocation.config_sensitive,
      },
    };
  });
}

function isNoOp(actions: readonly string[]): boolean {
  return actions.every((action) => action === 'no-op');
}

/** Whether the change takes an object away: `delete` alone or in a replacement, or `forget`. */
export function isDestructive(actions: readonly string[]): boolean {
  return actions.includes('delete') || actions.includes('forget');
}

/** Whether the change makes an object anew in the place of one. */
export function isReplacement(actions: readonly string[]): boolean {
  return isDestructive(actions) && actions.includes('create');
}

/** Whether an object goes and nothing comes in its place. */
export function isRemoval(actions: readonly string[]): boolean {
  return isDestructive(actions) && !isReplacement(actions);
}

export function addressOf({ address, deposed }: PlannedResource): string {
  return deposed === undefined ? address : `${address} (deposed ${deposed})`;
}

export function actionsOf({ address, previous_address: previous, change }: PlannedResource): string[] {
  const state = [
    ...(change.importing ? ['import'] : []),
    ...(previous && previous !== address ? ['move'] : []),
  ];
  return state.length > 0 && isNoOp(change.actions) ? state : [...state, ...change.actions];
}
