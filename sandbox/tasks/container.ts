import { join } from 'node:path';
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { Clock } from '../clock.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import type { Table } from '../store.ts';
import { commandOf, mapArguments, programIn } from './command.ts';
import type { Command } from './command.ts';
import { environmentOf, secretsOf } from './environment.ts';
import type { SecretReader } from './environment.ts';
import { watchHealth } from './health-check.ts';
import type { HealthWatch } from './health-check.ts';
import { pull } from './images.ts';
import type { ImageSource, PulledImage } from './images.ts';
import type { PortAllocator } from './ports.ts';
import { adoptProcess, signalGroup, startProcess } from './process.ts';
import type { ContainerProcess } from './process.ts';
import type { Progress } from './start-order.ts';
import type { Health, PortBinding, StoppedContainer, TaskSpec, TaskTrouble } from './types.ts';

/** A container's process as it is on record, for the sandbox that comes after this one. */
export interface ProcessRecord {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly ports: readonly PortBinding[];
}

export interface ContainerHost {
  readonly clock: Clock;
  readonly images: ImageSource;
  readonly secrets: SecretReader;
  readonly ports: PortAllocator;
  readonly records: Table<ProcessRecord>;
  flush(): Promise<void>;
  readonly region: string;
  /** Tasks' output goes to `<logDir>/<taskId>/<container>.log`. */
  readonly logDir: string;
  /** PATH of the tasks. */
  readonly hostPath: string;
  /** By default nothing goes wrong. */
  readonly trouble?: TaskTrouble;
}

/** ECS's default for a container's stopTimeout, in milliseconds. */
const STOP_TIMEOUT_MS = 30_000;
/** A process takes true time to end: no speed cuts its time below this. */
const SHORTEST_STOP_MS = 2_000;

/** One container of a task, from its start to its end. */
export class Container {
  readonly definition: ContainerDefinition;
  readonly #host: ContainerHost;
  readonly #spec: TaskSpec;
  #process: ContainerProcess | undefined;
  #watch: HealthWatch | undefined;
  #ports: readonly PortBinding[] = [];
  #port: number | undefined;
  #health: Health = 'UNKNOWN';
  #ended: { exitCode?: number } | undefined;

  constructor(host: ContainerHost, spec: TaskSpec, definition: ContainerDefinition) {
    this.#host = host;
    this.#spec = spec;
    this.definition = definition;
  }

  get name(): string {
    return this.definition.name ?? '';
  }

  get essential(): boolean {
    return this.definition.essential ?? true;
  }

  get ports(): readonly PortBinding[] {
    return this.#ports;
  }

  get health(): Health {
    return this.#health;
  }

  get group(): number | undefined {
    return this.#ended ? undefined : this.#process?.identity.pid;
  }

  get progress(): Progress {
    const exitCode = this.#ended && (this.#ended.exitCode ?? 137);
    return {
      started: this.#process !== undefined,
      healthy: this.#health === 'HEALTHY',
      ...(exitCode === undefined ? {} : { exitCode }),
    };
  }

  get stopped(): StoppedContainer {
    return { name: this.name, ...this.#ended };
  }

  /** @throws StartFailure */
  async start(image: PulledImage, changed: () => void): Promise<void> {
    const { ports: allocator, hostPath, region, logDir } = this.#host;
    const secrets = await secretsOf(this.definition, this.#host.secrets);
    const command = commandOf(this.definition, image, hostPath);
    const port = await allocator.take();
    this.#port = port;
    this.#ports = await this.#bindings(port);
    const given = { secrets, port, ports: this.#ports, region, hostPath };
    const environment = environmentOf(image.process, this.definition, given);
    const logPath = join(logDir, this.#spec.taskId, `${this.name}.log`);
    const started = await startProcess(command, environment, logPath, async (identity) => {
      this.#host.records.set(this.#key, { identity, port, ports: this.#ports });
      await this.#host.flush();
    });
    this.#follow(started, changed);
    this.#watchHealth(image, environment, changed);
  }

  /** Takes over the recorded process. @returns whether it still runs */
  adopt(changed: () => void): boolean {
    const record = this.#host.records.get(this.#key);
    const process = record && adoptProcess(record.identity);
    if (!process) {
      this.#host.records.delete(this.#key);
      this.#ended = {};
      return false;
    }
    for (const port of [record.port, ...record.ports.map(({ hostPort }) => hostPort)])
      this.#host.ports.hold(port);
    this.#port = record.port;
    this.#ports = record.ports;
    this.#follow(process, changed);
    this.#watchAdopted(record, changed).catch(() => undefined);
    return true;
  }

  /**
   * SIGTERM, then SIGKILL after the stop timeout. Resolves when the process is gone; at once when there is none.
   * @param deaf whether SIGTERM does nothing
   */
  async stop(deaf = false): Promise<void> {
    const process = this.#process;
    if (!process || this.#ended) return;
    if (!deaf) process.signal('SIGTERM');
    const documented = (this.definition.stopTimeout ?? STOP_TIMEOUT_MS / 1000) * 1000;
    const { clock } = this.#host;
    const patience = Math.max(documented / clock.speed, Math.min(documented, SHORTEST_STOP_MS));
    const timer = setTimeout(() => process.signal('SIGKILL'), patience);
    await process.exited;
    clearTimeout(timer);
  }

  get #key(): string {
    return `${this.#spec.taskArn} ${this.name}`;
  }

  /** The first port of the definition is `PORT`, each further one has a port of its own. */
  async #bindings(first: number): Promise<PortBinding[]> {
    const bindings: PortBinding[] = [];
    for (const { containerPort } of this.definition.portMappings ?? []) {
      if (containerPort === undefined) continue;
      const hostPort = bindings.length === 0 ? first : await this.#host.ports.take();
      bindings.push({ containerPort, hostPort });
    }
    return bindings;
  }

  #follow(process: ContainerProcess, changed: () => void): void {
    this.#process = process;
    void process.exited.then((exitCode) => {
      this.#ended = exitCode === undefined ? {} : { exitCode };
      this.#watch?.stop();
      signalGroup(process.identity, 'SIGKILL');
      this.#host.records.delete(this.#key);
      for (const port of [this.#port, ...this.#ports.map(({ hostPort }) => hostPort)]) {
        if (port !== undefined) this.#host.ports.give(port);
      }
      changed();
    });
  }

  #watchHealth(image: PulledImage, environment: Readonly<Record<string, string>>, changed: () => void): void {
    if (!this.definition.healthCheck) return;
    const toCommand = ([program = '', ...rest]: readonly string[]): Command => ({
      argv: [
        programIn(program, image, image.rootfs, this.#host.hostPath),
        ...mapArguments(rest, image.rootfs),
      ],
      cwd: image.rootfs,
    });
    this.#watch = watchHealth(this.definition, this.#host.clock, environment, toCommand, (health) => {
      this.#health = health;
      changed();
    });
  }

  async #watchAdopted(record: ProcessRecord, changed: () => void): Promise<void> {
    if (!this.definition.healthCheck) return;
    const { hostPath, region, images } = this.#host;
    const image = await pull(images, this.definition);
    const secrets = await secretsOf(this.definition, this.#host.secrets);
    const given = { secrets, port: record.port, ports: record.ports, region, hostPath };
    if (!this.#ended) this.#watchHealth(image, environmentOf(image.process, this.definition, given), changed);
  }
}
