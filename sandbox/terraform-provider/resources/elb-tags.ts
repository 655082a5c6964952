import type { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { changeTags, fromUpperTags, upperTags } from './common.ts';

/** The tags of a load balancer, target group, listener or rule. */
export async function readElbTags(elb: ElasticLoadBalancingV2, arn: string): Promise<Record<string, string>> {
  const { TagDescriptions } = await elb.describeTags({ ResourceArns: [arn] });
  return fromUpperTags(TagDescriptions?.[0]?.Tags);
}

export async function changeElbTags(
  elb: ElasticLoadBalancingV2,
  arn: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Promise<void> {
  const ResourceArns = [arn];
  await changeTags(before, after, {
    add: (added) => elb.addTags({ ResourceArns, Tags: upperTags(added) }),
    remove: (TagKeys) => elb.removeTags({ ResourceArns, TagKeys }),
  });
}

interface ElbAttribute {
  Key?: string | undefined;
  Value?: string | undefined;
}

/** The value of a load balancer's or target group's attribute. */
export function attributeOf(attributes: readonly ElbAttribute[] = [], key: string): string | undefined {
  return attributes.find(({ Key }) => Key === key)?.Value;
}

/** What CloudWatch names it by: `app/name/id`, `targetgroup/name/id`. */
export function arnSuffix(arn: string): string {
  return (arn.split(':').at(-1) ?? '').replace(/^loadbalancer\//, '');
}
