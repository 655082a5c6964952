import { Container } from './container.ts';
import type { ContainerHost } from './container.ts';
import { pull } from './images.ts';
import type { PulledImage } from './images.ts';
import { readiness } from './start-order.ts';
import { StartFailure } from './types.ts';
import type { Health, StopCause, TaskEvent, TaskSpec } from './types.ts';

const ESSENTIAL_EXITED: StopCause = {
  code: 'EssentialContainerExited',
  reason: 'Essential container in task exited',
};
const HOST_GONE: StopCause = {
  code: 'TerminationNotice',
  reason: 'The host that ran the task was stopped (the sandbox was restarted)',
};

/** One task, from its start to its end. */
export class TaskRun {
  readonly spec: TaskSpec;
  readonly containers: readonly Container[];
  readonly #host: ContainerHost;
  readonly #emit: (event: TaskEvent) => void;
  #cause: StopCause | undefined;
  #running = false;
  #starting: Promise<void> = Promise.resolve();
  #progressed: () => void = () => undefined;
  #told: Readonly<Record<string, Health>> = {};

  constructor(host: ContainerHost, spec: TaskSpec, emit: (event: TaskEvent) => void) {
    this.spec = spec;
    this.#host = host;
    this.#emit = emit;
    this.containers = spec.containers.map((definition) => new Container(host, spec, definition));
  }

  /** Runs the task until it is up or has stopped. Never rejects: a failure is a stopped task. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    // Nothing is told before the caller has the task on record.
    await Promise.resolve();
    try {
      this.#emit({ kind: 'pulling' });
      await this.#passTrouble();
      if (this.#cause) return await this.#end();
      const images = await this.#pullAll();
      await this.#startAll(images);
      if (this.#cause) return await this.#end();
      this.#tellRunning();
      await this.#look();
    } catch (error) {
      const reason = error instanceof StartFailure ? error.message : `InternalError: ${String(error)}`;
      this.#cause ??= { code: 'TaskFailedToStart', reason };
      await this.#end();
    }
  }

  /** Takes over what an earlier sandbox started. */
  async adopt(): Promise<void> {
    const alive = this.containers.filter((container) => container.adopt(() => this.#changed()));
    const whole = this.containers.every((container) => !container.essential || alive.includes(container));
    if (whole && alive.length > 0) return this.#tellRunning();
    this.#cause = HOST_GONE;
    await this.#end();
  }

  /** Stops the task, for the first cause that is given. */
  stop(cause: StopCause): void {
    if (this.#cause) return;
    this.#cause = cause;
    this.#progressed();
    if (this.#running) void this.#end();
  }

  /** Stops the processes and tells nobody. */
  async kill(): Promise<void> {
    this.#cause ??= HOST_GONE;
    this.#running = false;
    this.#progressed();
    // A container that is being started can be stopped only once it has a process.
    await this.#starting;
    await Promise.all(this.containers.map((container) => container.stop()));
  }

  /** @throws StartFailure */
  async #passTrouble(): Promise<void> {
    const trouble = this.#host.trouble?.atStart(this.spec);
    if (!trouble) return;
    if ('reason' in trouble) throw new StartFailure(trouble.reason);
    if (this.#cause || trouble.passed.aborted) return;
    await new Promise<void>((resolve) => {
      this.#progressed = resolve;
      trouble.passed.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #pullAll(): Promise<Map<string, PulledImage>> {
    const images = new Map<string, PulledImage>();
    for (const { name, definition } of this.containers)
      images.set(name, await pull(this.#host.images, definition));
    const digests = Object.fromEntries([...images].map(([name, { digest }]) => [name, digest]));
    this.#emit({ kind: 'pulled', digests });
    return images;
  }

  /** Starts each container once what it depends on has come far enough. */
  async #startAll(images: ReadonlyMap<string, PulledImage>): Promise<void> {
    let waiting = [...this.containers];
    while (waiting.length > 0 && !this.#cause) {
      const next = new Promise<void>((resolve) => (this.#progressed = resolve));
      const ready = waiting.find((container) => this.#isReady(container));
      if (!ready) {
        await next;
        continue;
      }
      const image = images.get(ready.name);
      if (image) await ready.start(image, () => this.#changed());
      waiting = waiting.filter((container) => container !== ready);
    }
  }

  #isReady(container: Container): boolean {
    const state = readiness(container.definition, (name) => this.#named(name).progress);
    if (state === 'impossible') {
      throw new StartFailure(
        `ResourceInitializationError: dependencies of container ${container.name} can't be met`,
      );
    }
    return state === 'ready';
  }

  #named(name: string): Container {
    const found = this.containers.find((container) => container.name === name);
    if (!found)
      throw new StartFailure(`ResourceInitializationError: there is no container ${name} to depend on`);
    return found;
  }

  #tellRunning(): void {
    this.#running = true;
    this.#emit({ kind: 'running', containers: this.containers.map(({ name, ports }) => ({ name, ports })) });
  }

  #changed(): void {
    this.#progressed();
    if (this.#running) void this.#look();
  }

  /** An essential container's end is the task's; a change of health is told. */
  async #look(): Promise<void> {
    if (this.#cause) return;
    if (
      this.containers.some((container) => container.essential && container.progress.exitCode !== undefined)
    ) {
      this.#cause = ESSENTIAL_EXITED;
      return this.#end();
    }
    const health = Object.fromEntries(this.containers.map((container) => [container.name, container.health]));
    if (JSON.stringify(health) === JSON.stringify(this.#told)) return;
    this.#told = health;
    if (this.containers.some(({ definition }) => definition.healthCheck)) {
      this.#emit({ kind: 'health', containers: health });
    }
  }

  async #end(): Promise<void> {
    const cause = this.#cause ?? ESSENTIAL_EXITED;
    this.#running = false;
    this.#emit({ kind: 'stopping', cause });
    const alive = this.containers.some(({ group }) => group !== undefined);
    const deaf = alive && (this.#host.trouble?.atStop(this.spec) ?? false);
    await Promise.all(this.containers.map((container) => container.stop(deaf)));
    this.#emit({ kind: 'stopped', cause, containers: this.containers.map(({ stopped }) => stopped) });
  }
}
