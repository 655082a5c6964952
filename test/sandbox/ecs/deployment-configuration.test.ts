import { describe, expect, test } from '@jest/globals';
import type { DeploymentConfiguration, LoadBalancer } from '@aws-sdk/client-ecs';
import { configurationOf } from '../../../sandbox/ecs/deployment-configuration.ts';
import { checkDeployment } from '../../../sandbox/ecs/deployment-rules.ts';

const balancer: LoadBalancer = {
  targetGroupArn: 'blue',
  containerName: 'web',
  containerPort: 80,
  advancedConfiguration: {
    alternateTargetGroupArn: 'green',
    productionListenerRule: 'rule',
    roleArn: 'role',
  },
};
const { advancedConfiguration: _none, ...plain } = balancer;
const linear: DeploymentConfiguration = { strategy: 'LINEAR', bakeTimeInMinutes: 0 };
const pause = { targetType: 'PAUSE', lifecycleStages: ['POST_SCALE_UP'] } as const;
const hooks = (given: object, count = 1): DeploymentConfiguration => ({
  ...linear,
  lifecycleHooks: Array.from({ length: count }, () => ({
    ...pause,
    lifecycleStages: [...pause.lifecycleStages],
    ...given,
  })),
});

describe('what is left out', () => {
  test('has the defaults of its strategy', () => {
    expect(configurationOf(linear)).toMatchObject({
      linearConfiguration: { stepPercent: 10, stepBakeTimeInMinutes: 6 },
    });
    expect(
      configurationOf({ strategy: 'CANARY', canaryConfiguration: { canaryPercent: 1.5 } }),
    ).toMatchObject({
      canaryConfiguration: { canaryPercent: 1.5, canaryBakeTimeInMinutes: 10 },
    });
    expect(configurationOf(undefined)).toMatchObject({ strategy: 'ROLLING', maximumPercent: 200 });
  });

  test('stays as it was, but for what belongs to another strategy', () => {
    const before = configurationOf({ ...linear, ...hooks({}), linearConfiguration: { stepPercent: 50 } });
    expect(configurationOf({ bakeTimeInMinutes: 3 }, before)).toEqual({ ...before, bakeTimeInMinutes: 3 });
    const after = configurationOf({ strategy: 'CANARY' }, before);
    expect(after).not.toHaveProperty('linearConfiguration');
    expect(after).toMatchObject({ canaryConfiguration: { canaryPercent: 5 }, lifecycleHooks: [pause] });
  });
});

describe('what ECS takes', () => {
  test.each<[string, DeploymentConfiguration, LoadBalancer[]]>([
    [
      'a linear deployment',
      { ...linear, linearConfiguration: { stepPercent: 3.1, stepBakeTimeInMinutes: 1440 } },
      [balancer],
    ],
    [
      'a canary of 0.1 %',
      { ...linear, strategy: 'CANARY', canaryConfiguration: { canaryPercent: 0.1 } },
      [balancer],
    ],
    ['blue/green without a load balancer', { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 1 }, []],
    ['ten pause hooks', hooks({}, 10), [balancer]],
    ['a rolling deployment', {}, [plain]],
  ])('%s', (_, configuration, balancers) => {
    expect(() => checkDeployment(configuration, balancers)).not.toThrow();
  });
});

describe('what ECS refuses', () => {
  const canary = { ...linear, strategy: 'CANARY' } as const;
  test.each<[string, DeploymentConfiguration, LoadBalancer[], string]>([
    [
      'a step below 3 %',
      { ...linear, linearConfiguration: { stepPercent: 2.9 } },
      [balancer],
      'stepPercent must be a multiple of 0.1 between 3.0 and 100.0.',
    ],
    [
      'a step of 12.34 %',
      { ...linear, linearConfiguration: { stepPercent: 12.34 } },
      [balancer],
      'stepPercent must be',
    ],
    [
      'a canary of 0 %',
      { ...canary, canaryConfiguration: { canaryPercent: 0 } },
      [balancer],
      'canaryPercent must be',
    ],
    [
      'a canary of 101 %',
      { ...canary, canaryConfiguration: { canaryPercent: 101 } },
      [balancer],
      'canaryPercent must be',
    ],
    [
      'a canary’s bake time over a day',
      { ...canary, canaryConfiguration: { canaryBakeTimeInMinutes: 1441 } },
      [balancer],
      'canaryBakeTimeInMinutes must be',
    ],
    ['a bake time below 0', { ...linear, bakeTimeInMinutes: -1 }, [balancer], 'bakeTimeInMinutes must be'],
    ['no bake time', { strategy: 'BLUE_GREEN' }, [balancer], 'bakeTimeInMinutes must be specified'],
    [
      'linear steps of a canary',
      { ...canary, linearConfiguration: { stepPercent: 10 } },
      [balancer],
      'linearConfiguration is only valid',
    ],
    [
      'a canary of a linear deployment',
      { ...linear, canaryConfiguration: {} },
      [balancer],
      'canaryConfiguration is only valid',
    ],
    [
      'a pause in a traffic shift',
      hooks({ lifecycleStages: ['PRODUCTION_TRAFFIC_SHIFT'] }),
      [balancer],
      'PAUSE lifecycle hooks cannot be configured at PRODUCTION_TRAFFIC_SHIFT.',
    ],
    [
      'a pause in a test traffic shift',
      hooks({ lifecycleStages: ['TEST_TRAFFIC_SHIFT'] }),
      [balancer],
      'cannot be configured at TEST_TRAFFIC_SHIFT.',
    ],
    ['a pause at no stage', hooks({ lifecycleStages: [] }), [balancer], 'lifecycleStages must be specified'],
    [
      'a pause with a function',
      hooks({ hookTargetArn: 'arn:aws:lambda:x' }),
      [balancer],
      'hookTargetArn and roleArn are not applicable',
    ],
    ['eleven pause hooks', hooks({}, 11), [balancer], '10 pause lifecycle hooks at most'],
    ['a Lambda hook', hooks({ targetType: 'AWS_LAMBDA' }), [balancer], 'not modelled'],
    [
      'a hook without a type, which is one of Lambda',
      hooks({ targetType: undefined }),
      [balancer],
      'not modelled',
    ],
    ['a hook of a rolling deployment', { ...hooks({}), strategy: 'ROLLING' }, [balancer], 'not modelled'],
    [
      'alarms without names',
      { alarms: { alarmNames: [], enable: true, rollback: true } },
      [],
      'alarmNames must be specified',
    ],
    ['a canary without a load balancer', canary, [], 'needs a load balancer'],
    ['a load balancer without its second group', canary, [plain], 'advancedConfiguration must be specified'],
  ])('%s', (_, configuration, balancers, message) => {
    expect(() => checkDeployment(configuration, balancers)).toThrow(message);
  });
});
