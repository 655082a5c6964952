import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer, Service } from '@aws-sdk/client-ecs';
import { createAwsClients } from '../../../src/activities/aws.ts';
import { planCanaries } from '../../../src/activities/ecs/plan-canary.ts';
import type { Candidate } from '../../../src/activities/ecs/plan-canary.ts';
import { aCanary, aService, aTarget, credentials } from './aRollout.ts';

const definition = {
  family: 'web',
  cpu: '256',
  memory: '512',
  containerDefinitions: [{ name: 'web' }],
};
const ELB = 'arn:aws:elasticloadbalancing:eu-west-1:000000000000';
const RULE = `${ELB}:listener-rule/app/web/1/2/3`;
const balancer = (advanced: LoadBalancer['advancedConfiguration'] = {}): LoadBalancer => ({
  targetGroupArn: 'blue',
  advancedConfiguration: {
    alternateTargetGroupArn: 'green',
    productionListenerRule: RULE,
    roleArn: 'role',
    ...advanced,
  },
});
const aCandidate = (name: string, service: Partial<Service> = {}, desiredCount = 2): Candidate => ({
  policy: aService(name, { desiredCount }),
  service: {
    desiredCount: 2,
    runningCount: 2,
    launchType: 'FARGATE',
    loadBalancers: [balancer()],
    ...service,
  },
  definition,
});

/** An ECS of which only its capacity can be asked, and the rule of a load balancer that divides traffic as ECS wants it. */
function ecsWith(answers: Record<string, object>) {
  const aws = createAwsClients({ endpoint: 'http://127.0.0.1:9', credentials });
  const asked: unknown[] = [];
  aws.clientsFor(aTarget()).ecs.middlewareStack.add(
    (_next, context) => (args) => {
      const name = String(context['commandName']).replace(/Command$/, '');
      const answer = answers[name];
      if (!answer) throw new Error(`nobody answers ${name}`);
      asked.push(args.input);
      return Promise.resolve({ output: { $metadata: {}, ...answer }, response: {} });
    },
    { step: 'initialize' },
  );
  const TargetGroups = ['blue', 'green'].map((TargetGroupArn) => ({ TargetGroupArn }));
  const Rules = [{ Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }] }];
  aws
    .clientsFor(aTarget())
    .elb.middlewareStack.add(
      () => () => Promise.resolve({ output: { $metadata: {}, Rules }, response: {} }),
      { step: 'initialize' },
    );
  return { aws, asked };
}

const anInstance = (cpu: number, memory: number, change: object = {}) => ({
  agentConnected: true,
  remainingResources: [
    { name: 'CPU', integerValue: cpu },
    { name: 'MEMORY', integerValue: memory },
  ],
  ...change,
});
const instances = (...containerInstances: object[]) => ({
  ListContainerInstances: { containerInstanceArns: containerInstances.map((_, i) => `i-${i}`) },
  DescribeContainerInstances: { containerInstances },
});

const plan = (candidates: Candidate[], answers: Record<string, object> = {}) => {
  const { aws } = ecsWith(answers);
  const services = candidates.map(({ policy }) => policy.name);
  return planCanaries(aws, aTarget(), aCanary({ services, steps: [25, 50, 75, 100] }), candidates);
};

test('a service that the policy names goes by canary', async () => {
  expect(await plan([aCandidate('web')])).toEqual([
    {
      kind: 'canary',
      check: {
        name: 'canary of web',
        passed: true,
        detail:
          'shifts traffic by 25, 50, 75, 100 %; ECS finds the capacity for a second set of 2 tasks on Fargate',
      },
    },
  ]);
});

test('the second set of a service that was scaled out has as many tasks as the first', async () => {
  const scaledOut = { desiredCount: 10, runningCount: 10 };
  const [onFargate] = await plan([aCandidate('web', scaledOut)]);
  expect(onFargate?.check?.detail).toContain('a second set of 10 tasks');
  const [onEc2] = await plan(
    [aCandidate('web', { ...scaledOut, launchType: 'EC2' })],
    instances(anInstance(256 * 9, 8192)),
  );
  expect(onEc2?.check).toMatchObject({ passed: false, detail: expect.stringContaining('only 9 fit') });
});

test('one that it does not name rolls, and nothing is checked', async () => {
  const { aws } = ecsWith({});
  expect(await planCanaries(aws, aTarget(), aCanary(), [aCandidate('web')])).toEqual([{ kind: 'rolling' }]);
  expect(await planCanaries(aws, aTarget(), undefined, [aCandidate('web')])).toEqual([{ kind: 'rolling' }]);
});

test.each<[string, Candidate, RegExp]>([
  ['that is not there yet', { policy: aService('web'), definition }, /first deployment/],
  ['without tasks', aCandidate('web', { desiredCount: 0, runningCount: 0 }), /first deployment/],
  ['without a load balancer', aCandidate('web', { loadBalancers: [] }), /no load balancer/],
])('one %s rolls, and says why', async (_what, candidate, why) => {
  expect(await plan([candidate])).toEqual([
    {
      kind: 'rolling',
      check: { name: 'canary of web', passed: true, detail: expect.stringMatching(why) },
    },
  ]);
});

test.each<[string, LoadBalancer[], string]>([
  [
    'all',
    [{ targetGroupArn: 'blue' }],
    'has no alternate_target_group_arn, no production_listener_rule, no role_arn',
  ],
  ['one', [balancer(), balancer({ roleArn: undefined })], 'has no role_arn'],
])(
  'a load balancer that lacks %s fields for it is a failed check that names them',
  async (_w, lacks, what) => {
    const [planned] = await plan([aCandidate('web', { loadBalancers: lacks })]);
    expect(planned).toMatchObject({ kind: 'canary', check: { passed: false } });
    expect(planned?.check?.detail).toContain(what);
    expect(planned?.check?.detail).toContain('advanced_configuration { alternate_target_group_arn,');
  },
);

test("a Network Load Balancer's listener is a failed check: nothing of its traffic could be judged", async () => {
  const listener = `${ELB}:listener/net/web/1/2`;
  const loadBalancers = [balancer({ productionListenerRule: listener })];
  const [planned] = await plan([aCandidate('web', { loadBalancers })]);
  expect(planned).toEqual({
    kind: 'canary',
    check: {
      name: 'canary of web',
      passed: false,
      detail: `web is behind a Network Load Balancer (${listener}), which counts no requests: Slipway judges a canary by the metrics of an Application Load Balancer. Take web out of \`rollout.canary.services\` in slipway.yaml: it then rolls.`,
    },
  });
});

test('a listener where its rule should be is a failed check that says so', async () => {
  const listener = `${ELB}:listener/app/web/1/2`;
  const loadBalancers = [balancer({ productionListenerRule: listener })];
  const [planned] = await plan([aCandidate('web', { loadBalancers })]);
  expect(planned?.check).toMatchObject({
    passed: false,
    detail: expect.stringContaining(`its production_listener_rule ${listener} is no listener rule`),
  });
});

describe('on EC2', () => {
  const onEc2 = (name: string, tasks = 2) => aCandidate(name, { launchType: 'EC2' }, tasks);

  test('a second set that fits passes', async () => {
    const [planned] = await plan([onEc2('web')], instances(anInstance(300, 600), anInstance(300, 600)));
    expect(planned?.check).toMatchObject({
      passed: true,
      detail: expect.stringContaining('2 tasks (256 CPU units and 512 MiB each) fits'),
    });
  });

  test('one that does not fit is a failed check that says how much does', async () => {
    const [planned] = await plan([onEc2('web')], instances(anInstance(300, 600), anInstance(300, 400)));
    expect(planned).toMatchObject({ kind: 'canary', check: { passed: false } });
    expect(planned?.check?.detail).toContain('only 1 fit beside what runs');
    expect(planned?.check?.detail).toContain('Add instances');
  });

  test('the second sets of all services must fit at once', async () => {
    const room = instances(anInstance(800, 1600));
    const planned = await plan([onEc2('a'), onEc2('b')], room);
    expect(planned.map(({ check }) => check?.passed)).toEqual([true, false]);
  });

  test('an instance whose agent is away has no room', async () => {
    const away = anInstance(4096, 4096, { agentConnected: false });
    const [planned] = await plan([onEc2('web')], instances(away));
    expect(planned?.check?.passed).toBe(false);
  });

  test('only instances that take tasks are asked for', async () => {
    const { aws, asked } = ecsWith(instances(anInstance(4096, 4096)));
    await planCanaries(aws, aTarget(), aCanary({ services: ['web'] }), [onEc2('web')]);
    expect(asked[0]).toEqual({ cluster: aTarget().cluster, status: 'ACTIVE' });
  });
});

describe('with capacity providers', () => {
  const by = (...names: string[]) =>
    aCandidate('web', {
      launchType: undefined,
      capacityProviderStrategy: names.map((capacityProvider) => ({ capacityProvider })),
    });
  const providers = (managedScaling: object, name = 'pool') => ({
    DescribeCapacityProviders: {
      capacityProviders: [{ name, autoScalingGroupProvider: { managedScaling } }],
    },
  });

  test('of Fargate, ECS finds the capacity', async () => {
    const [planned] = await plan([by('FARGATE', 'FARGATE_SPOT')]);
    expect(planned?.check).toMatchObject({
      passed: true,
      detail: expect.stringContaining('by FARGATE and FARGATE_SPOT'),
    });
  });

  test('that scale out, ECS finds the capacity', async () => {
    const [planned] = await plan([by('pool')], providers({ status: 'ENABLED' }));
    expect(planned?.check).toMatchObject({ passed: true, detail: expect.stringContaining('by pool') });
  });

  test('that do not, it must be there on their instances', async () => {
    const answers = {
      ...providers({ status: 'DISABLED' }),
      ...instances(
        anInstance(4096, 4096, { capacityProviderName: 'other' }),
        anInstance(300, 600, { capacityProviderName: 'pool' }),
      ),
    };
    const [planned] = await plan([by('pool')], answers);
    expect(planned?.check?.detail).toContain('only 1 fit');
  });
});
