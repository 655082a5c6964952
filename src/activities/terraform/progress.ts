import { Context, asyncLocalStorage } from '@temporalio/activity';
import {
  ActivityCancelledError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
} from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { beating } from '../process/supervisor.ts';

/** Milliseconds for the server to take note. */
const NOTED_WITHIN = 10_000;

/**
 * How far terraform's apply has come, over all attempts of an activity: `not begun` by any; `begun`, and nobody has seen
 * its end; `ended` by itself, so that the state knows what it did; `unknown` when an earlier attempt left no word.
 */
type Stage = 'not begun' | 'begun' | 'ended' | 'unknown';

/** A heartbeat's details. The server hands the last one to the next attempt, on whatever host that is. */
interface Beat {
  /** For people. */
  readonly doing: unknown;
  readonly apply: Stage;
  /** What the apply makes anew, once it has begun. */
  readonly created: readonly string[];
}

/** What the attempts of an activity tell each other about their apply, through its heartbeats. */
export class ApplyProgress {
  private stage: Stage;
  private created: readonly string[];

  private constructor(stage: Stage, created: readonly string[]) {
    this.stage = stage;
    this.created = created;
  }

  /** Does `work`, every heartbeat of which, whoever gives it, says how far the apply has come. */
  static async during<T>(work: (progress: ApplyProgress) => Promise<T>): Promise<T> {
    const context = Context.current();
    const { apply, created } = lastBeat(context) ?? {
      apply: context.info.attempt === 1 ? 'not begun' : 'unknown',
      created: [],
    };
    const progress = new ApplyProgress(apply, created);
    const heartbeat = (doing: unknown) => context.heartbeat(progress.beat(doing));
    const marked: Context = Object.create(context, { heartbeat: { value: heartbeat } });
    return asyncLocalStorage.run(marked, () => work(progress));
  }

  /** No attempt has begun an apply: this is certain. */
  get notBegun(): boolean {
    return this.stage === 'not begun';
  }

  /** What an apply was making whose end nobody has seen; undefined when there is none. */
  get unfinished(): readonly string[] | undefined {
    return this.stage === 'begun' ? this.created : undefined;
  }

  /**
   * To be called right before terraform's apply is started; returns once the server has taken note of it. So an attempt
   * that the server has given up starts none, and an apply of which the next attempt hears nothing was never begun.
   */
  async begin(created: readonly string[]): Promise<void> {
    const before = { stage: this.stage, created: this.created };
    this.follow(created);
    try {
      await this.note('terraform apply');
    } catch (error) {
      this.stage = before.stage;
      this.created = before.created;
      Context.current().heartbeat('not applying');
      // The worker hears of it by a heartbeat of its own, and says then how the attempt ends.
      if (isLetGo(error)) await beating('not applying', () => Context.current().cancelled);
      throw error;
    }
  }

  /** An apply that an earlier attempt started is there to be followed. */
  follow(created: readonly string[]): void {
    this.stage = 'begun';
    this.created = created;
  }

  /** The apply has ended by itself, well or not. */
  async end(): Promise<void> {
    this.stage = 'ended';
    this.created = [];
    // An attempt's last heartbeat goes out with its failure, too.
    await this.note('terraform apply has ended').catch(() => undefined);
  }

  private beat(doing: unknown): Beat {
    return { doing, apply: this.stage, created: this.created };
  }

  /** Past the worker's throttle, which keeps a heartbeat back for seconds. */
  private async note(doing: string): Promise<void> {
    const context = Context.current();
    context.heartbeat(doing);
    const client = clientOf(context);
    await client?.withDeadline(Date.now() + NOTED_WITHIN, () =>
      client.activity.heartbeat(context.info.taskToken, this.beat(doing)),
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

function isBeat(details: unknown): details is Beat {
  if (typeof details !== 'object' || details === null) return false;
  return (
    'apply' in details &&
    STAGES.includes(details.apply) &&
    'created' in details &&
    Array.isArray(details.created)
  );
}
