import type { ProtocolEnum } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsResource } from '../clients.ts';
import { blocks, map, number, required, text } from '../plugin/value.ts';
import { between, computed, id, oneOf, tags, unless, upperTags } from './common.ts';
import { changeElbTags, readElbTags } from './elb-tags.ts';
import { actionBlock, fromActions, toActions } from './lb-actions.ts';

export const lbListener: AwsResource = {
  schema: {
    attributes: {
      load_balancer_arn: { type: 'string', required: true, forceNew: true },
      port: { type: 'number', optional: true, check: between(1, 65_535) },
      protocol: { type: 'string', optional: true, default: 'HTTP', check: oneOf('HTTP', 'HTTPS', 'TCP') },
      tags,
      id,
      arn: computed,
    },
    blocks: { default_action: actionBlock },
  },
  name: (state) => text(state, 'id') ?? `port ${number(state, 'port') ?? '?'}`,
  async create(plan, { clients }) {
    const { Listeners } = await (
      await clients.elb()
    ).createListener({
      LoadBalancerArn: required(plan, 'load_balancer_arn'),
      Port: number(plan, 'port'),
      Protocol: required(plan, 'protocol') as ProtocolEnum,
      DefaultActions: toActions(blocks(plan, 'default_action')),
      Tags: upperTags(map(plan, 'tags')),
    });
    const arn = Listeners?.[0]?.ListenerArn ?? null;
    return { id: arn, arn };
  },
  async read(state, { clients }) {
    const elb = await clients.elb();
    const arn = required(state, 'id');
    const found = await unless(['ListenerNotFoundException'], elb.describeListeners({ ListenerArns: [arn] }));
    const live = found?.Listeners?.[0];
    if (live === undefined) return undefined;
    return {
      ...state,
      id: arn,
      arn,
      load_balancer_arn: live.LoadBalancerArn ?? null,
      port: live.Port ?? null,
      protocol: live.Protocol ?? null,
      default_action: fromActions(live.DefaultActions ?? [], blocks(state, 'default_action')),
      tags: await readElbTags(elb, arn),
    };
  },
  async update(prior, plan, { clients }) {
    const elb = await clients.elb();
    const arn = required(prior, 'id');
    await elb.modifyListener({
      ListenerArn: arn,
      Port: number(plan, 'port'),
      Protocol: required(plan, 'protocol') as ProtocolEnum,
      DefaultActions: toActions(blocks(plan, 'default_action')),
    });
    await changeElbTags(elb, arn, map(prior, 'tags'), map(plan, 'tags'));
  },
  async delete(state, { clients }) {
    const ListenerArn = required(state, 'id');
    await unless(['ListenerNotFoundException'], (await clients.elb()).deleteListener({ ListenerArn }));
  },
  import: (arn) => ({ id: arn }),
};
