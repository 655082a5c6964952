import type { LoadBalancer, Service } from '@aws-sdk/client-ecs';
import type { RolloutKind } from '../../domain/evidence.ts';
import type { CanaryPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import { taskCount } from '../../domain/rollout.ts';
import type { TaskDefinition } from '../../domain/task-definition.ts';
import type { Check } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import { needsOf, place, readCapacity } from './capacity.ts';
import type { Capacity, Instance } from './capacity.ts';
import { networkListeners, ruleProblems } from './listener-rules.ts';

/** A service of the release, and what ECS has of it. */
export interface Candidate {
  readonly policy: ServicePolicy;
  /** Absent when there is no such ECS service yet. */
  readonly service?: Service;
  /** The release's; absent when it could not be rendered. */
  readonly definition?: TaskDefinition;
}

/** How one service gets the release, and what stands in the way of a canary. */
export interface RolloutPlan {
  readonly kind: RolloutKind;
  /** Absent where the policy asks for no canary. */
  readonly check?: Check;
}

/**
 * Decides service by service whether the release goes by canary. The services that do are all waiting at 100 % beside their old
 * tasks in the end, so each second set is placed beside those before it. Reads only.
 * @returns a plan per candidate, in their order
 */
export async function planCanaries(
  aws: AwsClients,
  target: Target,
  canary: CanaryPolicy | undefined,
  candidates: readonly Candidate[],
): Promise<RolloutPlan[]> {
  if (!canary) return candidates.map(() => ({ kind: 'rolling' }));
  const ways = await Promise.all(candidates.map((candidate) => wayOf(aws, target, canary, candidate)));
  const shifted = ways.flatMap((way) => (way.kind === 'possible' ? [way] : []));
  const { capacities, instances } = await readCapacity(
    aws,
    target,
    shifted.map(({ service }) => service),
  );
  let left = instances;
  return candidates.map(({ policy, definition }, i) => {
    const way = ways[i];
    if (way === undefined || way.kind === 'unasked') return { kind: 'rolling' };
    const name = `canary of ${policy.name}`;
    if (way.kind === 'rolls') return { kind: 'rolling', check: { name, passed: true, detail: way.why } };
    if (way.kind === 'incomplete')
      return { kind: 'canary', check: { name, passed: false, detail: way.problem } };
    const capacity = capacities[shifted.indexOf(way)];
    const count = taskCount(policy.desiredCount, way.service.desiredCount ?? 0);
    const room = capacity && roomFor({ target, policy, count, definition, capacity, instances: left });
    left = room?.left ?? left;
    const { fits = true, detail = '' } = room ?? {};
    return { kind: 'canary', check: { name, passed: fits, detail: `${stepsOf(canary)}; ${detail}` } };
  });
}

type Way =
  | { readonly kind: 'unasked' }
  | { readonly kind: 'rolls'; readonly why: string }
  | { readonly kind: 'incomplete'; readonly problem: string }
  | { readonly kind: 'possible'; readonly service: Service };

async function wayOf(
  aws: AwsClients,
  target: Target,
  canary: CanaryPolicy,
  { policy, service }: Candidate,
): Promise<Way> {
  if (!canary.services.includes(policy.name)) return { kind: 'unasked' };
  const { desiredCount = 0, runningCount = 0, loadBalancers = [] } = service ?? {};
  if (!service || (desiredCount === 0 && runningCount === 0))
    return { kind: 'rolls', why: 'a first deployment has no old version to shift traffic from: it rolls' };
  if (loadBalancers.length === 0)
    return { kind: 'rolls', why: 'it has no load balancer, so no traffic to shift: it rolls' };
  const network = networkListeners(loadBalancers);
  if (network.length > 0)
    return {
      kind: 'incomplete',
      problem: `${policy.ecsService} is behind a Network Load Balancer (${network.join(', ')}), which counts no requests: Slipway judges a canary by the metrics of an Application Load Balancer. Take ${policy.name} out of \`rollout.canary.services\` in slipway.yaml: it then rolls.`,
    };
  const missing = [...new Set(loadBalancers.flatMap(missingFields))];
  const problems =
    missing.length > 0
      ? [`its load balancer has no ${missing.join(', no ')}`]
      : await ruleProblems(aws, target, loadBalancers);
  if (problems.length === 0) return { kind: 'possible', service };
  return {
    kind: 'incomplete',
    problem: `ECS can't shift the traffic of ${policy.ecsService}: ${problems.join(', ')}. Give \`load_balancer\` of its aws_ecs_service a block \`advanced_configuration { alternate_target_group_arn, production_listener_rule, role_arn }\`, with a listener rule that forwards to both target groups, and apply that before; or take ${policy.name} out of \`rollout.canary.services\` in slipway.yaml.`,
  };
}

/** By the names that Terraform has for them. */
function missingFields({ advancedConfiguration = {} }: LoadBalancer): string[] {
  const { alternateTargetGroupArn, productionListenerRule, roleArn } = advancedConfiguration;
  return [
    ...(alternateTargetGroupArn ? [] : ['alternate_target_group_arn']),
    ...(productionListenerRule ? [] : ['production_listener_rule']),
    ...(roleArn ? [] : ['role_arn']),
  ];
}

interface Room {
  readonly fits: boolean;
  readonly detail: string;
  readonly left: readonly Instance[];
}

function roomFor(wanted: {
  target: Target;
  policy: ServicePolicy;
  count: number;
  definition: TaskDefinition | undefined;
  capacity: Capacity;
  instances: readonly Instance[];
}): Room {
  const { target, policy, count, definition, capacity, instances: left } = wanted;
  const set = `a second set of ${count} ${count === 1 ? 'task' : 'tasks'}`;
  if (capacity.kind === 'found by ECS')
    return { fits: true, detail: `ECS finds the capacity for ${set} ${capacity.where}`, left };
  if (!definition)
    return { fits: false, detail: `whether ${set} fits is not known without its task definition`, left };
  const needs = needsOf(definition);
  const after = place(left, needs, count, capacity.providers);
  const each = `${needs.cpu} CPU units and ${needs.memory} MiB each`;
  if (after.placed === count)
    return { fits: true, detail: `${set} (${each}) fits on the container instances`, left: after.left };
  return {
    fits: false,
    detail: `of ${set} (${each}) only ${after.placed} fit beside what runs on the active container instances of cluster ${target.cluster}. Add instances, or take ${policy.name} out of \`rollout.canary.services\` in slipway.yaml.`,
    left,
  };
}

function stepsOf({ steps }: CanaryPolicy): string {
  return `shifts traffic by ${steps.join(', ')} %`;
}
