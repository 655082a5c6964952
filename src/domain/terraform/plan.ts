import { isPlan } from './plan-shape.ts';
import { plannedOutputs, plannedSteps } from './planned.ts';

/**
 * The parts of Terraform's plan representation that Slipway reads (`terraform show -json`, format 1.x).
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export interface PlanJson {
  readonly format_version: string;
  readonly terraform_version?: string;
  /** Absent in Terraform 1.5, which writes no plan that errored. */
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
  readonly action_invocations?: readonly PlannedInvocation[];
  readonly deferred_action_invocations?: readonly {
    readonly reason?: string;
    readonly action_invocation?: PlannedInvocation;
  }[];
  readonly checks?: readonly PlannedCheck[];
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
  readonly mode?: string;
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
  readonly importing?: { readonly id?: string; readonly identity?: unknown };
  readonly replace_paths?: readonly (readonly (string | number)[])[];
}

/** A provider's action that the plan invokes (Terraform 1.14 and later). */
export interface PlannedInvocation {
  readonly address: string;
  readonly type?: string;
  readonly config_values?: unknown;
  readonly config_sensitive?: unknown;
  readonly config_unknown?: unknown;
  readonly lifecycle_action_trigger?: {
    readonly triggering_resource_address?: string;
    readonly action_trigger_event?: string;
    readonly action_trigger_block_index?: number;
    readonly actions_list_index?: number;
  };
}

/** What a condition of the configuration came to: a `check` block's, or a resource's, output's or variable's own. */
export interface PlannedCheck {
  readonly address: { readonly kind?: string; readonly to_display?: string };
  /** `pass`, `fail`, `error` or `unknown`. */
  readonly status: string;
  readonly instances?: readonly {
    readonly address?: { readonly to_display?: string };
    readonly problems?: readonly { readonly message?: string }[];
  }[];
}

export type ReadPlan =
  { readonly kind: 'plan'; readonly plan: PlanJson } | { readonly kind: 'unusable'; readonly reason: string };

/**
 * Takes a plan only when it can be judged and applied as a whole: format 1.x, not errored, complete, applyable unless it
 * changes nothing, and of actions that are known. Fails closed: what is missing or strange makes it unusable.
 */
export function readPlan(json: unknown): ReadPlan {
  if (!isPlan(json)) return { kind: 'unusable', reason: 'it is not a plan in JSON' };
  const reason =
    formatProblem(json) ??
    erroredProblem(json) ??
    completenessProblem(json) ??
    actionProblem(json) ??
    conditionProblem(json);
  return reason === undefined ? { kind: 'plan', plan: json } : { kind: 'unusable', reason };
}

/** Whether applying the plan would do anything: to resources, to outputs, or to the state alone (import, move). */
export function changesSomething(plan: PlanJson): boolean {
  return plannedSteps(plan).length > 0 || plannedOutputs(plan).length > 0;
}

function formatProblem({ format_version: version }: Partial<PlanJson>): string | undefined {
  if (version === undefined) return 'it does not say its format version';
  return /^1\.\d+$/.test(version)
    ? undefined
    : `its format version is ${version}, and 1.x is what Slipway understands`;
}

function erroredProblem({ errored, terraform_version: version = '' }: PlanJson): string | undefined {
  if (errored === false || (errored === undefined && version.startsWith('1.5.'))) return undefined;
  return errored === undefined
    ? 'it does not say whether planning ended with an error'
    : 'planning ended with an error';
}

function completenessProblem(plan: PlanJson): string | undefined {
  const deferred = [...(plan.deferred_changes ?? []), ...(plan.deferred_action_invocations ?? [])];
  // What is deferred is refused by name, by the guards.
  if (plan.complete === false && deferred.length === 0) return 'it is not complete';
  return plan.applyable === false && changesSomething(plan)
    ? 'Terraform says that it can not be applied'
    : undefined;
}

/** What a change of a resource or output may do: sorted, since the order of a replacement is not fixed. */
const ACTIONS = new Set([
  'no-op',
  'create',
  'read',
  'update',
  'delete',
  'forget',
  'create delete',
  'create forget',
]);

function actionProblem(plan: PlanJson): string | undefined {
  const changes = [
    ...(plan.resource_changes ?? []).map(({ address, change }) => [address, change] as const),
    ...Object.entries(plan.output_changes ?? {}).map(([name, change]) => [`output.${name}`, change] as const),
  ];
  const strange = changes.find(([, { actions }]) => !ACTIONS.has(actions.toSorted().join(' ')));
  return (
    strange &&
    `it has the actions ${strange[1].actions.join(', ')} for ${strange[0]}, which Slipway does not know`
  );
}

/** A `check` block only warns. Any other condition that fails ends the planning with an error. */
function conditionProblem({ checks = [] }: PlanJson): string | undefined {
  const failed = checks.find(
    ({ address, status }) => address.kind !== 'check' && (status === 'fail' || status === 'error'),
  );
  return failed && `a condition of ${failed.address.to_display ?? 'the configuration'} failed`;
}
