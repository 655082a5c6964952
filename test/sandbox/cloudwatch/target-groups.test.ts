import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { aLoadBalancer } from '../elb/aLoadBalancer.ts';
import type { TestLoadBalancer } from '../elb/aLoadBalancer.ts';
import { aTarget } from '../elb/aTarget.ts';
import type { TestTarget } from '../elb/aTarget.ts';

/** Two versions behind one rule, as a canary has them: what CloudWatch tells of each. */
let sandbox: TestSandbox;
let cloudwatch: CloudWatchClient;
const targets: TestTarget[] = [];

beforeAll(async () => {
  sandbox = await aSandbox();
  cloudwatch = new CloudWatchClient(sandbox.client);
});
afterAll(async () => {
  await Promise.all(targets.map((target) => target.close()));
  cloudwatch.destroy();
  await sandbox.close();
});

async function version(name: string, status: number): Promise<TestTarget> {
  const target = await aTarget(name);
  target.onRequest = (_request, response) => response.writeHead(status).end(name);
  targets.push(target);
  return target;
}

async function weighted(lb: TestLoadBalancer, stable: number, canary: number): Promise<void> {
  const [blue, green] = lb.groups;
  await lb.elb.send(
    new CreateRuleCommand({
      ListenerArn: lb.listenerArn,
      Priority: 1,
      Conditions: [{ Field: 'path-pattern', Values: ['/app/*'] }],
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: blue, Weight: stable },
              { TargetGroupArn: green, Weight: canary },
            ],
          },
        },
      ],
    }),
  );
}

/** The metric's value over all time. */
async function measured(name: string, dimensions: Record<string, string>, Stat = 'Sum'): Promise<number> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName: name, Dimensions };
  const { MetricDataResults } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: 'q', MetricStat: { Metric, Period: 7200, Stat } }],
    }),
  );
  return MetricDataResults?.[0]?.Values?.[0] ?? 0;
}

test('each of two weighted groups has the requests, errors and latencies that its own targets answered', async () => {
  const lb = await aLoadBalancer(sandbox);
  await weighted(lb, 60, 40);
  const stable = await version('stable', 200);
  const canaries = [await version('canary', 500), await version('canary', 500)];
  await lb.register(lb.groups[0], stable.port);
  await lb.register(lb.groups[1], ...canaries.map(({ port }) => port));
  await lb.untilHealth(lb.groups[0], { [stable.port]: 'healthy' });
  await lb.untilHealth(lb.groups[1], Object.fromEntries(canaries.map(({ port }) => [port, 'healthy'])));

  const answered = { stable: 0, canary: 0 };
  for (let i = 0; i < 100; i++) {
    const text = await (await fetch(`${lb.url}/app/${i}`)).text();
    answered[text as keyof typeof answered]++;
  }
  expect(answered.canary).toBeGreaterThan(10);

  const LoadBalancer = lb.loadBalancerArn.split(':loadbalancer/')[1] ?? '';
  const of = (group: string): Record<string, string> => ({
    TargetGroup: group.split(':').at(-1) ?? '',
    LoadBalancer,
  });
  const [blue, green] = [of(lb.groups[0]), of(lb.groups[1])];
  expect(await measured('RequestCount', blue)).toBe(answered.stable);
  expect(await measured('RequestCount', green)).toBe(answered.canary);
  expect(await measured('RequestCount', { LoadBalancer })).toBe(100);
  expect(await measured('HTTPCode_Target_2XX_Count', blue)).toBe(answered.stable);
  expect(await measured('HTTPCode_Target_5XX_Count', blue)).toBe(0);
  expect(await measured('HTTPCode_Target_5XX_Count', green)).toBe(answered.canary);
  expect(await measured('TargetResponseTime', green, 'SampleCount')).toBe(answered.canary);
  expect(await measured('HealthyHostCount', blue, 'Maximum')).toBe(1);
  expect(await measured('HealthyHostCount', green, 'Maximum')).toBe(2);
  // Per target: the group's requests divided by its healthy targets.
  expect(await measured('RequestCountPerTarget', blue)).toBe(answered.stable);
  expect(await measured('RequestCountPerTarget', green)).toBe(answered.canary / 2);
  expect(await measured('RequestCountPerTarget', { TargetGroup: green['TargetGroup'] ?? '' })).toBe(
    answered.canary / 2,
  );
});
