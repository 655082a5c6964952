import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { workflowId } from '../../src/contract.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

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
  readonly #over: AbortSignal;

  constructor(stage: Stage, world: World, taskQueue: string, over: AbortSignal) {
    this.#stage = stage;
    this.world = world;
    this.#taskQueue = taskQueue;
    this.#over = over;
  }

  /** @param id what follows the platform in the run's id */
  async start(type: string, input: unknown, id = `run-${randomUUID()}`): Promise<WorkflowHandle> {
    const handle = await this.#stage.client.workflow.start(type, {
      workflowId: `${this.world.platform}.${id}`,
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
    return this.handle(workflowId.environment(this.world.platform, name));
  }

  /** The run of an environment as a pipeline's child. */
  child(environment: string, version: string): WorkflowHandle {
    return this.handle(workflowId.deploy(this.world.platform, environment, version));
  }

  /** Lets the server's time pass. */
  async sleep(duration: string): Promise<void> {
    await this.#stage.sleep(duration);
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
      await this.#pause();
    }
  }

  /**
   * Waits until a run has asked its activity to stop. The time-skipping server hangs when the activity ends at the very
   * moment at which its cancellation is asked for.
   */
  async stopping(handle: WorkflowHandle): Promise<void> {
    for (;;) {
      const history = await handle.fetchHistory().catch(() => undefined);
      if (history?.events?.some((event) => event.activityTaskCancelRequestedEventAttributes)) return;
      await this.#pause();
    }
  }

  /** Waits until `wanted` holds; the deadline is the test's own. */
  async when(wanted: () => boolean): Promise<void> {
    while (!wanted()) await this.#pause();
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 25));
    this.#over.throwIfAborted();
  }
}
