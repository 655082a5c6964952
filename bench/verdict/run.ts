import { setTimeout as wait } from 'node:timers/promises';
import type { Observation } from './measure.ts';
import { openPost, type Post } from './post.ts';
import type { Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';
import { recordOf, type SandboxRecord, type Truth } from './truth.ts';
import { Slipway, type SlipwayOptions } from './watchers/slipway.ts';
import type { Watcher } from './watchers/watcher.ts';

export const SLIPWAY_ROLLOUT = 'Slipway: the rollout';
export const SLIPWAY_WINDOW = 'Slipway: its deployment window';
/** Milliseconds between two looks at the sandbox's record. */
const LOOK_EVERY = 250;

/** A watcher and the services that it watches. */
export interface Assignment {
  readonly watcher: Watcher;
  readonly services: readonly string[];
}

export interface RunOptions {
  /** Between two of Slipway's looks. */
  readonly pollMilliseconds: number;
  /** Deployed by Slipway, at once. */
  readonly services: readonly string[];
  readonly others: readonly Assignment[];
  /** When tasks that are made to die do so: seconds after the last deployment's end, or once all have spoken of the rollouts. */
  readonly deathAfter: number | 'all have spoken';
  /** Seconds that watchers are still listened to when the truth is out. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

export interface Ran {
  readonly observations: readonly Observation[];
  readonly truths: readonly Truth[];
  /** From the start of the rollouts to the last that came true. */
  readonly seconds: number;
}

/** Rolls a release out on all services at once, with every watcher on it, and hears them all. */
export async function run(stage: Stage, scenario: Scenario, options: RunOptions): Promise<Ran> {
  const { services, others, pollMilliseconds } = options;
  const { windowSeconds } = scenario;
  const started = Date.now();
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, options.signal]);
  const release = await stage.release(scenario.source, services);
  const open = (watched: readonly string[]) => openPost(stage.url, watched, release, signal);
  const [own, ...posts] = await Promise.all([open(services), ...others.map((each) => open(each.services))]);
  const deployed = Promise.withResolvers<void>();
  const followed = Promise.withResolvers<void>();
  const hearing = others.map(async ({ watcher }, i) => {
    const post = posts[i];
    if (post === undefined) return [];
    if (watcher.role === 'observes') await deployed.promise;
    return [await watchAs(watcher, post)];
  });
  const all = Promise.all([
    watchAsSlipway(own, { pollMilliseconds, windowSeconds }, { deployed, followed }),
    ...hearing,
  ]);
  const record = recordOf(stage.world.ecs);
  try {
    const timeToDie = () =>
      options.deathAfter === 'all have spoken'
        ? Promise.all([followed.promise, ...hearing])
        : wait(options.deathAfter * 1000, undefined, { signal });
    const letting = letHappen({ stage, record, scenario, started, timeToDie, signal });
    // Whoever breaks down ends the run.
    await Promise.race([letting, all.then(() => letting)]);
    await Promise.race([all, wait(options.patience * 1000, undefined, { signal })]);
    over.abort();
    const observations = (await all).flat();
    const truths = await Promise.all(stage.services.map((name) => record.truthOf(name)));
    return { observations, truths, seconds: (Math.max(...truths.map(({ at }) => at)) - started) / 1000 };
  } finally {
    over.abort();
    deployed.resolve();
    await Promise.allSettled([all]);
    await Promise.all([own, ...posts].map(({ proxy }) => proxy.close()));
  }
}

interface Events {
  readonly stage: Stage;
  readonly record: SandboxRecord;
  readonly scenario: Scenario;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly timeToDie: () => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Waits until ECS is done with all services, and has the tasks die that are to. */
async function letHappen({ stage, record, scenario, started, timeToDie, signal }: Events): Promise<void> {
  for (const service of stage.services) {
    while (!(await record.hasEnded(service, started))) await wait(LOOK_EVERY, undefined, { signal });
  }
  if (!scenario.dies) return;
  await timeToDie();
  await stage.strike();
}

async function watchAs(watcher: Watcher, post: Post): Promise<Observation> {
  const from = Date.now();
  await watcher.watch(post.watch);
  // One that deploys by itself begins to watch when it has updated its service.
  const updated = post.proxy.calls.findLast(({ operation }) => operation === 'UpdateService');
  return post.observed(watcher.name, updated === undefined ? from : updated.at + 1);
}

async function watchAsSlipway(
  post: Post,
  options: SlipwayOptions,
  reached: Readonly<Record<'deployed' | 'followed', PromiseWithResolvers<void>>>,
): Promise<Observation[]> {
  const slipway = new Slipway(post.watch, options);
  const { signal } = post.watch;
  const since = new Date();
  const unlessOver = async (work: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  };
  try {
    const rollouts = await slipway.start();
    reached.deployed.resolve();
    const from = Date.now();
    const passed = await unlessOver(() => slipway.follow(rollouts));
    reached.followed.resolve();
    const rollout = post.observed(SLIPWAY_ROLLOUT, from);
    if (!passed) return [rollout];
    const opened = Date.now() + 1;
    await unlessOver(async () => {
      await slipway.watchWindow(since);
      return true;
    });
    return [rollout, post.observed(SLIPWAY_WINDOW, opened)];
  } finally {
    slipway.close();
  }
}
