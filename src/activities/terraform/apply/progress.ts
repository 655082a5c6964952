import { hostname } from 'node:os';
import { Context, asyncLocalStorage } from '@temporalio/activity';
import {
  ActivityCancelledError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
} from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { beating } from '../../process/supervisor.ts';
import type { Intent } from './intent.ts';
import type { StateLock, UnfinishedApply } from '../types.ts';

/** Milliseconds for the server to take note. */
const NOTED_WITHIN = 10_000;

/**
 * How far terraform's apply has come, over all attempts of an activity: `not begun` by any; `begun`, and nobody has seen
 * its end; `ended` by itself, so that the state knows what it did; `unknown` when an earlier attempt left no word.
 */
type Stage = 'not begun' | 'begun' | 'ended' | 'unknown';

/** A heartbeat's details. The server hands the last one to the next attempt, on whatever host that is. */
interface Beat extends Partial<Omit<UnfinishedApply, 'created'>> {
  /** For people. */
  readonly doing: unknown;
  readonly apply: Stage;
  /** What the apply makes anew, once it has begun. */
  readonly created: readonly string[];
}

const NOTHING: UnfinishedApply = { created: [], replaced: [], made: [] };
/** How many addresses of `made` a heartbeat has: the last ones, of which the state is the least likely to know. */
const MADE_TOLD = 100;

/** What the attempts of an activity tell each other about their apply, through its heartbeats. */
export class ApplyProgress {
  #stage: Stage;
  #apply: UnfinishedApply;

  private constructor(stage: Stage, apply: UnfinishedApply) {
    this.#stage = stage;
    this.#apply = apply;
  }

  /** Does `work`, every heartbeat of which, whoever gives it, says how far the apply has come. */
  static async during<T>(work: (progress: ApplyProgress) => Promise<T>): Promise<T> {
    const context = Context.current();
    const last = lastBeat(context);
    const first = context.info.attempt === 1 ? 'not begun' : 'unknown';
    const progress = new ApplyProgress(last?.apply ?? first, last ? applyOf(last) : NOTHING);
    const heartbeat = (doing: unknown) => context.heartbeat(progress.#beat(doing));
    const marked: Context = Object.create(context, { heartbeat: { value: heartbeat } });
    return asyncLocalStorage.run(marked, () => work(progress));
  }

  /** No attempt has begun an apply: this is certain. */
  get notBegun(): boolean {
    return this.#stage === 'not begun';
  }

  /** This attempt, or one before it, has begun an apply: this is certain. */
  get hasBegun(): boolean {
    return this.#stage === 'begun' || this.#stage === 'ended';
  }

  /** An apply whose end nobody has seen; undefined when there is none. */
  get unfinished(): UnfinishedApply | undefined {
    return this.#stage === 'begun' ? this.#apply : undefined;
  }

  /**
   * To be called right before terraform's apply is started; returns once the server has taken note of it. So an attempt
   * that the server has given up starts none, and an apply of which the next attempt hears nothing was never begun.
   */
  async begin(intent: Intent): Promise<void> {
    const before = { stage: this.#stage, apply: this.#apply };
    this.#stage = 'begun';
    this.#apply = { ...NOTHING, ...intent, host: hostname() };
    try {
      await this.#note('terraform apply');
    } catch (error) {
      this.#stage = before.stage;
      this.#apply = before.apply;
      Context.current().heartbeat('not applying');
      // The worker hears of it by a heartbeat of its own, and says then how the attempt ends.
      if (isLetGo(error)) await beating('not applying', () => Context.current().cancelled);
      throw error;
    }
  }

  /** An apply that an earlier attempt started is there to be followed. */
  follow(intent: Intent, lock: StateLock | undefined): void {
    this.#stage = 'begun';
    this.#apply = { ...this.#apply, ...intent, host: hostname(), ...(lock && { lock }) };
  }

  /** The apply that was begun has made these so far. */
  made(addresses: Iterable<string>): void {
    this.#apply = { ...this.#apply, made: [...addresses].slice(-MADE_TOLD) };
  }

  /** The apply that was begun holds `lock`. Returns once the server has taken note, or can't. */
  async holds(lock: StateLock): Promise<void> {
    this.#apply = { ...this.#apply, lock };
    await this.#note('terraform apply').catch(() => undefined);
  }

  /**
   * Nothing may be read any more from the going of the lock that the apply held: it is going to be released by others
   * than terraform.
   * @returns whether the server has taken note, so that the next attempt knows
   */
  async disownLock(): Promise<boolean> {
    const { lock: _, ...rest } = this.#apply;
    this.#apply = rest;
    return this.#note('terraform apply was cut').then(
      () => true,
      // The server takes note of what it answers so.
      (error: unknown) => error instanceof ActivityCancelledError,
    );
  }

  /** The apply has ended by itself, well or not. */
  async end(): Promise<void> {
    this.#stage = 'ended';
    this.#apply = NOTHING;
    // An attempt's last heartbeat goes out with its failure, too.
    await this.#note('terraform apply has ended').catch(() => undefined);
  }

  #beat(doing: unknown): Beat {
    return { doing, apply: this.#stage, ...this.#apply };
  }

  /** Past the worker's throttle, which keeps a heartbeat back for seconds. */
  async #note(doing: string): Promise<void> {
    const context = Context.current();
    context.heartbeat(doing);
    const client = clientOf(context);
    await client?.withDeadline(Date.now() + NOTED_WITHIN, () =>
      client.activity.heartbeat(context.info.taskToken, this.#beat(doing)),
    );
  }
}

/** Only an activity that no worker runs has none. */
function clientOf(context: Context): Client | undefined {
  try {
    return context.client;
  } catch {
    return undefined;
  }
}

function isLetGo(error: unknown): boolean {
  const kinds = [ActivityCancelledError, ActivityNotFoundError, ActivityPausedError, ActivityResetError];
  return kinds.some((kind) => error instanceof kind);
}

const STAGES: readonly unknown[] = ['not begun', 'begun', 'ended', 'unknown'] satisfies Stage[];

function lastBeat({ info }: Context): Beat | undefined {
  const details: unknown = info.heartbeatDetails;
  return isBeat(details) ? details : undefined;
}

function applyOf({ created, replaced, made, lock, host }: Beat): UnfinishedApply {
  return {
    created,
    replaced: replaced ?? [],
    made: made ?? [],
    ...(lock && { lock }),
    ...(host !== undefined && { host }),
  };
}

function isBeat(details: unknown): details is Beat {
  if (typeof details !== 'object' || details === null) return false;
  return (
    'apply' in details &&
    STAGES.includes(details.apply) &&
    'created' in details &&
    Array.isArray(details.created)
  );
}
