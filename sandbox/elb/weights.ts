import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ElbContext } from './context.ts';
import { groupsOf } from './records.ts';
import type { ElbTables, RuleRecord } from './records.ts';

/** A target group's share of what a rule forwards, from 0 to 999. */
export interface GroupWeight {
  readonly targetGroupArn: string;
  readonly weight: number;
}

/** The target groups that a rule forwards to; undefined when there is no such rule, or it does something else. */
export function forwardedBy(tables: ElbTables, ruleArn: string): string[] | undefined {
  const action = forwardOf(tables.rules.get(ruleArn));
  return action && groupsOf([action]);
}

/**
 * Has a rule (a listener's default rule too) forward to these groups. Its stickiness stays. In effect at the next
 * request. Does nothing to a rule that is gone or doesn't forward.
 */
export function setWeights(
  { tables, plane }: ElbContext,
  ruleArn: string,
  weights: readonly GroupWeight[],
): void {
  const rule = tables.rules.get(ruleArn);
  const action = forwardOf(rule);
  if (!rule || !action) return;
  const { TargetGroupArn: _one, ForwardConfig, ...rest } = action;
  const TargetGroups = weights.map(({ targetGroupArn, weight }) => ({
    TargetGroupArn: targetGroupArn,
    Weight: weight,
  }));
  const only = weights.length === 1 ? { TargetGroupArn: weights[0]?.targetGroupArn } : {};
  tables.rules.set(ruleArn, {
    ...rule,
    actions: [{ ...rest, ...only, ForwardConfig: { ...ForwardConfig, TargetGroups } }],
  });
  plane.refresh();
}

function forwardOf(rule: RuleRecord | undefined): Action | undefined {
  const [action, ...more] = rule?.actions ?? [];
  return action?.Type === 'forward' && more.length === 0 ? action : undefined;
}
