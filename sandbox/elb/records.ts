import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../protocol/service.ts';
import type { RequestContext } from '../protocol/service.ts';
import type { Store, Table } from '../store.ts';

/** What the API keeps of each resource, by ARN. Values are plain JSON and never changed in place. */
interface Resource {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface LoadBalancerRecord extends Resource {
  readonly name: string;
  readonly scheme: 'internet-facing' | 'internal';
  readonly created: string;
  readonly zones: readonly { readonly ZoneName: string; readonly SubnetId: string }[];
  readonly securityGroups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ListenerRecord extends Resource {
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface RuleRecord extends Resource {
  readonly listenerArn: string;
  /** A listener's default actions are its rule with no number. */
  readonly priority: number | 'default';
  readonly conditions: readonly RuleCondition[];
  readonly actions: readonly Action[];
}

export interface HealthCheckSettings {
  readonly path: string;
  /** `traffic-port` is the port that the target receives traffic on. */
  readonly port: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** HTTP codes that pass, as `200`, `200,202` or `200-299`. */
  readonly matcher: string;
}

export interface TargetAddress {
  readonly id: string;
  readonly port: number;
}

export interface TargetGroupRecord extends Resource {
  readonly name: string;
  readonly port: number;
  readonly vpcId: string;
  readonly targetType: 'ip' | 'instance';
  readonly healthCheck: HealthCheckSettings;
  readonly attributes: Readonly<Record<string, string>>;
  readonly targets: readonly TargetAddress[];
}

export interface ElbTables {
  readonly loadBalancers: Table<LoadBalancerRecord>;
  readonly listeners: Table<ListenerRecord>;
  readonly rules: Table<RuleRecord>;
  readonly targetGroups: Table<TargetGroupRecord>;
}

export function createTables(store: Store): ElbTables {
  return {
    loadBalancers: store.table('elb.loadBalancers'),
    listeners: store.table('elb.listeners'),
    rules: store.table('elb.rules'),
    targetGroups: store.table('elb.targetGroups'),
  };
}

/** The resource of that ARN. @throws AwsError of the resource's own NotFound code */
export function loadBalancerOf(tables: ElbTables, arn: string): LoadBalancerRecord {
  return tables.loadBalancers.get(arn) ?? missing('LoadBalancer', 'Load balancer', arn);
}

export function listenerOf(tables: ElbTables, arn: string): ListenerRecord {
  return tables.listeners.get(arn) ?? missing('Listener', 'Listener', arn);
}

export function ruleOf(tables: ElbTables, arn: string): RuleRecord {
  return tables.rules.get(arn) ?? missing('Rule', 'Rule', arn);
}

export function targetGroupOf(tables: ElbTables, arn: string): TargetGroupRecord {
  return tables.targetGroups.get(arn) ?? missing('TargetGroup', 'Target group', arn);
}

function missing(type: string, words: string, arn: string): never {
  throw new AwsError(`${type}NotFoundException`, `${words} '${arn}' not found`);
}

/** A listener's rules in the order in which they are tried; the default rule is last. */
export function rulesOf(tables: ElbTables, listenerArn: string): RuleRecord[] {
  const rank = ({ priority }: RuleRecord): number => (priority === 'default' ? Infinity : priority);
  return tables.rules
    .values()
    .filter((rule) => rule.listenerArn === listenerArn)
    .toSorted((a, b) => rank(a) - rank(b));
}

export function listenersOf(tables: ElbTables, loadBalancerArn: string): ListenerRecord[] {
  return tables.listeners.values().filter((listener) => listener.loadBalancerArn === loadBalancerArn);
}

/** The target groups that a rule's actions forward to. */
export function groupsOf(actions: readonly Action[]): string[] {
  return actions.flatMap(({ ForwardConfig }) =>
    (ForwardConfig?.TargetGroups ?? []).flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []),
  );
}

/** The load balancers that use a target group: one at most, as AWS has it. */
export function usersOf(tables: ElbTables, targetGroupArn: string): string[] {
  const users = tables.rules
    .values()
    .filter(({ actions }) => groupsOf(actions).includes(targetGroupArn))
    .flatMap(({ listenerArn }) => tables.listeners.get(listenerArn)?.loadBalancerArn ?? []);
  return [...new Set(users)];
}

/** Whether a resource belongs to the caller's account and region. */
export function ownedBy({ accountId, region }: RequestContext): (resource: Resource) => boolean {
  const prefix = `arn:aws:elasticloadbalancing:${region}:${accountId}:`;
  return ({ arn }) => arn.startsWith(prefix);
}
