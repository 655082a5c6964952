import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DeregisterTaskDefinitionCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { DeleteRuleCommand, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TargetGroupTuple } from '@aws-sdk/client-elastic-load-balancing-v2';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { ServicePlanInput } from '../../../src/activities/ecs/types.ts';
import { goodApp } from '../../sandbox/ecs/world.ts';
import { aShiftedService } from './aCanary.ts';
import type { ShiftedService } from './aCanary.ts';
import { aCanary, aPolicy, aLock, anActivity, aRig, aService, aTarget, inside } from './aRollout.ts';
import type { Rig } from './aRollout.ts';

const IMAGE = `sha256:${'1'.repeat(64)}`;
const SECRET = 'notes/production/key';
const PARAMETER = '/notes/production/region';

let rig: Rig;
beforeAll(async () => {
  rig = await aRig();
  const { secrets, ssm } = rig.aws.clientsFor(aTarget());
  await secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: '{"key":"one"}' }));
  await ssm.send(new PutParameterCommand({ Name: PARAMETER, Value: 'eu', Type: 'String' }));
});
afterAll(() => rig.close());
beforeEach(() => rig.files.clear());

const template = (container: object = {}) => ({
  family: 'notes-${environment}-web',
  containerDefinitions: [
    {
      name: 'web',
      image: 'replaced',
      user: '1000',
      readonlyRootFilesystem: true,
      memory: 128,
      logConfiguration: { logDriver: 'awslogs' },
      environment: [{ name: 'VERSION', value: '${version}' }],
      ...container,
    },
  ],
});

const write = (container: object = {}): void =>
  void rig.files.set('deploy/web.json', JSON.stringify(template(container)));

const input = (change: Partial<ServicePlanInput> = {}): ServicePlanInput => ({
  target: aTarget(),
  registry: { host: 'registry.test', account: '000000000000', region: 'eu-west-1' },
  services: [aService('web')],
  manifest: { version: '1.4.0', commit: 'c'.repeat(40), images: { web: IMAGE } },
  settings: { MODEL: '/notes/production/releases/1.4.0/MODEL' },
  outputs: {},
  ...change,
});

const plan = (change: Partial<ServicePlanInput> = {}) =>
  inside(anActivity(), () => rig.activities.planServices({ ...input(change), rollout: aPolicy() }));
const register = (change: Partial<ServicePlanInput> = {}) => {
  const { services: _, ...rest } = input(change);
  return inside(anActivity(), () =>
    rig.activities.registerTaskDefinition({
      ...rest,
      service: aService('web'),
      lock: aLock,
    }),
  );
};
const described = async (arn: string) =>
  await rig.world.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn, include: ['TAGS'] }));
const detailOf = async () => (await plan()).checks[0]?.detail;

describe('the plan', () => {
  test('is the same for the same release, and another for another', async () => {
    write();
    const [one, two] = [await plan(), await plan()];
    const other = await plan({ manifest: { ...input().manifest, version: '1.5.0' } });

    expect(two).toEqual(one);
    expect(one.checks).toEqual([
      {
        name: 'task definition of web for production (deploy/web.json)',
        passed: true,
        detail: 'valid and hardened',
      },
    ]);
    expect(one.services).toEqual([
      { service: 'web', rollout: 'rolling', image: IMAGE, taskDefinition: expect.stringMatching(/^sha256:/) },
    ]);
    expect(other.services[0]?.taskDefinition).not.toBe(one.services[0]?.taskDefinition);
  });

  test('is the same before and after an output that is not in the template is known, not after one that is', async () => {
    write({ environment: [{ name: 'HOST', value: '${output:host}' }] });
    const unknown = (await plan()).services[0]?.taskDefinition;

    expect((await plan({ outputs: { other: 'x' } })).services[0]?.taskDefinition).toBe(unknown);
    expect((await plan({ outputs: { host: 'x' } })).services[0]?.taskDefinition).not.toBe(unknown);
  });

  test('pins secrets to their version, and changes when a secret does', async () => {
    write({
      secrets: [
        { name: 'KEY', valueFrom: `\${secret:${SECRET}:key}` },
        { name: 'REGION', valueFrom: `\${parameter:${PARAMETER}}` },
      ],
    });
    const before = await plan();
    const { secrets } = rig.aws.clientsFor(aTarget());
    const { VersionId: version } = await secrets.send(
      new PutSecretValueCommand({ SecretId: SECRET, SecretString: '{"key":"two"}' }),
    );
    const after = await plan();

    expect(after.references).toEqual([
      { kind: 'parameter', name: PARAMETER, version: '1' },
      { kind: 'secret', name: SECRET, version },
    ]);
    expect(after.services[0]?.taskDefinition).not.toBe(before.services[0]?.taskDefinition);
  });

  test('says what runs now', async () => {
    write();
    const current = await rig.world.define('web', await rig.world.push('web', goodApp('one')));
    await rig.world.create('web', { taskDefinition: current });
    await rig.world.steady('web');

    const { states, services } = await plan();

    expect(states).toEqual([
      {
        service: 'web',
        exists: true,
        taskDefinition: current,
        desiredCount: 1,
        runningCount: 1,
        stable: true,
        serving: true,
        detail: '1 of 1 tasks run web:1',
      },
    ]);
    expect(services[0]?.current).toBe(current);
  });

  test('says which services go by canary, and what each of them needs for it', async () => {
    write();
    const definition = await rig.world.define('queue', await rig.world.push('queue', goodApp('one')));
    await rig.world.create('queue', { taskDefinition: definition });
    await rig.world.steady('queue');
    const { service } = await aShiftedService(rig, 'shifted', {
      request: { capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] },
    });
    const services = ['shifted', 'queue'].map((name) =>
      aService(name, { taskDefinition: 'deploy/web.json' }),
    );
    const images = { shifted: IMAGE, queue: IMAGE };

    const planned = await inside(anActivity(), () =>
      rig.activities.planServices({
        ...input({ services, manifest: { ...input().manifest, images } }),
        rollout: aPolicy({ canary: aCanary({ services: [service.name, 'queue'] }) }),
      }),
    );

    expect(planned.services.map(({ rollout }) => rollout)).toEqual(['canary', 'rolling']);
    expect(planned.checks.slice(2)).toEqual([
      expect.objectContaining({ name: 'canary of shifted', passed: true }),
      { name: 'canary of queue', passed: true, detail: expect.stringContaining('no load balancer') },
    ]);
  });

  test.each<[string, (shifted: ShiftedService) => TargetGroupTuple[] | undefined, RegExp]>([
    [
      'forwards to one of its groups alone',
      ({ groups }) => [{ TargetGroupArn: groups[0] }],
      /does not forward to .*-2\//,
    ],
    ['is gone', () => undefined, /production_listener_rule .* does not exist/],
  ])('says of a canary that its listener rule %s', async (what, change, problem) => {
    write();
    const name = `rule-${what.replaceAll(' ', '-')}`.slice(0, 20);
    const given = await aShiftedService(rig, name);
    const { elb } = rig.aws.clientsFor(aTarget());
    const TargetGroups = change(given);
    await (TargetGroups
      ? elb.send(
          new ModifyRuleCommand({
            RuleArn: given.rule,
            Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
          }),
        )
      : elb.send(new DeleteRuleCommand({ RuleArn: given.rule })));

    const { checks } = await inside(anActivity(), () =>
      rig.activities.planServices({
        ...input({
          services: [aService(name, { taskDefinition: 'deploy/web.json' })],
          manifest: { ...input().manifest, images: { [name]: IMAGE } },
        }),
        rollout: aPolicy({ canary: aCanary({ services: [name] }) }),
      }),
    );

    expect(checks.at(-1)).toMatchObject({ passed: false, detail: expect.stringMatching(problem) });
  });

  test('of a cluster that does not exist yet is that of a first deployment', async () => {
    write();
    const { states, checks } = await plan({ target: aTarget({ cluster: 'later' }) });

    expect(states).toEqual([expect.objectContaining({ exists: false, serving: false, desiredCount: 0 })]);
    expect(checks[0]?.passed).toBe(true);
  });

  test.each<[string, object, RegExp]>([
    ['what is not hardened', { user: 'root', privileged: true }, /user is root.*; .*privileged/],
    [
      'an unknown placeholder',
      { command: ['${versions}'] },
      /unknown placeholder \$\{versions\}; the placeholders are \$\{image\}/,
    ],
    [
      'a setting that the release does not have',
      { command: ['${setting:MODE}'] },
      /no setting MODE; its settings are: MODEL/,
    ],
    ['a secret that does not exist', { command: ['${secret:none}'] }, /secret none does not exist/],
    [
      'a parameter that does not exist',
      { command: ['${parameter:/none}'] },
      /parameter \/none does not exist/,
    ],
    ['another container', { name: 'editor' }, /no container web; its containers are editor/],
  ])('tells %s as a failing check', async (_what, container, expected) => {
    write(container);
    expect((await plan()).checks[0]).toMatchObject({
      passed: false,
      detail: expect.stringMatching(expected),
    });
  });

  test('tells a template that is missing or no JSON as a failing check, and goes on', async () => {
    expect(await detailOf()).toContain('has no file deploy/web.json');
    rig.files.set('deploy/web.json', '{');
    expect(await detailOf()).toContain('it is not JSON');
  });
});

describe('deployment alarms', () => {
  const alarm = (AlarmName: string) =>
    rig.aws.clientsFor(aTarget()).cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'Notes',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'ignore',
      }),
    );
  const checkOf = async (...alarms: string[]) => {
    write();
    const { checks } = await inside(anActivity(), () =>
      rig.activities.planServices({ ...input(), rollout: aPolicy({ alarms }) }),
    );
    return checks.find(({ name }) => name === 'deployment alarms');
  };

  test('that are there pass, and are told when they ring already', async () => {
    await alarm('quiet');
    await alarm('ringing');
    await rig.aws
      .clientsFor(aTarget())
      .cloudwatch.send(
        new SetAlarmStateCommand({ AlarmName: 'ringing', StateValue: 'ALARM', StateReason: 'errors' }),
      );
    expect(await checkOf('quiet')).toMatchObject({ passed: true, detail: 'quiet would take a rollout back' });
    expect(await checkOf('quiet', 'ringing')).toMatchObject({
      passed: true,
      detail: expect.stringMatching(/^ringing rings already/),
    });
  });

  test('that are not are a failed check that names them', async () => {
    await alarm('known');
    expect(await checkOf('known', 'unknown')).toMatchObject({
      passed: false,
      detail: expect.stringMatching(/has no alarm unknown\. Create it, or take it out of `rollout\.alarms`/),
    });
  });

  test('are not asked for where there are none', async () => {
    expect(await checkOf()).toBeUndefined();
  });
});

describe('registering', () => {
  test('puts in the image, the version and the ARNs, and tags the revision', async () => {
    write({ secrets: [{ name: 'MODEL', valueFrom: '${setting:MODEL}' }] });

    const { taskDefinition, tags } = await described(await register());

    expect(taskDefinition?.family).toBe('notes-production-web');
    expect(taskDefinition?.containerDefinitions?.[0]).toMatchObject({
      image: `registry.test/web@${IMAGE}`,
      environment: [{ name: 'VERSION', value: '1.4.0' }],
      secrets: [
        {
          name: 'MODEL',
          valueFrom: 'arn:aws:ssm:eu-west-1:000000000000:parameter/notes/production/releases/1.4.0/MODEL',
        },
      ],
    });
    expect(tags).toEqual(expect.arrayContaining([{ key: 'slipway:version', value: '1.4.0' }]));
  });

  test('the same content again finds the revision; other content makes a new one', async () => {
    write({ command: ['same'] });
    const [one, two] = [await register(), await register()];
    write({ command: ['other'] });
    const other = await register();

    expect(two).toBe(one);
    expect(other).not.toBe(one);
    write({ command: ['same'] });
    expect(await register()).toBe(one);
  });

  test('an output that Terraform does not give is an error that names it', async () => {
    write({ command: ['${output:host}'] });
    await expect(register()).rejects.toMatchObject({
      type: 'OutputMissing',
      nonRetryable: true,
      message: expect.stringContaining('output:host'),
    });
  });

  test('a template with problems is not registered', async () => {
    write({ privileged: true });
    await expect(register()).rejects.toMatchObject({ type: 'TaskDefinitionInvalid', nonRetryable: true });
  });

  test('without the lock nothing is registered', async () => {
    write({ command: ['unlocked'] });
    rig.loseLock(true);
    try {
      await expect(register()).rejects.toMatchObject({ type: 'LockLost' });
    } finally {
      rig.loseLock(false);
    }
  });

  test("what AWS refuses is a permanent error with AWS's words", async () => {
    write({ portMappings: [{ containerPort: 80, protocol: 'carrier-pigeon' }] });
    await expect(register()).rejects.toMatchObject({
      nonRetryable: true,
      message: expect.stringMatching(/^AWS refused: /),
    });
  });
});

test("the identity must be of the environment's account", async () => {
  const check = (account: string) =>
    inside(anActivity(), () => rig.activities.checkIdentity({ target: aTarget({ account }) }));

  expect(await check('000000000000')).toMatchObject({ name: 'AWS identity', passed: true });
  expect(await check('999999999999')).toMatchObject({
    passed: false,
    detail: expect.stringContaining('is account 999999999999'),
  });
});

test('a rollback is told beforehand which task definitions ECS would refuse, and what to do', async () => {
  const { world, activities } = rig;
  const image = await world.push('kept', goodApp('one'));
  const [kept, gone] = [await world.define('kept', image), await world.define('gone', image)];
  await world.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: gone }));
  const never = gone.replace(/:1$/, ':9');

  const checks = await inside(anActivity(), () =>
    activities.checkTaskDefinitions({ target: aTarget(), taskDefinitions: { kept, gone, never } }),
  );

  expect(checks).toEqual([
    { name: 'task definition of kept', passed: true, detail: 'kept:1 is ACTIVE' },
    {
      name: 'task definition of gone',
      passed: false,
      detail: expect.stringMatching(/^gone:1 is INACTIVE.* strategy redeploy/),
    },
    {
      name: 'task definition of never',
      passed: false,
      detail: expect.stringMatching(/^There is no task definition gone:9.* strategy redeploy/),
    },
  ]);
});
