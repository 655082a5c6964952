import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TestSandbox } from '../aSandbox.ts';
import { freePort } from './aTarget.ts';

/** A load balancer with one listener and two target groups, of which the first gets all traffic. */
export interface TestLoadBalancer {
  readonly elb: ElasticLoadBalancingV2Client;
  readonly url: string;
  readonly port: number;
  readonly loadBalancerArn: string;
  readonly listenerArn: string;
  readonly groups: readonly [blue: string, green: string];
  register(group: string, ...ports: number[]): Promise<void>;
  /** Waits until the states of a group's targets are these, in the order of their ports. */
  untilHealth(group: string, states: Readonly<Record<number, string>>): Promise<void>;
}

let made = 0;

export async function aLoadBalancer(sandbox: TestSandbox, drainSeconds = 5): Promise<TestLoadBalancer> {
  const elb = new ElasticLoadBalancingV2Client(sandbox.client);
  const name = `web-${made++}`;
  const created = await elb.send(
    new CreateLoadBalancerCommand({ Name: name, Subnets: ['subnet-1', 'subnet-2'] }),
  );
  const loadBalancerArn = created.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const blue = await targetGroup(elb, `${name}-blue`, drainSeconds);
  const green = await targetGroup(elb, `${name}-green`, drainSeconds);
  const port = await freePort();
  const listener = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTP',
      Port: port,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: blue }],
    }),
  );
  return {
    elb,
    url: `http://127.0.0.1:${port}`,
    port,
    loadBalancerArn,
    listenerArn: listener.Listeners?.[0]?.ListenerArn ?? '',
    groups: [blue, green],
    async register(TargetGroupArn, ...ports) {
      const Targets = ports.map((Port) => ({ Id: '10.0.0.1', Port }));
      await elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
    },
    untilHealth: (group, states) => untilHealth(elb, group, states),
  };
}

async function targetGroup(
  elb: ElasticLoadBalancingV2Client,
  Name: string,
  drainSeconds: number,
): Promise<string> {
  const created = await elb.send(
    new CreateTargetGroupCommand({
      Name,
      Protocol: 'HTTP',
      Port: 80,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      HealthCheckPath: '/health',
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
    }),
  );
  const TargetGroupArn = created.TargetGroups?.[0]?.TargetGroupArn ?? '';
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: String(drainSeconds) }];
  await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
  return TargetGroupArn;
}

async function untilHealth(
  elb: ElasticLoadBalancingV2Client,
  TargetGroupArn: string,
  wanted: Readonly<Record<number, string>>,
): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { TargetHealthDescriptions: found = [] } = await elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn }),
    );
    const states = Object.fromEntries(
      found.map(({ Target, TargetHealth }) => [Target?.Port, TargetHealth?.State]),
    );
    if (JSON.stringify(states) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline)
      throw new Error(`Wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(states)}`);
  }
}
