import type { LoadBalancer } from '@aws-sdk/client-ecs';
import { DescribeRulesCommand, RuleNotFoundException } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Target } from '../../domain/policy.ts';
import type { AwsClients } from '../aws.ts';

/**
 * What keeps ECS from dividing a service's traffic by its production listener rules, which must forward to both of its target
 * groups: otherwise ECS fails the deployment ("Both targetGroup and alternateTargetGroup must be associated with the
 * productionListenerRule"). A listener's default action can't be given to it.
 * @returns one line per problem
 */
export async function ruleProblems(
  aws: AwsClients,
  target: Target,
  loadBalancers: readonly LoadBalancer[],
): Promise<string[]> {
  const found = loadBalancers.map(async ({ targetGroupArn, advancedConfiguration }) => {
    const { productionListenerRule: rule = '', alternateTargetGroupArn } = advancedConfiguration ?? {};
    if (!rule.includes(':listener-rule/'))
      return [`its production_listener_rule ${rule} is no listener rule`];
    const forwarded = await forwardedBy(aws, target, rule);
    if (!forwarded) return [`its production_listener_rule ${rule} does not exist`];
    const lacks = [targetGroupArn, alternateTargetGroupArn].filter((group) => !forwarded.includes(group));
    return lacks.map((group) => `its production_listener_rule does not forward to ${group}`);
  });
  return (await Promise.all(found)).flat();
}

/** The listeners of Network Load Balancers among the production rules: those have no rules, and ECS shifts by the listener. */
export function networkListeners(loadBalancers: readonly LoadBalancer[]): string[] {
  return loadBalancers
    .map(({ advancedConfiguration }) => advancedConfiguration?.productionListenerRule ?? '')
    .filter((listener) => listener.includes(':listener/net/'));
}

/** The target groups that a rule forwards to, whatever their weights. */
async function forwardedBy(
  aws: AwsClients,
  target: Target,
  rule: string,
): Promise<(string | undefined)[] | undefined> {
  try {
    const { elb } = aws.clientsFor(target);
    const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [rule] }));
    const actions = Rules.flatMap(({ Actions = [] }) => Actions);
    return actions.flatMap(({ TargetGroupArn, ForwardConfig }) => [
      TargetGroupArn,
      ...(ForwardConfig?.TargetGroups ?? []).map((group) => group.TargetGroupArn),
    ]);
  } catch (error) {
    if (error instanceof RuleNotFoundException) return undefined;
    throw error;
  }
}
