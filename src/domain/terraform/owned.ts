import type { PlannedResource } from './plan.ts';
import { attributeChanges } from './values.ts';

interface Owned {
  /** Types of any provider that has it. */
  readonly type: RegExp;
  readonly attribute: RegExp;
  /** For `ignore_changes`. */
  readonly ignore: string;
}

/**
 * Attributes that ECS and Slipway write.
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_service `load_balancer` has the
 *   target groups and, in `advanced_configuration`, the listener rules that ECS shifts traffic by
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_listener_rule `action`, and
 *   `default_action` of a listener: `target_group_arn`, or the weights in `forward`
 */
const OWNED: readonly Owned[] = [
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

/** Paths of a resource's change, sorted: those that ECS and Slipway write, and the others. */
export function byOwner(resource: PlannedResource): {
  readonly owned: readonly string[];
  readonly others: readonly string[];
  /** For `ignore_changes`; absent where nothing of the type is owned. */
  readonly ignore?: string;
} {
  const rule = OWNED.find(({ type }) => type.test(resource.type ?? ''));
  const paths = attributeChanges(resource.change).map(({ path }) => path);
  if (rule === undefined) return { owned: [], others: paths };
  return {
    owned: paths.filter((path) => rule.attribute.test(path)),
    others: paths.filter((path) => !rule.attribute.test(path)),
    ignore: rule.ignore,
  };
}

export function hasOwner({ type = '' }: PlannedResource): boolean {
  return OWNED.some((rule) => rule.type.test(type));
}
