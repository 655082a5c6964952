import type { CreateServiceRequest } from '@aws-sdk/client-ecs';
import { awaitPause } from '../../../src/activities/canary/await-pause.ts';
import { continueRollout } from '../../../src/activities/canary/continue-rollout.ts';
import type { CanaryProgress, Pause } from '../../../src/activities/canary/types.ts';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import type { RestoreInput, Rollout } from '../../../src/activities/ecs/types.ts';
import type { RolloutPolicy, ServicePolicy } from '../../../src/domain/policy.ts';
import { balancersOf } from '../../sandbox/ecs/shifting-service.ts';
import { goodApp } from '../../sandbox/ecs/world.ts';
import type { TwoGroups } from '../../sandbox/ecs/world.ts';
import { aCanary, aLock, anActivity, aPolicy, aService, aTarget, inside } from './aRollout.ts';
import type { Rig } from './aRollout.ts';

/** Long enough for no pause of a test to end by itself. */
const FORTNIGHT = { stepMinutes: 20_160, lastMinutes: 20_160 };

/** A steady service that a canary can be rolled out on. */
export interface ShiftedService extends TwoGroups {
  readonly name: string;
  readonly service: ServicePolicy;
  /** Task definition of what it serves. */
  readonly first: string;
  /** How to put it back. */
  readonly restore: Omit<RestoreInput, 'ours'>;
}

/** @param options `desiredCount` of what serves; the release asks for `asked` */
export async function aShiftedService(
  { world, activities }: Rig,
  name: string,
  options: { desiredCount?: number; asked?: number; request?: Partial<CreateServiceRequest> } = {},
): Promise<ShiftedService> {
  const { desiredCount = 1, asked = desiredCount, request = {} } = options;
  const rollout = aCanaryPolicy();
  const balanced = await world.balanceTwo(name);
  const first = await world.define(name, await world.push(name, goodApp('one')));
  await world.create(name, {
    taskDefinition: first,
    desiredCount,
    loadBalancers: balancersOf(balanced),
    ...request,
  });
  await world.steady(name);
  const service = aService(name, { desiredCount: asked });
  const target = aTarget();
  const [previous] = await inside(anActivity(), () =>
    activities.describeServices({ target, services: [service] }),
  );
  if (!previous?.serving) throw new Error(`${name} does not serve: ${JSON.stringify(previous)}`);
  return { ...balanced, name, service, first, restore: { target, service, previous, rollout, lock: aLock } };
}

export const aCanaryPolicy = (change: Partial<RolloutPolicy> = {}): RolloutPolicy =>
  aPolicy({ canary: aCanary({ deadMan: FORTNIGHT }), ...change });

/** A canary of a second version on the service, and what drives it. */
export interface Canary {
  readonly rollout: Rollout;
  readonly policy: RolloutPolicy;
  /** Waits for the next pause, or the end. */
  awaitPause(after?: Pause): Promise<CanaryProgress>;
  /** Waits for a pause, which must come. */
  pause(after?: Pause): Promise<Pause>;
  /** Releases the pause. */
  release(pause: Pause): Promise<void>;
}

/** @param app what the second version's tasks run */
export async function startCanary(
  rig: Rig,
  { service, name }: ShiftedService,
  { app = goodApp('two'), policy = aCanaryPolicy() } = {},
): Promise<Canary> {
  const target = aTarget();
  const taskDefinition = await rig.world.define(name, await rig.world.push(name, app));
  const start = { target, service, taskDefinition, rollout: policy, by: 'canary' as const, lock: aLock };
  const rollout = await inside(anActivity(), () => rig.activities.startRollout(start));
  const deps = { ...rig.deps, reader: createEcsReader(rig.aws, rig.deps.pollMilliseconds) };
  const canary = { target, service, rollout, policy };
  const wait = (after?: Pause) =>
    inside(anActivity(), () => awaitPause(deps, { ...canary, ...(after && { after: after.hookId }) }));
  return {
    rollout,
    policy,
    awaitPause: wait,
    async pause(after) {
      const progress = await wait(after);
      if (progress.kind === 'ended') throw new Error(`${name} ended: ${progress.verdict.reasons.join(' ')}`);
      return progress.pause;
    },
    release: (pause) => inside(anActivity(), () => continueRollout(deps, { ...canary, pause, lock: aLock })),
  };
}
