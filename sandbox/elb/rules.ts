import type {
  CreateRuleInput,
  DeleteRuleInput,
  DescribeRulesInput,
  ModifyRuleInput,
  Rule,
  SetRulePrioritiesInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { normaliseActions } from './actions.ts';
import { newRuleArn } from './arns.ts';
import { normaliseConditions } from './conditions.ts';
import { invalid, marked } from './context.ts';
import type { ElbContext } from './context.ts';
import { listenerOf, ruleOf, rulesOf } from './records.ts';
import type { ElbTables, RuleRecord } from './records.ts';
import { mergeTags } from './tags.ts';

const MAX_RULES = 100;

export function createRule({
  tables,
  plane,
}: ElbContext): Operation<Given<CreateRuleInput, 'ListenerArn' | 'Conditions' | 'Priority' | 'Actions'>> {
  return (input) => {
    const { loadBalancerArn } = listenerOf(tables, input.ListenerArn);
    checkTransforms(input);
    const others = rulesOf(tables, input.ListenerArn);
    checkFree(others, input.Priority);
    // The default rule doesn't count.
    if (others.length > MAX_RULES) {
      throw new AwsError('TooManyRulesException', `A load balancer can have ${MAX_RULES} rules at most`);
    }
    const rule: RuleRecord = {
      arn: newRuleArn(input.ListenerArn),
      listenerArn: input.ListenerArn,
      priority: input.Priority,
      conditions: normaliseConditions(input.Conditions),
      actions: normaliseActions(tables, loadBalancerArn, input.Actions),
      tags: mergeTags({}, input.Tags),
    };
    tables.rules.set(rule.arn, rule);
    plane.refresh();
    return { Rules: [describe(rule)] };
  };
}

function checkTransforms({ Transforms = [] }: { Transforms?: CreateRuleInput['Transforms'] }): void {
  if (Transforms.length > 0) throw invalid('Transforms are not supported here');
}

function checkFree(rules: readonly RuleRecord[], priority: number | undefined): void {
  if (rules.some((rule) => rule.priority === priority)) {
    throw new AwsError('PriorityInUseException', `Priority '${priority}' is currently in use`);
  }
}

export function describeRules({ tables }: ElbContext): Operation<DescribeRulesInput> {
  return (input) => {
    const { ListenerArn, RuleArns } = input;
    if ((ListenerArn === undefined) === (RuleArns === undefined)) {
      throw invalid('You must specify either listener rule ARNs or a listener ARN, and not both');
    }
    const found = RuleArns
      ? RuleArns.map((arn) => ruleOf(tables, arn))
      : rulesOf(tables, listenerOf(tables, ListenerArn ?? '').arn);
    const { items, NextMarker } = marked(found, input);
    return { Rules: items.map(describe), NextMarker };
  };
}

/** ModifyRule: what is given replaces what was; the rest stays. Weights take effect at the next request. */
export function modifyRule({ tables, plane }: ElbContext): Operation<Given<ModifyRuleInput, 'RuleArn'>> {
  return (input) => {
    const rule = changeable(tables, input.RuleArn, 'modified');
    checkTransforms(input);
    const { loadBalancerArn } = listenerOf(tables, rule.listenerArn);
    const changed: RuleRecord = {
      ...rule,
      ...(input.Conditions ? { conditions: normaliseConditions(input.Conditions) } : {}),
      ...(input.Actions ? { actions: normaliseActions(tables, loadBalancerArn, input.Actions) } : {}),
    };
    tables.rules.set(rule.arn, changed);
    plane.refresh();
    return { Rules: [describe(changed)] };
  };
}

export function deleteRule({ tables, plane }: ElbContext): Operation<Given<DeleteRuleInput, 'RuleArn'>> {
  return ({ RuleArn }) => {
    tables.rules.delete(changeable(tables, RuleArn, 'deleted').arn);
    plane.refresh();
    return {};
  };
}

/** SetRulePriorities: all at once, so that rules can swap places. */
export function setRulePriorities({
  tables,
  plane,
}: ElbContext): Operation<Given<SetRulePrioritiesInput, 'RulePriorities'>> {
  return ({ RulePriorities }) => {
    const moved = RulePriorities.map(({ RuleArn = '', Priority }) => {
      const rule = changeable(tables, RuleArn, 're-prioritized');
      return { ...rule, priority: Priority ?? rule.priority };
    });
    for (const rule of moved) {
      const staying = rulesOf(tables, rule.listenerArn).filter(
        ({ arn }) => !moved.some((other) => other.arn === arn),
      );
      const others = moved.filter(
        ({ arn, listenerArn }) => arn !== rule.arn && listenerArn === rule.listenerArn,
      );
      checkFree([...staying, ...others], Number(rule.priority));
    }
    for (const rule of moved) tables.rules.set(rule.arn, rule);
    plane.refresh();
    return { Rules: moved.map(describe) };
  };
}

function changeable(tables: ElbTables, arn: string, verb: string): RuleRecord {
  const rule = ruleOf(tables, arn);
  if (rule.priority !== 'default') return rule;
  throw new AwsError('OperationNotPermittedException', `Default rule '${arn}' cannot be ${verb}`);
}

function describe(rule: RuleRecord): Rule {
  return {
    RuleArn: rule.arn,
    Priority: String(rule.priority),
    Conditions: [...rule.conditions],
    Actions: [...rule.actions],
    IsDefault: rule.priority === 'default',
  };
}
