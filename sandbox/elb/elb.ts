import type { Clock } from '../clock.ts';
import type { MetricRecorder } from '../cloudwatch/recorder.ts';
import type { ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import type { ElbContext } from './context.ts';
import type { Health } from './health-check.ts';
import * as listeners from './listeners.ts';
import * as loadBalancers from './load-balancers.ts';
import { DataPlane } from './plane.ts';
import type { HealthChange } from './plane.ts';
import { createTables, usersOf } from './records.ts';
import type { TargetAddress } from './records.ts';
import * as rules from './rules.ts';
import { addTags, describeTags, removeTags } from './tags.ts';
import * as targetGroups from './target-groups.ts';
import * as targets from './targets.ts';
import { forwardedBy, setWeights } from './weights.ts';
import type { GroupWeight } from './weights.ts';

export type { GroupWeight, Health, HealthChange, TargetAddress };

export interface TargetHealth {
  readonly target: TargetAddress;
  readonly health: Health;
}

/** The targets of target groups, for what starts and stops tasks. A target is reached at 127.0.0.1 and its port, whatever its id. */
export interface Targets {
  /** @throws AwsError TargetGroupNotFoundException */
  register(targetGroupArn: string, target: TargetAddress): void;
  /**
   * No new requests at once. Resolves after draining: when the deregistration delay is over and no request is under
   * way any more; at once when the target isn't registered, or its group is in no listener or gone.
   */
  deregister(targetGroupArn: string, target: TargetAddress): Promise<void>;
  health(targetGroupArn: string): TargetHealth[];
  /** The load balancers that forward to the group. */
  loadBalancers(targetGroupArn: string): string[];
  /** The target groups that a listener rule forwards to; undefined when it doesn't, or isn't there. */
  forwardedBy(ruleArn: string): string[] | undefined;
  /** Divides what a listener rule forwards, from the next request on; the rule's stickiness stays. */
  setWeights(ruleArn: string, weights: readonly GroupWeight[]): void;
  /** @returns stops the listening */
  onHealthChange(listener: (change: HealthChange) => void): () => void;
}

export interface Elb {
  readonly service: ServiceDefinition;
  readonly targets: Targets;
  close(): Promise<void>;
}

export interface ElbDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly recorder: MetricRecorder;
  /** Draws target groups by their weights; Math.random by default. */
  readonly random?: () => number;
  /** By how many seconds a target of that group drains longer than its group says; 0 by default. */
  readonly drainsLonger?: (targetGroupArn: string) => number;
}

/** Elastic Load Balancing, version 2: application load balancers that serve on real ports of 127.0.0.1. Listeners of an earlier sandbox serve again when this resolves. */
export async function createElb({ store, clock, ...options }: ElbDependencies): Promise<Elb> {
  const tables = createTables(store);
  const plane = new DataPlane({ tables, clock, ...options });
  await plane.restore();
  const context: ElbContext = { tables, plane, clock };
  return {
    service: { model: 'elbv2', operations: operationsOf(context) },
    targets: targetsOf(context),
    close: () => plane.close(),
  };
}

function operationsOf(context: ElbContext): ServiceDefinition['operations'] {
  return {
    CreateLoadBalancer: loadBalancers.createLoadBalancer(context),
    DeleteLoadBalancer: loadBalancers.deleteLoadBalancer(context),
    DescribeLoadBalancers: loadBalancers.describeLoadBalancers(context),
    DescribeLoadBalancerAttributes: loadBalancers.describeLoadBalancerAttributes(context),
    ModifyLoadBalancerAttributes: loadBalancers.modifyLoadBalancerAttributes(context),
    CreateTargetGroup: targetGroups.createTargetGroup(context),
    DeleteTargetGroup: targetGroups.deleteTargetGroup(context),
    DescribeTargetGroups: targetGroups.describeTargetGroups(context),
    ModifyTargetGroup: targetGroups.modifyTargetGroup(context),
    DescribeTargetGroupAttributes: targetGroups.describeTargetGroupAttributes(context),
    ModifyTargetGroupAttributes: targetGroups.modifyTargetGroupAttributes(context),
    RegisterTargets: targets.registerTargets(context),
    DeregisterTargets: targets.deregisterTargets(context),
    DescribeTargetHealth: targets.describeTargetHealth(context),
    CreateListener: listeners.createListener(context),
    DeleteListener: listeners.deleteListener(context),
    DescribeListeners: listeners.describeListeners(context),
    ModifyListener: listeners.modifyListener(context),
    DescribeListenerAttributes: listeners.describeListenerAttributes(context),
    ModifyListenerAttributes: listeners.modifyListenerAttributes(context),
    CreateRule: rules.createRule(context),
    DeleteRule: rules.deleteRule(context),
    DescribeRules: rules.describeRules(context),
    ModifyRule: rules.modifyRule(context),
    SetRulePriorities: rules.setRulePriorities(context),
    AddTags: addTags(context.tables),
    RemoveTags: removeTags(context.tables),
    DescribeTags: describeTags(context.tables),
  };
}

function targetsOf(context: ElbContext): Targets {
  const { tables, plane } = context;
  return {
    register: (arn, target) => targets.register(context, arn, [target]),
    async deregister(arn, target) {
      if (!tables.targetGroups.get(arn)) return;
      targets.deregister(context, arn, [target]);
      await plane.drained(arn, target);
    },
    health: (arn) => plane.health(arn),
    loadBalancers: (arn) => usersOf(tables, arn),
    forwardedBy: (ruleArn) => forwardedBy(tables, ruleArn),
    setWeights: (ruleArn, weights) => setWeights(context, ruleArn, weights),
    onHealthChange: (listener) => plane.onHealthChange(listener),
  };
}
