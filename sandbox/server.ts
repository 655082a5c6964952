import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { createCloudWatch } from './cloudwatch/cloudwatch.ts';
import { createEcr } from './ecr/ecr.ts';
import { createEcs } from './ecs/ecs.ts';
import { createElb } from './elb/elb.ts';
import { Faults } from './faults/faults.ts';
import { interceptWith } from './faults/intercept.ts';
import { parseRule } from './faults/parse.ts';
import { faultRoutes } from './faults/routes.ts';
import { drainsLonger } from './faults/targets.ts';
import { troubleOfTasks } from './faults/tasks.ts';
import { handleAws } from './protocol/http.ts';
import { allModels } from './protocol/model.ts';
import { mount } from './protocol/route.ts';
import type { ServiceDefinition } from './protocol/service.ts';
import { openRegistry } from './registry/registry.ts';
import { createSecretsManager } from './secretsmanager/secretsmanager.ts';
import { createSsm } from './ssm/ssm.ts';
import { Store } from './store.ts';
import { createSts } from './sts/sts.ts';
import { createTaskRunner } from './tasks/runner.ts';
import { startSampler } from './tasks/sampler.ts';
import { createSecretReader } from './tasks/secrets.ts';

export interface SandboxOptions {
  /** 0 or nothing: a free port. */
  readonly port?: number;
  /** Where state, images' content and tasks' logs live; made when it isn't there. */
  readonly stateDir: string;
  readonly accountId?: string;
  readonly region?: string;
  /** How many times faster AWS's documented waits go by. Default 1. */
  readonly speed?: number;
  /** Rules that are in force from the start, as sandbox/faults/README.md says. */
  readonly faults?: readonly unknown[];
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** Stops all tasks and load balancers, and writes the state. */
  close(): Promise<void>;
}

/** Requests under this path don't speak the AWS protocols. */
export interface HttpMount {
  readonly prefix: string;
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}

/**
 * Starts a sandbox in this process.
 * @throws StateDirectoryError when the state directory can't be used
 * @throws FaultRuleError when a rule can't be meant
 * @throws Error with code EADDRINUSE when the port is taken
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { port = 0, stateDir, accountId = '000000000000', region = 'eu-west-1', speed = 1 } = options;
  const models = allModels();
  const faults = new Faults();
  for (const rule of options.faults ?? []) faults.add(parseRule(models, rule));
  const store = await Store.open(stateDir);
  const closers: Closer[] = [() => store.close()];
  const server = createServer();
  const ended = new AbortController();
  const close = async (): Promise<void> => {
    ended.abort();
    // First the door: nothing may be started while things are being stopped.
    await stop(server);
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    const ready =
      Promise.withResolvers<(request: IncomingMessage, response: ServerResponse) => Promise<void>>();
    server.on('request', (request, response) => {
      // A request that comes before all services stand waits for them.
      ready.promise.then((answer) => answer(request, response)).catch(() => response.destroy());
    });
    const url = `http://127.0.0.1:${await listen(server, port)}`;
    const clock = createClock(speed);
    const wiring: Wiring = { store, clock, stateDir, accountId, region, url, faults, closers };
    const { services, mounts } = await openServices(wiring);
    mounts.push(faultRoutes(faults, models));
    const endpoint = {
      services: services.map(mount),
      accountId,
      region,
      flush: () => store.flush(),
      intercept: interceptWith(faults, ended.signal),
    };
    ready.resolve(async (request, response) => {
      const other = mounts.find(({ prefix }) => request.url?.startsWith(prefix));
      await (other ? other.handle(request, response) : handleAws(endpoint, request, response));
    });
    return { url, port: (server.address() as AddressInfo).port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => void | Promise<void>;

interface Wiring {
  readonly store: Store;
  readonly clock: Clock;
  readonly stateDir: string;
  readonly accountId: string;
  readonly region: string;
  readonly url: string;
  readonly faults: Faults;
  /** Run in reverse order at the end. */
  readonly closers: Closer[];
}

/** Opens every service, in the order of what needs what. */
async function openServices(wiring: Wiring): Promise<{ services: ServiceDefinition[]; mounts: HttpMount[] }> {
  const { store, clock, stateDir, accountId, region, url, faults, closers } = wiring;
  const services: ServiceDefinition[] = [];
  const mounts: HttpMount[] = [];

  const registryHost = (): string => new URL(url).host;
  const registry = await openRegistry({ store, stateDir, accountId, now: () => clock.now() });
  const ecr = createEcr({
    store,
    registry,
    stateDir,
    registryHost,
    now: () => clock.now(),
    speed: clock.speed,
  });
  services.push(ecr.service);
  mounts.push(registry.mount, ecr.mount);

  const ssm = createSsm({ store, clock });
  services.push(
    ssm.service,
    createSecretsManager({ store, clock }).service,
    createSts({ store, clock }).service,
  );

  const cloudwatch = createCloudWatch({ store, clock });
  services.push(cloudwatch.service);
  closers.push(() => cloudwatch.close());

  const elb = await createElb({
    store,
    clock,
    recorder: cloudwatch.recorder,
    drainsLonger: drainsLonger(faults),
  });
  services.push(elb.service);
  closers.push(() => elb.close());

  const secrets = createSecretReader({ parameters: ssm.parameters, services, accountId, region });
  const { images } = registry;
  const runner = createTaskRunner({
    store,
    clock,
    images,
    secrets,
    region,
    trouble: troubleOfTasks(faults),
    logDir: join(stateDir, 'logs'),
  });
  closers.push(() => runner.close());
  const { alarms } = cloudwatch;
  const ecs = createEcs({ store, clock, runner, targets: elb.targets, images, alarms, region, accountId });
  services.push(ecs.service);
  closers.push(() => ecs.close());
  const sampler = startSampler({
    tasks: () => runner.running(),
    metrics: cloudwatch.recorder,
    clock,
    insights: (clusterName) => ecs.containerInsights(clusterName),
  });
  closers.push(() => sampler.stop());

  return { services, mounts };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How long requests that are under way have to end. */
const PATIENCE_MS = 2000;

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
    server.close(() => {
      clearTimeout(impatience);
      resolve();
    });
    server.closeIdleConnections();
  });
}
