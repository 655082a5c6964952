import { describe, expect, test } from '@jest/globals';
import type { DeploymentConfiguration, DeploymentLifecycleHook } from '@aws-sdk/client-ecs';
import {
  returnConfiguration,
  rolloutConfiguration,
} from '../../../src/activities/ecs/deployment-configuration.ts';
import type { CanaryPolicy } from '../../../src/domain/policy.ts';
import { aCanary, aPolicy } from './aRollout.ts';

const having = (deploymentConfiguration: DeploymentConfiguration = {}) => ({ deploymentConfiguration });
const lambda: DeploymentLifecycleHook = {
  targetType: 'AWS_LAMBDA',
  hookTargetArn: 'arn:aws:lambda:eu-west-1:000000000000:function:theirs',
  lifecycleStages: ['POST_SCALE_UP'],
};
const byCanary = (canary: Partial<CanaryPolicy> = {}, current = having()) =>
  rolloutConfiguration(current, aPolicy({ canary: aCanary(canary) }), 'canary');
/** What a service has after a canary. */
const after = having({ ...byCanary({}, having({ lifecycleHooks: [lambda] })), minimumHealthyPercent: 50 });

describe('a canary', () => {
  test('of equal steps is LINEAR, without bake times of ECS and with pauses that go back by themselves', () => {
    expect(byCanary({ steps: [25, 50, 75, 100] })).toEqual({
      strategy: 'LINEAR',
      linearConfiguration: { stepPercent: 25, stepBakeTimeInMinutes: 0 },
      bakeTimeInMinutes: 0,
      lifecycleHooks: [
        {
          targetType: 'PAUSE',
          lifecycleStages: ['PRE_PRODUCTION_TRAFFIC_SHIFT'],
          timeoutConfiguration: { timeoutInMinutes: 20, action: 'ROLLBACK' },
        },
        {
          targetType: 'PAUSE',
          lifecycleStages: ['POST_PRODUCTION_TRAFFIC_SHIFT'],
          timeoutConfiguration: { timeoutInMinutes: 90, action: 'ROLLBACK' },
        },
      ],
      deploymentCircuitBreaker: { enable: false, rollback: false },
      minimumHealthyPercent: 100,
      maximumPercent: 200,
    });
  });

  test('of one step and the rest is CANARY', () => {
    expect(byCanary({ steps: [10, 100] })).toMatchObject({
      strategy: 'CANARY',
      canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 0 },
    });
  });

  test("keeps the service's own functions and replaces its pauses", () => {
    expect(byCanary({}, after).lifecycleHooks).toEqual([lambda, ...(byCanary().lifecycleHooks ?? [])]);
  });

  test('in steps that ECS cannot do is refused with what is possible', () => {
    expect(() => byCanary({ steps: [5, 20, 100] })).toThrow(/equal steps of 3 % or more/);
  });
});

describe('a rolling update after a canary', () => {
  const rolling = rolloutConfiguration(after, aPolicy(), 'rolling');

  test('is ROLLING with the breaker on, and nothing of the canary but the service’s own functions', () => {
    expect(rolling).toEqual({
      strategy: 'ROLLING',
      deploymentCircuitBreaker: { enable: true, rollback: true },
      lifecycleHooks: [lambda],
      minimumHealthyPercent: 100,
      maximumPercent: 200,
    });
  });

  test('leaves what else a service that always rolled has', () => {
    const current = having({ bakeTimeInMinutes: 3, strategy: 'ROLLING' });
    expect(rolloutConfiguration(current, aPolicy(), 'rolling')).toMatchObject({ bakeTimeInMinutes: 3 });
  });
});

describe('alarms', () => {
  const own = having({ alarms: { alarmNames: ['theirs'], enable: true, rollback: true } });
  const policy = aPolicy({ alarms: ['errors'], canary: aCanary() });

  test.each(['rolling', 'canary'] as const)('of the policy take a %s rollout back', (by) => {
    expect(rolloutConfiguration(own, policy, by).alarms).toEqual({
      alarmNames: ['errors'],
      enable: true,
      rollback: true,
    });
  });

  test('of the policy do not stop the way back', () => {
    expect(returnConfiguration(own, policy, false).alarms).toEqual({
      alarmNames: ['errors'],
      enable: false,
      rollback: false,
    });
  });

  test("that are the service's own stay when the policy names none", () => {
    const { alarms } = own.deploymentConfiguration;
    const none = aPolicy({ canary: aCanary() });
    expect(rolloutConfiguration(own, none, 'rolling').alarms).toEqual(alarms);
    expect(rolloutConfiguration(own, none, 'canary').alarms).toEqual(alarms);
    expect(returnConfiguration(own, none, true).alarms).toEqual(alarms);
  });
});

describe('the way back', () => {
  const pauses = ({ lifecycleHooks = [] }: DeploymentConfiguration) =>
    lifecycleHooks.filter(({ targetType }) => targetType === 'PAUSE');

  test('rolls', () => {
    expect(returnConfiguration(after, aPolicy(), false)).toMatchObject({ strategy: 'ROLLING' });
    expect(returnConfiguration(having(), aPolicy(), true)).toMatchObject({ strategy: 'ROLLING' });
  });

  test('keeps the strategy while ECS is busy with a deployment that shifts traffic, and goes in one step', () => {
    expect(returnConfiguration(after, aPolicy(), true)).toMatchObject({
      strategy: 'CANARY',
      canaryConfiguration: { canaryPercent: 100, canaryBakeTimeInMinutes: 0 },
      bakeTimeInMinutes: 0,
    });
    const linear = having(byCanary({ steps: [25, 50, 75, 100] }));
    expect(returnConfiguration(linear, aPolicy(), true)).toMatchObject({
      strategy: 'LINEAR',
      linearConfiguration: { stepPercent: 100, stepBakeTimeInMinutes: 0 },
    });
  });

  test.each([true, false])('never pauses', (underway) => {
    expect(pauses(returnConfiguration(after, aPolicy(), underway))).toEqual([]);
  });
});
