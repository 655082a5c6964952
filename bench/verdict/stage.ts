import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServerProcess } from '../../scripts/rehearsal/process.ts';
import { CLUSTER, World } from '../../test/sandbox/ecs/world.ts';
import type { Release } from './watchers/watcher.ts';

export { CLUSTER };
export const CONTAINER = 'web';
export const DESIRED_COUNT = 2;
/** Milliseconds. */
const LOOK_EVERY = 250;
const SANDBOX = join(import.meta.dirname, '..', '..', 'sandbox', 'main.ts');

export interface Pace {
  /** Divides the waits that AWS documents; 1 is AWS's own pace. */
  readonly speed: number;
  /** Seconds at speed 1. */
  readonly healthCheckInterval: number;
  readonly deregistrationDelay: number;
}

/** A rehearsal cloud in a process of its own, with services that run two tasks each behind a load balancer. */
export class Stage {
  readonly world: World;
  readonly url: string;
  readonly directory: string;
  readonly services: readonly string[];

  private constructor(world: World, url: string, directory: string, services: readonly string[]) {
    this.world = world;
    this.url = url;
    this.directory = directory;
    this.services = services;
  }

  /** @param source the program that all services run at first */
  static async start(services: readonly string[], pace: Pace, source: string): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'bench-verdict-'));
    const args = [SANDBOX, '--port', '0', '--state', join(directory, 'sandbox')];
    const sandbox = await ServerProcess.start({
      name: 'the sandbox',
      command: 'node',
      args: [...args, '--speed', String(pace.speed)],
      env: { PATH: process.env['PATH'] },
      log: join(directory, 'sandbox.log'),
      ready: /^# Sandbox ready/,
    });
    try {
      const url = endpointIn(sandbox.greeting);
      const close = () => sandbox.stop();
      const world = await World.of({ url, port: Number(new URL(url).port), close }, directory);
      const stage = new Stage(world, url, directory, services);
      await mkdir(join(directory, 'deaths'));
      const { taskDefinitions } = await stage.release(source, services);
      await Promise.all(services.map((name) => stage.#create(name, taskDefinitions[name] ?? '', pace)));
      return stage;
    } catch (error) {
      await sandbox.stop();
      throw error;
    }
  }

  /** Pushes the program as an image and registers a revision with it for each of `services`. */
  async release(source: string, services: readonly string[]): Promise<Release> {
    const image = await this.world.push('app', source);
    const container = {
      name: CONTAINER,
      image,
      memory: 128,
      portMappings: [{ containerPort: 80 }],
      environment: [{ name: 'DEATH', value: deathFile(this.directory) }],
    };
    const revisions = services.map(
      async (name) => [name, await this.world.define(name, image, container)] as const,
    );
    return {
      container,
      taskDefinitions: Object.fromEntries(await Promise.all(revisions)),
    };
  }

  /** Has the running tasks of programs that are made to die do so. */
  async strike(): Promise<void> {
    await writeFile(deathFile(this.directory), '');
  }

  /** Waits until the service has one deployment, COMPLETED, and all its tasks. @throws Error after two minutes */
  async steady(name: string): Promise<void> {
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; await pause(LOOK_EVERY)) {
      const { deployments = [], runningCount } = await this.world.service(name);
      const [only, ...others] = deployments;
      const done = others.length === 0 && only?.rolloutState === 'COMPLETED';
      if (done && runningCount === DESIRED_COUNT) return;
    }
    throw new Error(`${name} is not steady after two minutes; its state is in ${this.directory}`);
  }

  /** Stops all and removes what it left. */
  async close(): Promise<void> {
    await this.world.close();
  }

  async #create(name: string, taskDefinition: string, pace: Pace): Promise<void> {
    const { elb } = this.world;
    const { targetGroupArn: TargetGroupArn } = await this.world.balance(name);
    const HealthCheckIntervalSeconds = pace.healthCheckInterval;
    await elb.send(new ModifyTargetGroupCommand({ TargetGroupArn, HealthCheckIntervalSeconds }));
    const Value = String(pace.deregistrationDelay);
    const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value }];
    await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
    const loadBalancer = { targetGroupArn: TargetGroupArn, containerName: CONTAINER, containerPort: 80 };
    await this.world.create(name, {
      taskDefinition,
      desiredCount: DESIRED_COUNT,
      loadBalancers: [loadBalancer],
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
    });
  }
}

const deathFile = (directory: string): string => join(directory, 'deaths', 'now');

function endpointIn(greeting: readonly string[]): string {
  const line = greeting.find((each) => each.startsWith('export AWS_ENDPOINT_URL='));
  return line?.slice(line.indexOf('=') + 1) ?? '';
}
