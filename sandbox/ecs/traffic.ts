import type { LoadBalancer, ServiceRevisionLoadBalancer } from '@aws-sdk/client-ecs';
import type { GroupWeight } from '../elb/elb.ts';
import type { EcsContext } from './context.ts';
import type { RevisionRecord, ServiceDeploymentRecord } from './records.ts';
import type { Weights } from './view.ts';

const NOT_ASSOCIATED =
  'because of invalid networking configuration. Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule or testListenerRule.';

/**
 * The target group of each of a new revision's load balancers. Two groups alternate: a deployment that shifts the
 * traffic takes the one that `serving` isn't in; a rolling one stays where the traffic goes.
 */
export function resolveGroups(
  loadBalancers: readonly LoadBalancer[],
  serving: RevisionRecord | undefined,
  shifts: boolean,
): ServiceRevisionLoadBalancer[] {
  const taken =
    serving?.resolvedConfiguration.loadBalancers.map(({ targetGroupArn }) => targetGroupArn) ?? [];
  return loadBalancers.map((balancer) => {
    const { targetGroupArn, advancedConfiguration: advanced } = balancer;
    const [own, alternate = own] = [targetGroupArn, advanced?.alternateTargetGroupArn];
    const current = [own, alternate].find((group) => taken.includes(group));
    const next = current === own ? alternate : own;
    const resolved = shifts ? (current === undefined ? own : next) : (current ?? own);
    const rule = advanced?.productionListenerRule;
    return { targetGroupArn: resolved, ...(rule === undefined ? {} : { productionListenerRule: rule }) };
  });
}

/**
 * Whether traffic can be divided between a new revision and `serving`: each load balancer leads to one of its two
 * groups already. A service whose load balancers were replaced, or are new, has nothing to shift from.
 */
export function canDivide(
  loadBalancers: readonly LoadBalancer[],
  serving: RevisionRecord | undefined,
): boolean {
  const taken =
    serving?.resolvedConfiguration.loadBalancers.map(({ targetGroupArn }) => targetGroupArn) ?? [];
  return loadBalancers.every(({ targetGroupArn, advancedConfiguration: advanced }) =>
    [targetGroupArn, advanced?.alternateTargetGroupArn].some((group) => taken.includes(group)),
  );
}

/** Has the load balancers' rules divide the traffic as `weights` says; what the record says already is left alone. */
export function setTraffic(ecs: EcsContext, rollout: ServiceDeploymentRecord, weights: Weights): void {
  for (const { advanced, target, other } of routesOf(ecs, rollout)) {
    if (weights.production !== rollout.weights.production) {
      ecs.targets.setWeights(
        advanced.productionListenerRule ?? '',
        shares(target, other, weights.production),
      );
    }
    if (weights.test !== rollout.weights.test) {
      ecs.targets.setWeights(advanced.testListenerRule ?? '', shares(target, other, weights.test));
    }
  }
}

/** All traffic goes where it came from, whatever a deployment that was overtaken has left behind. */
export function resetTraffic(ecs: EcsContext, rollout: ServiceDeploymentRecord): void {
  setTraffic(ecs, { ...rollout, weights: { production: -1, test: -1 } }, { production: 0, test: 0 });
}

/** Whole percentages where they are whole, else tenths: a weight is a whole number up to 999. */
function shares(target: string, other: string, percent: number): GroupWeight[] {
  const factor = Number.isInteger(percent) ? 1 : 10;
  const own = Math.round(percent * factor);
  return [
    { targetGroupArn: other, weight: 100 * factor - own },
    { targetGroupArn: target, weight: own },
  ];
}

/** @returns why the traffic can't be shifted; undefined when it can */
export function networkingTrouble(ecs: EcsContext, rollout: ServiceDeploymentRecord): string | undefined {
  const wrong = routesOf(ecs, rollout).some(({ advanced, target, other }) => {
    const production = ecs.targets.forwardedBy(advanced.productionListenerRule ?? '');
    const test = ecs.targets.forwardedBy(advanced.testListenerRule ?? '') ?? [];
    return !production || [target, other].some((group) => ![...production, ...test].includes(group));
  });
  return wrong ? NOT_ASSOCIATED : undefined;
}

/** Whether ECS shifts traffic in this deployment, and whether there is test traffic. */
export function managedTraffic(
  ecs: EcsContext,
  rollout: ServiceDeploymentRecord,
): { production: boolean; test: boolean } {
  const routes = routesOf(ecs, rollout);
  return {
    production: routes.length > 0,
    test: routes.some(({ advanced }) => advanced.testListenerRule !== undefined),
  };
}

interface Route {
  readonly advanced: NonNullable<LoadBalancer['advancedConfiguration']>;
  readonly target: string;
  readonly other: string;
}

function routesOf(ecs: EcsContext, { targetRevisionArn }: ServiceDeploymentRecord): Route[] {
  const revision = ecs.tables.revisions.get(targetRevisionArn);
  return (revision?.loadBalancers ?? []).flatMap(
    ({ targetGroupArn = '', advancedConfiguration: advanced }, i) => {
      const alternate = advanced?.alternateTargetGroupArn;
      const target = revision?.resolvedConfiguration.loadBalancers[i]?.targetGroupArn;
      if (!advanced || alternate === undefined || target === undefined) return [];
      return [{ advanced, target, other: target === alternate ? targetGroupArn : alternate }];
    },
  );
}
