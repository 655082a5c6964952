import { randomBytes } from 'node:crypto';
import type { RequestContext } from '../protocol/service.ts';

type Owner = Pick<RequestContext, 'accountId' | 'region'>;

const id = (): string => randomBytes(8).toString('hex');

export function newLoadBalancerArn({ region, accountId }: Owner, name: string): string {
  return `arn:aws:elasticloadbalancing:${region}:${accountId}:loadbalancer/app/${name}/${id()}`;
}

export function newTargetGroupArn({ region, accountId }: Owner, name: string): string {
  return `arn:aws:elasticloadbalancing:${region}:${accountId}:targetgroup/${name}/${id()}`;
}

export function newListenerArn(loadBalancerArn: string): string {
  return `${loadBalancerArn.replace(':loadbalancer/', ':listener/')}/${id()}`;
}

export function newRuleArn(listenerArn: string): string {
  return `${listenerArn.replace(':listener/', ':listener-rule/')}/${id()}`;
}

/** `app/name/id`, as CloudWatch's LoadBalancer dimension has it. */
export function loadBalancerDimension(arn: string): string {
  return arn.slice(arn.indexOf(':loadbalancer/') + ':loadbalancer/'.length);
}

/** `targetgroup/name/id`, as CloudWatch's TargetGroup dimension has it. */
export function targetGroupDimension(arn: string): string {
  return arn.slice(arn.indexOf(':targetgroup/') + 1);
}
