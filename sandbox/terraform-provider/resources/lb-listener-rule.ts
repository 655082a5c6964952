import type { AwsResource } from '../clients.ts';
import type { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { blocks, map, number, required, text } from '../plugin/value.ts';
import { between, computed, id, tags, unless, upperTags } from './common.ts';
import { changeElbTags, readElbTags } from './elb-tags.ts';
import { actionBlock, fromActions, toActions } from './lb-actions.ts';
import { conditionBlock, fromConditions, toConditions } from './lb-conditions.ts';

export const lbListenerRule: AwsResource = {
  schema: {
    attributes: {
      listener_arn: { type: 'string', required: true, forceNew: true },
      /** Without one, the rule comes after all others. */
      priority: { type: 'number', optional: true, computed: true, check: between(1, 50_000) },
      tags,
      id,
      arn: computed,
    },
    blocks: { action: actionBlock, condition: conditionBlock },
  },
  name: (state) => text(state, 'id') ?? `priority ${number(state, 'priority') ?? '?'}`,
  async create(plan, { clients }) {
    const elb = await clients.elb();
    const ListenerArn = required(plan, 'listener_arn');
    const { Rules } = await elb.createRule({
      ListenerArn,
      Priority: number(plan, 'priority') ?? (await nextPriority(elb, ListenerArn)),
      Actions: toActions(blocks(plan, 'action')),
      Conditions: toConditions(blocks(plan, 'condition')),
      Tags: upperTags(map(plan, 'tags')),
    });
    const arn = Rules?.[0]?.RuleArn ?? null;
    return { id: arn, arn };
  },
  async read(state, { clients }) {
    const elb = await clients.elb();
    const arn = required(state, 'id');
    const found = await unless(['RuleNotFoundException'], elb.describeRules({ RuleArns: [arn] }));
    const live = found?.Rules?.[0];
    if (live === undefined) return undefined;
    return {
      ...state,
      id: arn,
      arn,
      listener_arn: text(state, 'listener_arn') ?? listenerOf(arn),
      priority: Number(live.Priority),
      action: fromActions(live.Actions ?? [], blocks(state, 'action')),
      condition: fromConditions(live.Conditions ?? []),
      tags: await readElbTags(elb, arn),
    };
  },
  async update(prior, plan, { clients }) {
    const elb = await clients.elb();
    const arn = required(prior, 'id');
    const priority = number(plan, 'priority');
    if (priority !== undefined && priority !== number(prior, 'priority')) {
      await elb.setRulePriorities({ RulePriorities: [{ RuleArn: arn, Priority: priority }] });
    }
    await elb.modifyRule({
      RuleArn: arn,
      Actions: toActions(blocks(plan, 'action')),
      Conditions: toConditions(blocks(plan, 'condition')),
    });
    await changeElbTags(elb, arn, map(prior, 'tags'), map(plan, 'tags'));
  },
  async delete(state, { clients }) {
    const RuleArn = required(state, 'id');
    await unless(['RuleNotFoundException'], (await clients.elb()).deleteRule({ RuleArn }));
  },
  import: (arn) => ({ id: arn }),
};

async function nextPriority(elb: ElasticLoadBalancingV2, ListenerArn: string): Promise<number> {
  const { Rules = [] } = await elb.describeRules({ ListenerArn });
  return 1 + Math.max(0, ...Rules.map(({ Priority }) => (Priority === 'default' ? 0 : Number(Priority))));
}

/** A rule's ARN is its listener's with `listener-rule` and one more part. */
function listenerOf(ruleArn: string): string {
  return ruleArn.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
}
