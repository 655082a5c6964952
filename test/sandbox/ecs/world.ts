import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type {
  ContainerDefinition,
  CreateServiceRequest,
  Service,
  ServiceDeployment,
  Task,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { startSandbox } from '../../../sandbox/server.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { anImage, digestOf } from '../registry/images.ts';

export const CLUSTER = 'rehearsal';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A server that answers /health with 200 and anything else with its name; ends at SIGTERM. */
export const goodApp = (name: string): string => `
  import { createServer } from 'node:http';
  process.on('SIGTERM', () => process.exit(0));
  createServer((request, response) => response.end(request.url === '/health' ? 'ok' : '${name}')).listen(
    Number(process.env.PORT), '127.0.0.1', () => console.log('${name} listens'));`;

/** Dies before it ever listens. */
export const dyingApp = `console.error('no configuration'); process.exit(3);`;

/** Runs, but fails its health checks. */
export const sickApp = `
  import { createServer } from 'node:http';
  createServer((_, response) => response.writeHead(500).end()).listen(Number(process.env.PORT), '127.0.0.1');`;

/** Two target groups behind one rule, as deployments that shift traffic need them. */
export interface TwoGroups {
  readonly groups: readonly [string, string];
  readonly listenerArn: string;
  readonly rule: string;
  /** Of the paths that begin with /test. */
  readonly testRule: string;
  readonly url: string;
}

/** A sandbox with a cluster, and the AWS clients that drive it. */
export class World {
  readonly ecs: ECSClient;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly ecr: ECRClient;
  readonly cloudwatch: CloudWatchClient;
  readonly sandbox: Sandbox;
  readonly stateDir: string;
  readonly #token: string;

  private constructor(sandbox: Sandbox, stateDir: string, token: string) {
    this.sandbox = sandbox;
    this.stateDir = stateDir;
    this.#token = token;
    // A kept connection that the server lets go of just then is worth a second attempt.
    const options = { endpoint: sandbox.url, region: 'eu-west-1', credentials, maxAttempts: 2 };
    this.ecs = new ECSClient(options);
    this.elb = new ElasticLoadBalancingV2Client(options);
    this.ecr = new ECRClient(options);
    this.cloudwatch = new CloudWatchClient(options);
  }

  /** @param speed AWS's waits are divided by it */
  static async start({ speed = 50 } = {}): Promise<World> {
    const stateDir = await mkdtemp(join(tmpdir(), 'sandbox-ecs-'));
    return World.of(await startSandbox({ stateDir, speed }), stateDir);
  }

  /** Of a sandbox that runs already. */
  static async of(sandbox: Sandbox, stateDir: string): Promise<World> {
    const ecr = new ECRClient({ endpoint: sandbox.url, region: 'eu-west-1', credentials });
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
    ecr.destroy();
    const world = new World(sandbox, stateDir, authorizationData?.[0]?.authorizationToken ?? '');
    await world.ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
    return world;
  }

  /** Stops and removes all. */
  async close({ keep = false } = {}): Promise<void> {
    this.disconnect();
    await this.sandbox.close();
    if (!keep) await rm(this.stateDir, { recursive: true, force: true });
  }

  /** Lets go of the clients' connections. */
  disconnect(): void {
    for (const client of [this.ecs, this.elb, this.ecr, this.cloudwatch]) client.destroy();
  }

  /** An alarm that stays in whatever state it is put. */
  async putAlarm(AlarmName: string): Promise<void> {
    await this.cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'Own',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'ignore',
      }),
    );
  }

  async setAlarm(AlarmName: string, StateValue: 'ALARM' | 'OK'): Promise<void> {
    await this.cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: 'a test' }));
  }

  /** Pushes an image whose program is `source`. @returns its reference by digest */
  async push(repository: string, source: string, config: object = {}): Promise<string> {
    await this.ecr.send(new CreateRepositoryCommand({ repositoryName: repository })).catch(() => undefined);
    const image = await anImage([[{ name: 'app/main.mjs', body: source }]], {
      config: { Entrypoint: ['node', '/app/main.mjs'], WorkingDir: '/app', ...config },
    });
    for (const blob of image.blobs) {
      await this.#ask(`/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`, 'POST', blob);
    }
    await this.#ask(`/v2/${repository}/manifests/${image.digest}`, 'PUT', image.manifest);
    return `127.0.0.1:${this.sandbox.port}/${repository}@${image.digest}`;
  }

  /** A task definition of one container `web` with port 80. @returns its ARN */
  async define(family: string, image: string, container: Partial<ContainerDefinition> = {}): Promise<string> {
    const web = { name: 'web', image, memory: 128, portMappings: [{ containerPort: 80 }], ...container };
    const { taskDefinition } = await this.ecs.send(
      new RegisterTaskDefinitionCommand({ family, containerDefinitions: [web] }),
    );
    return taskDefinition?.taskDefinitionArn ?? '';
  }

  /** A load balancer with one target group that checks /health. */
  async balance(name: string): Promise<{ targetGroupArn: string; url: string; listenerArn: string }> {
    const targetGroupArn = await this.#group(name);
    const { LoadBalancers } = await this.elb.send(
      new CreateLoadBalancerCommand({ Name: name, Subnets: ['subnet-1', 'subnet-2'] }),
    );
    const port = await freePort();
    const { Listeners } = await this.elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
        Protocol: 'HTTP',
        Port: port,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
      }),
    );
    const listenerArn = Listeners?.[0]?.ListenerArn ?? '';
    return { targetGroupArn, url: `http://127.0.0.1:${port}`, listenerArn };
  }

  /** A load balancer with two target groups that check /health, and a rule that forwards all to the first. */
  async balanceTwo(name: string, { sticky = false } = {}): Promise<TwoGroups> {
    const { targetGroupArn, url, listenerArn } = await this.balance(name);
    const groups: [string, string] = [targetGroupArn, await this.#group(`${name}-2`)];
    const forward = (path: string, priority: number): Promise<string> =>
      this.#rule(listenerArn, path, priority, groups, sticky);
    const test = await forward('/test*', 1);
    return { groups, listenerArn, rule: await forward('*', 2), testRule: test, url };
  }

  async #rule(
    ListenerArn: string,
    path: string,
    Priority: number,
    [blue, green]: readonly [string, string],
    sticky: boolean,
  ): Promise<string> {
    const TargetGroups = [
      { TargetGroupArn: blue, Weight: 1 },
      { TargetGroupArn: green, Weight: 0 },
    ];
    const TargetGroupStickinessConfig = sticky
      ? { Enabled: true, DurationSeconds: 3600 }
      : { Enabled: false };
    const { Rules } = await this.elb.send(
      new CreateRuleCommand({
        ListenerArn,
        Priority,
        Conditions: [{ Field: 'path-pattern', Values: [path] }],
        Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups, TargetGroupStickinessConfig } }],
      }),
    );
    return Rules?.[0]?.RuleArn ?? '';
  }

  /** Each target group's weight in a rule. */
  async weights(rule: string): Promise<Record<string, number>> {
    const { Rules } = await this.elb.send(new DescribeRulesCommand({ RuleArns: [rule] }));
    const groups = Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    return Object.fromEntries(groups.map(({ TargetGroupArn = '', Weight = 0 }) => [TargetGroupArn, Weight]));
  }

  async #group(Name: string): Promise<string> {
    const { TargetGroups } = await this.elb.send(
      new CreateTargetGroupCommand({
        Name,
        Protocol: 'HTTP',
        Port: 80,
        VpcId: 'vpc-1',
        TargetType: 'ip',
        HealthCheckPath: '/health',
        HealthCheckIntervalSeconds: 5,
        HealthCheckTimeoutSeconds: 4,
        HealthyThresholdCount: 2,
        UnhealthyThresholdCount: 2,
      }),
    );
    const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
    const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '5' }];
    await this.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
    return TargetGroupArn;
  }

  async create(serviceName: string, request: Partial<CreateServiceRequest>): Promise<Service> {
    const input = { cluster: CLUSTER, serviceName, desiredCount: 1, ...request };
    return (await this.ecs.send(new CreateServiceCommand(input))).service ?? {};
  }

  async update(service: string, request: Partial<UpdateServiceRequest>): Promise<Service> {
    return (
      (await this.ecs.send(new UpdateServiceCommand({ cluster: CLUSTER, service, ...request }))).service ?? {}
    );
  }

  async service(name: string): Promise<Service> {
    const { services } = await this.ecs.send(
      new DescribeServicesCommand({ cluster: CLUSTER, services: [name] }),
    );
    return services?.[0] ?? {};
  }

  /** The service's latest service deployment. */
  async rollout(service: string): Promise<ServiceDeployment> {
    const { serviceDeployments } = await this.ecs.send(
      new ListServiceDeploymentsCommand({ cluster: CLUSTER, service }),
    );
    const found = await this.ecs.send(
      new DescribeServiceDeploymentsCommand({
        serviceDeploymentArns: [serviceDeployments?.[0]?.serviceDeploymentArn ?? ''],
      }),
    );
    return found.serviceDeployments?.[0] ?? {};
  }

  async tasks(desiredStatus: 'RUNNING' | 'STOPPED'): Promise<Task[]> {
    const { taskArns = [] } = await this.ecs.send(new ListTasksCommand({ cluster: CLUSTER, desiredStatus }));
    if (taskArns.length === 0) return [];
    return (await this.ecs.send(new DescribeTasksCommand({ cluster: CLUSTER, tasks: taskArns }))).tasks ?? [];
  }

  /** What a container of the task has printed; empty before it has begun. */
  log(task: Task, container = 'web'): Promise<string> {
    const id = task.taskArn?.split('/').at(-1) ?? '';
    return readFile(join(this.stateDir, 'logs', id, `${container}.log`), 'utf8').catch(() => '');
  }

  /** The service, once it is steady with one deployment. */
  steady(name: string): Promise<Service> {
    return until(
      () => this.service(name),
      ({ deployments, events }) =>
        deployments?.length === 1 &&
        deployments[0]?.rolloutState === 'COMPLETED' &&
        events?.[0]?.message?.endsWith('has reached a steady state.') === true,
    );
  }

  async #ask(path: string, method: string, body: Buffer): Promise<void> {
    const headers = { authorization: `Basic ${this.#token}` };
    const response = await fetch(`${this.sandbox.url}${path}`, { method, body, headers });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
}

/** Asks until the answer is as wanted. @throws Error with the last answer after 20 s */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`Never as wanted; the last was ${JSON.stringify(answer, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export function messages(service: Service): string[] {
  return (service.events ?? []).map(({ message }) => message ?? '').toReversed();
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
