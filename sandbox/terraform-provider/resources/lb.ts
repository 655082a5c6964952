import type { LoadBalancerTypeEnum } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsResource, Session } from '../clients.ts';
import { flag, map, number, required, text, texts } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { between, computed, id, oneOf, tags, unless, upperTags } from './common.ts';
import { arnSuffix, attributeOf, changeElbTags, readElbTags } from './elb-tags.ts';

export const lb: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      internal: { type: 'bool', optional: true, default: false, forceNew: true },
      load_balancer_type: {
        type: 'string',
        optional: true,
        default: 'application',
        forceNew: true,
        check: oneOf('application', 'network'),
      },
      subnets: { type: ['set', 'string'], optional: true, forceNew: true },
      security_groups: { type: ['set', 'string'], optional: true, forceNew: true },
      idle_timeout: { type: 'number', optional: true, default: 60, check: between(1, 4000) },
      enable_deletion_protection: { type: 'bool', optional: true, default: false },
      tags,
      id,
      arn: computed,
      arn_suffix: computed,
      dns_name: computed,
      zone_id: computed,
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const { LoadBalancers } = await (
      await clients.elb()
    ).createLoadBalancer({
      Name: required(plan, 'name'),
      Scheme: flag(plan, 'internal') === true ? 'internal' : 'internet-facing',
      Type: required(plan, 'load_balancer_type') as LoadBalancerTypeEnum,
      Subnets: texts(plan, 'subnets'),
      SecurityGroups: texts(plan, 'security_groups'),
      Tags: upperTags(map(plan, 'tags')),
    });
    const arn = LoadBalancers?.[0]?.LoadBalancerArn ?? null;
    return { id: arn, arn };
  },
  finish: (state, session) =>
    setAttributes({ idle_timeout: 60, enable_deletion_protection: false }, state, session),
  async read(state, { clients }) {
    const elb = await clients.elb();
    const arn = required(state, 'id');
    const found = await unless(
      ['LoadBalancerNotFoundException'],
      elb.describeLoadBalancers({ LoadBalancerArns: [arn] }),
    );
    const live = found?.LoadBalancers?.[0];
    if (live === undefined) return undefined;
    const { Attributes } = await elb.describeLoadBalancerAttributes({ LoadBalancerArn: arn });
    return {
      ...state,
      id: arn,
      arn,
      name: live.LoadBalancerName ?? null,
      internal: live.Scheme === 'internal',
      load_balancer_type: live.Type ?? null,
      subnets: live.AvailabilityZones?.flatMap(({ SubnetId }) => SubnetId ?? []) ?? null,
      security_groups: live.SecurityGroups ?? null,
      idle_timeout: Number(attributeOf(Attributes, 'idle_timeout.timeout_seconds') ?? 60),
      enable_deletion_protection: attributeOf(Attributes, 'deletion_protection.enabled') === 'true',
      tags: await readElbTags(elb, arn),
      arn_suffix: arnSuffix(arn),
      dns_name: live.DNSName ?? null,
      zone_id: live.CanonicalHostedZoneId ?? null,
    };
  },
  async update(prior, plan, session) {
    await setAttributes(prior, plan, session);
    const elb = await session.clients.elb();
    await changeElbTags(elb, required(prior, 'id'), map(prior, 'tags'), map(plan, 'tags'));
  },
  async delete(state, { clients }) {
    const LoadBalancerArn = required(state, 'id');
    await unless(
      ['LoadBalancerNotFoundException'],
      (await clients.elb()).deleteLoadBalancer({ LoadBalancerArn }),
    );
  },
  import: (arn) => ({ id: arn }),
};

async function setAttributes(before: State, state: State, { clients }: Session): Promise<void> {
  const wanted = [
    ['idle_timeout', 'idle_timeout.timeout_seconds', number(state, 'idle_timeout')],
    ['enable_deletion_protection', 'deletion_protection.enabled', flag(state, 'enable_deletion_protection')],
  ] as const;
  const Attributes = wanted.flatMap(([name, Key, value]) =>
    value === undefined || value === before[name] ? [] : [{ Key, Value: String(value) }],
  );
  if (Attributes.length === 0) return;
  await (
    await clients.elb()
  ).modifyLoadBalancerAttributes({ LoadBalancerArn: required(state, 'id'), Attributes });
}
