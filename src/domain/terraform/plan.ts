/**
 * The parts of Terraform's plan representation that Slipway reads (`terraform show -json`, format 1.x).
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export interface PlanJson {
  readonly format_version: string;
  readonly terraform_version?: string;
  readonly errored?: boolean;
  /** Absent in OpenTofu. */
  readonly complete?: boolean;
  /** False also for a plan that changes nothing. Absent in OpenTofu. */
  readonly applyable?: boolean;
  readonly variables?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly resource_changes?: readonly PlannedResource[];
  readonly resource_drift?: readonly PlannedResource[];
  readonly deferred_changes?: readonly {
    readonly reason?: string;
    readonly resource_change?: PlannedResource;
  }[];
  readonly output_changes?: Readonly<Record<string, PlannedChange>>;
  readonly prior_state?: unknown;
  readonly configuration?: {
    readonly root_module?: {
      readonly variables?: Readonly<Record<string, { readonly sensitive?: boolean }>>;
    };
  };
}

export interface PlannedResource {
  readonly address: string;
  readonly previous_address?: string;
  readonly deposed?: string;
  readonly type?: string;
  readonly change: PlannedChange;
}

export interface PlannedChange {
  readonly actions: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
  /** As `after`, with `true` where the value is not known. */
  readonly after_unknown?: unknown;
  /** As `before` and `after`, with `true` where the value is sensitive. */
  readonly before_sensitive?: unknown;
  readonly after_sensitive?: unknown;
  readonly importing?: { readonly id?: string };
  readonly replace_paths?: readonly (readonly (string | number)[])[];
}

export type ReadPlan =
  { readonly kind: 'plan'; readonly plan: PlanJson } | { readonly kind: 'unusable'; readonly reason: string };

/**
 * Takes a plan only when it can be judged and applied as a whole: format 1.x, not errored, complete, and applyable
 * unless it changes nothing. Fails closed: what is missing or strange makes it unusable.
 */
export function readPlan(json: unknown): ReadPlan {
  if (!isPlan(json)) return unusable('it is not a plan in JSON');
  if (!/^1\.\d+$/.test(json.format_version)) {
    return unusable(`its format version is ${json.format_version}, and 1.x is what Slipway understands`);
  }
  if (json.errored !== false) return unusable('planning ended with an error');
  if (json.complete === false && !json.deferred_changes?.length) return unusable('it is not complete');
  if (json.applyable === false && changesSomething(json))
    return unusable('Terraform says that it can not be applied');
  return { kind: 'plan', plan: json };
}

/** Whether applying the plan would do anything: to resources, to outputs, or to the state alone (import, move). */
export function changesSomething(plan: PlanJson): boolean {
  return (
    plannedResources(plan).length > 0 ||
    Object.values(plan.output_changes ?? {}).some(({ actions }) => !isNoOp(actions))
  );
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

export function isNoOp(actions: readonly string[]): boolean {
  return actions.every((action) => action === 'no-op');
}

function unusable(reason: string): ReadPlan {
  return { kind: 'unusable', reason };
}

function isPlan(json: unknown): json is PlanJson {
  if (!isObject(json) || typeof json['format_version'] !== 'string') return false;
  const resources = json['resource_changes'] ?? [];
  const outputs = json['output_changes'] ?? {};
  return (
    Array.isArray(resources) &&
    resources.every((resource: unknown) => {
      return isObject(resource) && typeof resource['address'] === 'string' && isChange(resource['change']);
    }) &&
    isObject(outputs) &&
    Object.values(outputs).every(isChange)
  );
}

function isChange(value: unknown): boolean {
  return isObject(value) && Array.isArray(value['actions']) && value['actions'].length > 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
