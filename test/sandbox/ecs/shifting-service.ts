import { ContinueServiceDeploymentCommand, DescribeServiceRevisionsCommand } from '@aws-sdk/client-ecs';
import type { DeploymentConfiguration, LoadBalancer, ServiceDeployment } from '@aws-sdk/client-ecs';
import { goodApp, until } from './world.ts';
import type { TwoGroups, World } from './world.ts';

/** A CANARY of 20 % that pauses before each step and at 100 %, with no bake times. */
export const canary: DeploymentConfiguration = {
  strategy: 'CANARY',
  bakeTimeInMinutes: 0,
  canaryConfiguration: { canaryPercent: 20, canaryBakeTimeInMinutes: 0 },
  lifecycleHooks: [
    {
      targetType: 'PAUSE',
      lifecycleStages: ['PRE_PRODUCTION_TRAFFIC_SHIFT', 'POST_PRODUCTION_TRAFFIC_SHIFT'],
    },
  ],
};

export interface ShiftingService extends TwoGroups {
  readonly name: string;
  readonly first: string;
  readonly second: string;
}

export function balancersOf({ groups, rule, testRule }: TwoGroups, withTest = false): LoadBalancer[] {
  return [
    {
      targetGroupArn: groups[0],
      containerName: 'web',
      containerPort: 80,
      advancedConfiguration: {
        alternateTargetGroupArn: groups[1],
        productionListenerRule: rule,
        roleArn: 'arn:aws:iam::000000000000:role/ecs-load-balancers',
        ...(withTest ? { testListenerRule: testRule } : {}),
      },
    },
  ];
}

/** A steady service of version `one`, with an image of version `two` at hand; its next deployments go by `configuration`. */
export async function aShiftingService(
  world: World,
  name: string,
  configuration: DeploymentConfiguration,
  { desiredCount = 2, withTest = false, sticky = false } = {},
): Promise<ShiftingService> {
  const balanced = await world.balanceTwo(name, { sticky });
  const first = await world.define(name, await world.push(name, goodApp('one')));
  const second = await world.define(name, await world.push(name, goodApp('two')));
  await world.create(name, {
    taskDefinition: first,
    desiredCount,
    loadBalancers: balancersOf(balanced, withTest),
  });
  await world.steady(name);
  await world.update(name, { deploymentConfiguration: configuration });
  return { ...balanced, name, first, second };
}

/** The service's deployment, once it waits for an answer. */
export function paused(world: World, name: string, after?: string): Promise<ServiceDeployment> {
  return until(
    () => world.rollout(name),
    (rollout) => {
      const hookId = hookOf(rollout);
      return hookId !== undefined && hookId !== after;
    },
  );
}

/** The hook that waits for an answer. */
export function hookOf({ lifecycleHookDetails = [] }: ServiceDeployment): string | undefined {
  return lifecycleHookDetails.find(({ status }) => status === 'AWAITING_ACTION')?.hookId;
}

/** Answers the pause that the deployment waits in. @returns the id of its hook */
export async function answer(
  world: World,
  rollout: ServiceDeployment,
  action?: 'CONTINUE' | 'ROLLBACK',
): Promise<string> {
  const hookId = hookOf(rollout) ?? '';
  const { serviceDeploymentArn } = rollout;
  await world.ecs.send(new ContinueServiceDeploymentCommand({ serviceDeploymentArn, hookId, action }));
  return hookId;
}

export function ended(world: World, name: string): Promise<ServiceDeployment> {
  return until(
    () => world.rollout(name),
    ({ finishedAt }) => finishedAt !== undefined,
  );
}

/** How many of `count` requests each version answered. */
export async function answers(url: string, count = 200): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const response = await fetch(url);
    const who = response.ok ? await response.text() : String(response.status);
    counted[who] = (counted[who] ?? 0) + 1;
  }
  return counted;
}

/** The target group that a revision's tasks are in. */
export async function groupOf(world: World, revisionArn: string | undefined): Promise<string | undefined> {
  const { serviceRevisions } = await world.ecs.send(
    new DescribeServiceRevisionsCommand({ serviceRevisionArns: [revisionArn ?? ''] }),
  );
  return serviceRevisions?.[0]?.resolvedConfiguration?.loadBalancers?.[0]?.targetGroupArn;
}

/** Requests without a pause, until `stop` is called. @returns what was answered, counted by version or status */
export function traffic(url: string): { stop(): Promise<Record<string, number>> } {
  const ending = new AbortController();
  const counted: Record<string, number> = {};
  const going = (async () => {
    while (!ending.signal.aborted) {
      for (const [who, count] of Object.entries(await answers(url, 5))) {
        counted[who] = (counted[who] ?? 0) + count;
      }
    }
  })();
  return {
    async stop() {
      ending.abort();
      await going;
      return counted;
    },
  };
}
