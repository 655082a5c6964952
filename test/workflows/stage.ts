import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { loadTools, serverExecutable } from '../../scripts/tools.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract.ts';
import { registerSearchAttributes } from '../../src/search-attributes.ts';
import type { Activities } from '../../src/workflows/activities.ts';
import { finishedRuns, type PlayedRun } from './histories.ts';
import { Scene } from './scene.ts';
import { World } from './world.ts';

const BUNDLER = fileURLToPath(new URL('../../scripts/bundle.ts', import.meta.url));
const TASK_QUEUE = 'stage';

const DEV_SERVER = [
  // It rounds timers up to a second, unless told not to.
  'history.timerProcessorMaxTimeShift="10ms"',
  // 4,096 events are too many for a test.
  'limit.historyCount.suggestContinueAsNew=300',
];

/** Time can be let pass on the time-skipping server; the dev server is the real one. */
export type Server = 'time-skipping' | 'dev';

/** A server and one worker for the tests of one file. Each test has a world of its own, told apart by the platform's name. */
export class Stage {
  readonly #environment: TestWorkflowEnvironment;
  readonly #bundle: { readonly codePath: string };
  readonly #worlds = new Map<string, World>();
  readonly #plays = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /**
   * Lets no time pass by itself: the environment's own client does until a result has come, and sometimes a moment longer,
   * in which the server skips the ten years after which it ends an environment's run.
   */
  readonly client: Client;
  #worker: Promise<void> = Promise.resolve();

  private constructor(environment: TestWorkflowEnvironment, bundle: { codePath: string }) {
    this.#environment = environment;
    this.#bundle = bundle;
    this.client = new Client({ connection: environment.connection });
  }

  static async open(server: Server = 'time-skipping'): Promise<Stage> {
    const errors = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: errors } },
    });
    const [environment, bundle] = await Promise.all([
      startServer(server),
      // In a process of its own: webpack does not run inside jest's module registry.
      execa('node', [BUNDLER]),
    ]);
    await registerSearchAttributes(environment.connection, 'default', Object.keys(SEARCH_ATTRIBUTES));
    const stage = new Stage(environment, { codePath: bundle.stdout });
    await stage.#startWorker();
    return stage;
  }

  /** Lets the server's time pass. */
  async sleep(duration: string): Promise<void> {
    await this.#environment.sleep(duration as never);
  }

  /**
   * Whatever a test that ran out of time still asks is broken off before the connection closes: the client tries a call
   * again that a closing channel has ended, and throws from its timer.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#plays);
    await this.#worker;
    await this.#environment.teardown();
  }

  /** Plays one test; afterwards the history of every run that took part is replayed. */
  async play(play: (scene: Scene) => Promise<void>): Promise<void> {
    const world = new World(`p${randomUUID().slice(0, 8)}`, TASK_QUEUE, this.client);
    this.#worlds.set(world.platform, world);
    const played = this.#environment.connection.withAbortSignal(this.#closing.signal, () =>
      this.#play(new Scene(this, world, TASK_QUEUE, this.#closing.signal), play),
    );
    this.#plays.add(played);
    await played.finally(() => this.#plays.delete(played));
  }

  async #play(scene: Scene, play: (scene: Scene) => Promise<void>): Promise<void> {
    const runs = () => finishedRuns(this.client, [...scene.handles, ...scene.world.environments]);
    try {
      await Promise.race([play(scene), this.#worker.then(() => Promise.reject(new Error('no worker')))]);
    } catch (error) {
      await runs().catch(() => undefined);
      throw error;
    }
    await this.#replay(await runs());
  }

  async #replay(runs: readonly PlayedRun[]): Promise<void> {
    const replayed = Worker.runReplayHistories({ workflowBundle: this.#bundle }, runs);
    for await (const { workflowId, error } of replayed) {
      if (error) throw new Error(`${workflowId} does not replay: ${error.message}`, { cause: error });
    }
  }

  async #startWorker(): Promise<void> {
    const worker = await Worker.create({
      connection: this.#environment.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: this.#bundle,
      activities: this.#activities(),
    });
    const closed = new Promise<void>((resolve) => {
      this.#closing.signal.addEventListener('abort', () => resolve());
    });
    this.#worker = worker.runUntil(closed);
  }

  /** Every activity answers as the world of the run that calls it does; a run's id begins with its platform. */
  #activities(): Activities {
    const names = World.activityNames(this.client);
    const answer = (name: keyof Activities) => async (input: never) => {
      const context = Context.current();
      const [platform = ''] = context.info.workflowExecution?.workflowId.split('.') ?? [];
      const world = this.#worlds.get(platform);
      if (world === undefined) throw new Error(`no test plays ${platform}`);
      const { connection } = this.#environment;
      return await connection.withAbortSignal(context.cancellationSignal, () => world.answer(name, input));
    };
    return Object.fromEntries(names.map((name) => [name, answer(name)])) as unknown as Activities;
  }
}

async function startServer(server: Server): Promise<TestWorkflowEnvironment> {
  const { testServer, temporalCli } = loadTools();
  if (server === 'time-skipping') {
    const executable = serverExecutable(testServer);
    return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  }
  const extraArgs = DEV_SERVER.flatMap((setting) => ['--dynamic-config-value', setting]);
  const executable = serverExecutable(temporalCli);
  const log = { format: 'pretty', level: 'error' };
  return await TestWorkflowEnvironment.createLocal({ server: { executable, extraArgs, log } });
}
