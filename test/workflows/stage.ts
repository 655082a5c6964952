import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { loadTools, serverExecutable } from '../../scripts/tools.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract.ts';
import { registerSearchAttributes } from '../../src/search-attributes.ts';
import { World } from './world.ts';

const BUNDLER = fileURLToPath(new URL('../../scripts/bundle.ts', import.meta.url));

/** A time-skipping server and the workflows' bundle, for the tests of one file. */
export class Stage {
  readonly #environment: TestWorkflowEnvironment;
  readonly #bundle: { readonly codePath: string };

  private constructor(environment: TestWorkflowEnvironment, bundle: { codePath: string }) {
    this.#environment = environment;
    this.#bundle = bundle;
  }

  static async open(): Promise<Stage> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const { testServer } = loadTools();
    const [environment, bundle] = await Promise.all([
      TestWorkflowEnvironment.createTimeSkipping({ server: { executable: serverExecutable(testServer) } }),
      // In a process of its own: webpack does not run inside jest's module registry.
      execa('node', [BUNDLER]),
    ]);
    await registerSearchAttributes(environment.connection, 'default', Object.keys(SEARCH_ATTRIBUTES));
    return new Stage(environment, { codePath: bundle.stdout });
  }

  get client(): Client {
    return this.#environment.client;
  }

  /** Lets the server's time pass. */
  async sleep(duration: string): Promise<void> {
    await this.#environment.sleep(duration as never);
  }

  async close(): Promise<void> {
    await this.#environment.teardown();
  }

  /** Plays one test: a worker of its own around `play`; afterwards the history of every run is replayed. */
  async play(play: (scene: Scene) => Promise<void>): Promise<void> {
    const taskQueue = `test-${randomUUID()}`;
    const world = new World(`p${randomUUID().slice(0, 8)}`, taskQueue, () => this.client);
    const worker = await Worker.create({
      connection: this.#environment.nativeConnection,
      taskQueue,
      workflowBundle: this.#bundle,
      activities: world.activities(),
    });
    const scene = new Scene(this, world, taskQueue);
    await worker.runUntil(() => play(scene));
    for (const handle of scene.handles) await this.#replay(handle);
  }

  async #replay(handle: WorkflowHandle): Promise<void> {
    const history = await handle.fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: this.#bundle }, history, handle.workflowId);
  }
}

export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly report: Record<string, unknown>;
}

/** What a test starts and asks. */
export class Scene {
  readonly world: World;
  readonly handles: WorkflowHandle[] = [];
  readonly #stage: Stage;
  readonly #taskQueue: string;

  constructor(stage: Stage, world: World, taskQueue: string) {
    this.#stage = stage;
    this.world = world;
    this.#taskQueue = taskQueue;
  }

  async start(type: string, input: unknown, id = `run-${randomUUID()}`): Promise<WorkflowHandle> {
    const handle = await this.#stage.client.workflow.start(type, {
      workflowId: id,
      taskQueue: this.#taskQueue,
      args: input === undefined ? [] : [input],
    });
    this.handles.push(handle);
    return handle;
  }

  handle(id: string): WorkflowHandle {
    return this.#stage.client.workflow.getHandle(id);
  }

  /** The environment's own run. */
  environment(name: string): WorkflowHandle {
    return this.handle(`${this.world.platform}.environment.${name}`);
  }

  /** @returns the failure a run ends with; a run that completes fails the test */
  async failure(handle: WorkflowHandle): Promise<Failure> {
    try {
      await handle.result();
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) {
        const { type, message, details } = error.cause;
        return { type: type ?? '', message, report: (details?.[0] ?? {}) as Record<string, unknown> };
      }
      throw error;
    }
    throw new Error(`${handle.workflowId} completed`);
  }

  /** Waits until a query's answer satisfies `wanted`; the deadline is the test's own. */
  async until<T>(handle: WorkflowHandle, query: string, wanted: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const answer = await handle.query<T>(query).catch(() => undefined);
      if (answer !== undefined && wanted(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
