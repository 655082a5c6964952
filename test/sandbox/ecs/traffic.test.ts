import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer } from '@aws-sdk/client-ecs';
import type { RevisionRecord } from '../../../sandbox/ecs/records.ts';
import { canDivide, resolveGroups } from '../../../sandbox/ecs/traffic.ts';

const balancer: LoadBalancer = {
  targetGroupArn: 'blue',
  advancedConfiguration: { alternateTargetGroupArn: 'green', productionListenerRule: 'rule' },
};
const serving = (targetGroupArn: string): RevisionRecord =>
  ({ resolvedConfiguration: { loadBalancers: [{ targetGroupArn }] } }) as unknown as RevisionRecord;
const groupsOf = (from: RevisionRecord | undefined, shifts: boolean): unknown[] =>
  resolveGroups([balancer], from, shifts).map(({ targetGroupArn }) => targetGroupArn);

describe('a new revision’s target group', () => {
  test.each<[string, RevisionRecord | undefined, boolean, string]>([
    ['is the service’s own at first', undefined, true, 'blue'],
    ['is the other one when traffic is to be shifted', serving('blue'), true, 'green'],
    ['is the service’s own again the next time', serving('green'), true, 'blue'],
    ['stays where the traffic goes in a rolling deployment', serving('green'), false, 'green'],
    ['is the service’s own when the traffic goes elsewhere', serving('older'), true, 'blue'],
    ['is the service’s own in a rolling one from elsewhere', serving('older'), false, 'blue'],
  ])('%s', (_, from, shifts, group) => {
    expect(groupsOf(from, shifts)).toEqual([group]);
  });

  test('is known with the rule that leads to it', () => {
    expect(resolveGroups([balancer, { targetGroupArn: 'other' }], serving('blue'), false)).toEqual([
      { targetGroupArn: 'blue', productionListenerRule: 'rule' },
      { targetGroupArn: 'other' },
    ]);
  });
});

describe('traffic can be divided', () => {
  test.each<[string, LoadBalancer[], RevisionRecord | undefined, boolean]>([
    ['between the two groups of a load balancer', [balancer], serving('green'), true],
    ['where ECS has none to divide', [], serving('blue'), true],
    ['not from a group that the service had before', [balancer], serving('older'), false],
    ['not from a revision without a load balancer', [balancer], undefined, false],
  ])('%s', (_, balancers, from, expected) => {
    expect(canDivide(balancers, from)).toBe(expected);
  });
});
